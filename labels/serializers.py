"""How canonical labels and their versions look in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from governance.serializers import UsesField
from governance.uses import USES
from labels.exporting import FORMATS
from labels.importing import OUTCOMES, Imported
from labels.labeling.walking import ORDERS
from labels.models import CanonicalLabel, CanonicalLabelVersion
from labels.opinions.hiding import HIDDEN
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from workbench.api.serializers import OptionsSerializer, SheetKeyField
from workbench.concepts import Classification, Confidence


class CanonicalLabelSerializer(serializers.ModelSerializer[CanonicalLabel]):
    sheet_id = serializers.CharField()
    template_id = serializers.CharField(allow_null=True)
    allowed_uses = UsesField()
    prohibited_uses = UsesField()
    tag_prohibited_uses = UsesField(help_text="What only who may loosen tag rules may allow.")
    opinions_by = serializers.ListField(child=serializers.CharField(), read_only=True)
    is_blind = serializers.SerializerMethodField(
        help_text="Whether the answer and its author are left out, because you may yet give the second opinion."
    )

    class Meta:
        model = CanonicalLabel
        exclude = ["sheet", "template", "uses_change_reason"]
        validators: list[Any] = []

    def get_is_blind(self, label: CanonicalLabel) -> bool:
        """Return whether who asks may yet give the second opinion."""
        return label.pk in self.context.get("blind", ())

    def to_representation(self, label: CanonicalLabel) -> dict[str, Any]:
        shown = super().to_representation(label)
        return {**shown, **HIDDEN} if shown["is_blind"] else shown


class RecordLabelSerializer(serializers.Serializer[Any]):
    """A label to record; uses, classification and template that are left out stay as they are."""

    sheet_id: Any = SheetKeyField(queryset=Sheet.objects.all(), to_work=True)
    item_ref = serializers.CharField(max_length=1024, trim_whitespace=False)
    label_type = serializers.CharField(max_length=64)
    label_data = serializers.JSONField()
    confidence = serializers.ChoiceField(Confidence.choices, default=Confidence.HIGH, help_text="Left out: high.")
    notes = serializers.CharField(required=False, allow_blank=True, default="")
    allowed_uses = UsesField(required=False)
    prohibited_uses = UsesField(required=False)
    usage_reason = serializers.CharField(required=False, allow_blank=True, default="")
    data_classification = serializers.ChoiceField(Classification.choices, required=False)
    template_id = serializers.PrimaryKeyRelatedField(
        queryset=PromptTemplate.objects.all(), required=False, allow_null=True, default=None
    )
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Why uses or classification change; kept in the audit."
    )
    change_note = serializers.CharField(required=False, allow_blank=True, default="")
    version = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=0,
        help_text="The version that you looked at, 0 for no label: a newer one is a 409 with both.",
    )


class CanonicalLabelVersionSerializer(serializers.ModelSerializer[CanonicalLabelVersion]):
    canonical_label_id = serializers.CharField()
    allowed_uses = UsesField()
    prohibited_uses = UsesField()

    class Meta:
        model = CanonicalLabelVersion
        exclude = ["canonical_label"]


class LabelExportSerializer(OptionsSerializer):
    sheet: Any = SheetKeyField(queryset=Sheet.objects.all(), to_work=True, help_text="Id of the sheet.")
    label_type = serializers.CharField(
        required=False, default="", help_text="Default: all types; coco and yolo need one."
    )
    use = serializers.ChoiceField(
        USES,
        required=False,
        default="",
        help_text="Only what may be used for it. Default: all, for who may change labels.",
    )
    format = serializers.ChoiceField(tuple(FORMATS), default="jsonl", help_text="coco and yolo: boxes and polygons.")


class RestoreSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(min_value=1, help_text="The version to go back to.")
    seen_version = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, help_text="The version that you looked at."
    )
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Why uses or classification change; kept in the audit."
    )


class AheadSerializer(serializers.Serializer[Any]):
    sheet: Any = SheetKeyField(queryset=Sheet.objects.all(), help_text="Id of the sheet.")
    label_type = serializers.CharField(max_length=64)
    order = serializers.ChoiceField(
        ORDERS, default="gaps", help_text="`stale` changed since they were labeled, `second` wait for your opinion."
    )
    text = serializers.CharField(required=False, default="", help_text="Looked for in item_ref and row.")
    after = serializers.CharField(
        required=False, allow_null=True, default=None, trim_whitespace=False, help_text="Start behind this item."
    )
    limit = serializers.IntegerField(default=30, min_value=1, max_value=200)


class StopSerializer(serializers.Serializer[Any]):
    item_ref = serializers.CharField()
    version = serializers.IntegerField(help_text="Of its label, 0 for none.")
    is_stale = serializers.BooleanField()


class WalkSerializer(serializers.Serializer[Any]):
    stops = StopSerializer(many=True)
    after = serializers.CharField(allow_null=True, help_text="Where to go on; null at the end of the sheet.")


class TaskItemSerializer(serializers.Serializer[Any]):
    """An item of a sheet and a type of task; checked no further, because a hold is only a courtesy."""

    sheet_id: Any = SheetKeyField(queryset=Sheet.objects.all(), to_work=True)
    label_type = serializers.CharField(max_length=64)
    item_ref = serializers.CharField(max_length=1024, trim_whitespace=False)

    @property
    def task(self) -> tuple[Sheet, str, str]:
        given = self.validated_data
        return given["sheet_id"], given["label_type"], given["item_ref"]


class HeldSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(help_text="Of the item's label, 0 for none.")


class ImportSerializer(OptionsSerializer):
    sheet: Any = SheetKeyField(queryset=Sheet.objects.all(), to_work=True, help_text="Id of the sheet.")
    preview = serializers.BooleanField(default=False, help_text="Say what would be done, and write nothing.")
    reason = serializers.CharField(
        required=False, default="", help_text="Why uses change, where they do; kept in the audit."
    )
    plan = serializers.CharField(required=False, default="", help_text="Of a preview: import only exactly that.")


class RefusedLineSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(help_text="Its number, from 1.")
    reason = serializers.CharField()


class ImportedLabelsSerializer(serializers.Serializer[Any]):
    """Lines by what became of them; of the refused ones the first 200."""

    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    refused_lines = RefusedLineSerializer(many=True)
    plan = serializers.CharField()

    def to_representation(self, instance: Imported) -> dict[str, Any]:
        return {
            **{outcome: instance.counts[outcome] for outcome in OUTCOMES},
            "refused_lines": [{"line": number, "reason": words} for number, words in instance.refused],
            "plan": instance.digest,
        }
