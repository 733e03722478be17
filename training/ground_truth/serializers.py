from __future__ import annotations

from datetime import UTC
from typing import Any

from rest_framework import serializers

from governance.uses import USES
from sheets.models import Sheet
from training.ground_truth.reading import Span
from training.ground_truth.run import Wanted
from training.models import TrainingSheet
from training.querysets import TrainingSheetQuerySet
from workbench.api.serializers import OptionsSerializer, SheetKeyField


class PairsSerializer(OptionsSerializer):
    """Which pairs: of one training sheet, of all of one sheet, or of all; last written in a half-open time."""

    sheet: Any = SheetKeyField(queryset=Sheet.objects.all(), required=False)
    training_sheet: Any = SheetKeyField(queryset=TrainingSheet.objects.select_related("sheet"), required=False)
    since = serializers.DateTimeField(
        required=False, default_timezone=UTC, help_text="Pairs last written then or later; UTC where no zone is given."
    )
    until = serializers.DateTimeField(
        required=False, default_timezone=UTC, help_text="Pairs last written before; UTC where no zone is given."
    )

    @property
    def span(self) -> Span:
        return Span(self.validated_data.get("since"), self.validated_data.get("until"))

    def among(self) -> TrainingSheetQuerySet:
        """Return the training sheets that the request's user may ask for: those that they see."""
        return TrainingSheet.objects.visible_to(self.context["request"].user)

    def training_sheets(self) -> list[TrainingSheet]:
        """Return the training sheets that are asked for; all that may be where none is named."""
        found = self.among().select_related("sheet").order_by("pk")
        if one := self.validated_data.get("training_sheet"):
            found = found.filter(pk=one.pk)
        if sheet := self.validated_data.get("sheet"):
            found = found.filter(sheet_id=sheet.pk)
        return list(found)


class GroundTruthSerializer(PairsSerializer):
    """The options of an export of ground truth: of what the user may work on, because looking is no right to export."""

    sheet: Any = SheetKeyField(queryset=Sheet.objects.all(), required=False, to_work=True)
    training_sheet: Any = SheetKeyField(
        queryset=TrainingSheet.objects.select_related("sheet"), required=False, to_work=True
    )
    use = serializers.ChoiceField(USES, default="training")
    approved_only = serializers.BooleanField(default=True, help_text="False: reviewed pairs of every status.")
    has_corrections = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text="True: where the pipeline was wrong at first; false: where it was right at once.",
    )

    def among(self) -> TrainingSheetQuerySet:
        return TrainingSheet.objects.workable_by(self.context["request"].user)

    def wanted(self) -> Wanted:
        given = self.validated_data
        return Wanted(given["approved_only"], given["has_corrections"], self.span, given["use"])


class CorrectedFieldSerializer(serializers.Serializer[Any]):
    field_path = serializers.CharField()
    count = serializers.IntegerField()


class CorrectedNameSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    count = serializers.IntegerField()


class GroundTruthStatsSerializer(serializers.Serializer[Any]):
    """A pair is a job; a correction is one field of what a pipeline answered, changed by an action that was not undone."""

    total_jobs = serializers.IntegerField()
    approved_jobs = serializers.IntegerField()
    total_corrections = serializers.IntegerField()
    jobs_with_corrections = serializers.IntegerField()
    top_corrected_fields = CorrectedFieldSerializer(many=True, help_text="Rows of a list count under its first.")
    top_corrected_names = CorrectedNameSerializer(many=True, help_text="The same by the name of the field alone.")
