"""How canonical labels and their versions look in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from governance.serializers import UsesField
from governance.uses import USES
from labels.exporting import FORMATS
from labels.models import CanonicalLabel, CanonicalLabelVersion
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from workbench.concepts import Classification, Confidence


class CanonicalLabelSerializer(serializers.ModelSerializer[CanonicalLabel]):
    sheet_id = serializers.CharField()
    template_id = serializers.CharField(allow_null=True)
    allowed_uses = UsesField()
    prohibited_uses = UsesField()
    tag_prohibited_uses = UsesField(help_text="What only who may loosen tag rules may allow.")

    class Meta:
        model = CanonicalLabel
        exclude = ["sheet", "template", "uses_change_reason"]
        validators: list[Any] = []


class RecordLabelSerializer(serializers.Serializer[Any]):
    """A label to record; uses, classification and template that are left out stay as they are."""

    sheet_id = serializers.PrimaryKeyRelatedField(queryset=Sheet.objects.all())
    item_ref = serializers.CharField(max_length=1024, trim_whitespace=False)
    label_type = serializers.CharField(max_length=64)
    label_data = serializers.JSONField()
    confidence = serializers.ChoiceField(Confidence.choices, default=Confidence.HIGH)
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


class CanonicalLabelVersionSerializer(serializers.ModelSerializer[CanonicalLabelVersion]):
    canonical_label_id = serializers.CharField()
    allowed_uses = UsesField()
    prohibited_uses = UsesField()

    class Meta:
        model = CanonicalLabelVersion
        exclude = ["canonical_label"]


class LabelExportSerializer(serializers.Serializer[Any]):
    sheet = serializers.PrimaryKeyRelatedField(queryset=Sheet.objects.all(), help_text="Id of the sheet.")
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
