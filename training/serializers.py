from __future__ import annotations

from typing import Any, TypedDict

from rest_framework import serializers

from labels.opinions.due import GIVE
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from training.models import QAPair, ReviewEvent, TrainingSheet
from training.review.changed_since import has_source_changed, other_label_of, reviewed_as
from workbench.api.serializers import ConceptSerializer, SheetKeyField


class TrainingSheetSerializer(ConceptSerializer[TrainingSheet]):
    """A training sheet with its counters, which are computed from the pairs."""

    sheet_id = serializers.CharField(read_only=True)
    template_id = serializers.CharField(read_only=True)
    total_pairs = serializers.IntegerField(read_only=True)
    pre_approved_pairs = serializers.IntegerField(read_only=True)
    unlabeled_pairs = serializers.IntegerField(read_only=True)
    labeled_pairs = serializers.IntegerField(read_only=True)
    rejected_pairs = serializers.IntegerField(read_only=True)
    flagged_pairs = serializers.IntegerField(read_only=True)

    class Meta:
        model = TrainingSheet
        exclude = ["sheet", "template"]
        read_only_fields = ["id"]


class GenerateSerializer(serializers.Serializer[Any]):
    """What to generate; the options of `generation_config` are checked by the engine."""

    sheet_id: Any = SheetKeyField(queryset=Sheet.objects.all(), to_work=True)
    template_id = serializers.PrimaryKeyRelatedField(queryset=PromptTemplate.objects.all())
    name = serializers.CharField(max_length=255, required=False, allow_blank=True, default="")
    labeling_mode = serializers.ChoiceField(TrainingSheet.Mode.choices, default=TrainingSheet.Mode.AI_GENERATED)
    generation_config = serializers.DictField(required=False, default=dict)


class StatisticsSerializer(serializers.Serializer[Any]):
    items = serializers.IntegerField()
    canonical = serializers.IntegerField()
    incompatible_labels = serializers.IntegerField()
    generated = serializers.IntegerField()
    manual = serializers.IntegerField()
    existing_column = serializers.IntegerField()
    failed = serializers.IntegerField()


class StartedSerializer(TrainingSheetSerializer):
    job_id = serializers.CharField(help_text="Follow it at /api/v1/jobs/{id}; resume it, or retry what failed.")


class GeneratedSerializer(StartedSerializer):
    statistics = StatisticsSerializer()


class QAPairSerializer(ConceptSerializer[QAPair]):
    training_sheet_id = serializers.CharField()
    canonical_label_id = serializers.CharField(allow_null=True)
    is_from_older_label = serializers.BooleanField(
        read_only=True, help_text="Its canonical label was changed since the pair was made from it."
    )

    class Meta:
        model = QAPair
        exclude = ["training_sheet", "canonical_label"]


class LabeledMeanwhile(TypedDict):
    label_id: str
    version: int
    labeled_by: str
    label_data: Any


class OneQAPairSerializer(QAPairSerializer):
    """One pair, with who has it on the screen and what takes reading its item."""

    holder = serializers.CharField(read_only=True, default="", help_text="Who has it on the screen, if anybody.")
    held_until = serializers.DateTimeField(
        read_only=True, default=None, allow_null=True, help_text="Until when, unless it is renewed."
    )
    has_source_changed = serializers.SerializerMethodField(
        help_text="Its item says something else than when the pair was made; null where it cannot be read."
    )

    labeled_meanwhile = serializers.SerializerMethodField(
        help_text="The item's label, where the pair was not made from it and you may see it: its version goes with an approval."
    )

    def get_labeled_meanwhile(self, pair: QAPair) -> LabeledMeanwhile | None:
        user = self.context["request"].user
        other = other_label_of(reviewed_as(pair))
        gives = user.has_perm(GIVE)
        if other is None or not other.label.may_be_seen(user.get_username(), gives_opinions=gives):
            return None
        label = other.label
        return {"label_id": label.key, "version": label.version, "labeled_by": label.by, "label_data": label.answer}

    def get_has_source_changed(self, pair: QAPair) -> bool | None:
        return has_source_changed(pair)


class ReviewEventSerializer(ConceptSerializer[ReviewEvent]):
    qa_pair_id = serializers.CharField()
    training_sheet_id = serializers.CharField()

    class Meta:
        model = ReviewEvent
        exclude = ["qa_pair", "training_sheet"]
