"""What lists of conversations and training files are filtered by."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from training.files.standing import changed_in
from training.models import Conversation, TrainingFile, TrainingFileConversation

STATUSES = [*TrainingFile.Status.choices, ("all", "all")]


class ConversationFilter(filters.FilterSet):
    """By quality, scaffolding, origin, and the training file that has or has not got them."""

    min_quality = filters.NumberFilter("quality_score", lookup_expr="gte", help_text="A score of 0 to 10.")
    max_quality = filters.NumberFilter("quality_score", lookup_expr="lte", help_text="A score of 0 to 10.")
    training_file = filters.CharFilter(method="inside", help_text="In this training file.")
    changed_in = filters.CharFilter(
        method="changed",
        help_text="In this training file, and imported or made with other contents since it was built.",
    )

    class Meta:
        model = Conversation
        fields = (
            "enrichment_status", "quality_tier", "persona_key", "emotional_arc_key", "training_topic_key", "batch_id",
            "training_sheet",
        )  # fmt: skip

    def inside(self, queryset: QuerySet[Conversation], _name: str, value: str) -> QuerySet[Conversation]:
        """Return the conversations that are in the training file now."""
        found = TrainingFileConversation.objects.filter(training_file_id=value, build=self._build_of(value))
        return queryset.filter(pk__in=found.values("conversation_id"))

    def changed(self, queryset: QuerySet[Conversation], _name: str, value: str) -> QuerySet[Conversation]:
        """Return the conversations in the training file that are not any more as they are in it."""
        return queryset.filter(pk__in=changed_in([self._build_of(value)]).values("conversation_id"))

    def _build_of(self, training_file_id: str) -> str:
        seen = TrainingFile.objects.visible_to(self.request.user).filter(pk=training_file_id)
        return seen.values_list("build", flat=True).first() or ""


class TrainingFileFilter(filters.FilterSet):
    """Active ones unless another status is asked for; `min_quality` and `max_quality` bound the average score."""

    status = filters.ChoiceFilter(choices=STATUSES, method="of_status", help_text="Default: active.")
    min_quality = filters.NumberFilter("avg_quality_score", lookup_expr="gte")
    max_quality = filters.NumberFilter("avg_quality_score", lookup_expr="lte")

    class Meta:
        model = TrainingFile
        fields = ("name", "created_by")

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        # An empty value is none, as in the other filters.
        given = {name: value for name, value in data.dict().items() if value} if data is not None else {}
        super().__init__({"status": TrainingFile.Status.ACTIVE, **given}, *args, **kwargs)

    def of_status(self, queryset: QuerySet[TrainingFile], _name: str, value: str) -> QuerySet[TrainingFile]:
        return queryset if value == "all" else queryset.filter(status=value)
