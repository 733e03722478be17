"""The API of saved views."""

from __future__ import annotations

from typing import Any

from rest_framework import mixins, serializers
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.viewsets import GenericViewSet

from training.actions.review_views import NO_SHEET, delete_view, save_view
from training.models import ReviewView, TrainingSheet
from training.review.serializers import OrderSerializer
from workbench.api.permissions import may


class ReviewViewSerializer(serializers.ModelSerializer[ReviewView]):
    query = serializers.DictField(help_text='Filters and order, as the queue takes them: {"status": ["flagged"], …}')

    class Meta:
        model = ReviewView
        fields = ["id", "name", "owner", "training_sheet_id", "shared", "query", "created_at"]
        read_only_fields = ["owner", "created_at"]
        # The action says which name is taken; the owner is not in what is sent.
        validators: list[Any] = []

    def validate_training_sheet_id(self, key: str) -> str:
        """Refuse a training sheet that the user does not see as one that does not exist."""
        seen = TrainingSheet.objects.visible_to(self.context["request"].user)
        if key and not seen.filter(pk=key).exists():
            raise serializers.ValidationError(NO_SHEET.format(key))
        return key

    def create(self, validated_data: dict[str, Any]) -> ReviewView:
        wanted = OrderSerializer(data=validated_data.pop("query"))
        wanted.is_valid(raise_exception=True)
        actor = self.context["request"].user.get_username()
        return save_view(choice=wanted.given_choice(), actor=actor, **validated_data)


class ReviewViewViewSet(
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    mixins.ListModelMixin,
    GenericViewSet[ReviewView],
):
    """Named filters and orders of pairs: your own, and those that are shared."""

    queryset = ReviewView.objects.all()
    serializer_class = ReviewViewSerializer
    filterset_fields = ["training_sheet_id", "owner", "shared"]

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method not in SAFE_METHODS
        return [IsAuthenticated(), *([may("training.change_qapair")()] if writes else [])]

    def get_queryset(self) -> Any:
        return ReviewView.objects.seen_by(self.request.user.get_username())

    def perform_destroy(self, instance: ReviewView) -> None:
        delete_view(instance, actor=self.request.user.get_username())
