from __future__ import annotations

from typing import Any

from rest_framework import serializers

from governance.uses import USES
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from training.models import Export, QAPair, ReviewEvent, TrainingSheet
from workbench.api.serializers import ConceptSerializer


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

    sheet_id = serializers.PrimaryKeyRelatedField(queryset=Sheet.objects.all())
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


class GeneratedSerializer(TrainingSheetSerializer):
    statistics = StatisticsSerializer()


class StartedSerializer(TrainingSheetSerializer):
    job_id = serializers.CharField(help_text="Follow it at /api/v1/jobs/{id}.")


class OptionsSerializer(serializers.Serializer[Any]):
    """The options of an export; an unknown one is refused, because what it asks to leave out would be exported."""

    def to_internal_value(self, data: Any) -> Any:
        if unknown := sorted(set(data) - set(self.fields)):
            words = f"There is no option {unknown[0]!r}: use {', '.join(self.fields)}."
            raise serializers.ValidationError({unknown[0]: [words]})
        return super().to_internal_value(data)


class UseSerializer(OptionsSerializer):
    use = serializers.ChoiceField(USES, default="training")


class ExclusionSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    count = serializers.IntegerField()
    words = serializers.CharField()


class ExportSummarySerializer(serializers.Serializer[Any]):
    """Every pair is exported or in exactly one exclusion."""

    training_sheet_id = serializers.CharField()
    use = serializers.CharField()
    total = serializers.IntegerField()
    exported = serializers.IntegerField()
    excluded = serializers.IntegerField()
    exclusions = ExclusionSerializer(many=True)


class QAPairSerializer(ConceptSerializer[QAPair]):
    training_sheet_id = serializers.CharField()
    canonical_label_id = serializers.CharField(allow_null=True)

    class Meta:
        model = QAPair
        exclude = ["training_sheet", "canonical_label"]


class ReviewEventSerializer(ConceptSerializer[ReviewEvent]):
    qa_pair_id = serializers.CharField()
    training_sheet_id = serializers.CharField()

    class Meta:
        model = ReviewEvent
        exclude = ["qa_pair", "training_sheet"]


class ExportSerializer(ConceptSerializer[Export]):
    training_sheet_id = serializers.CharField()

    class Meta:
        model = Export
        exclude = ["training_sheet"]
