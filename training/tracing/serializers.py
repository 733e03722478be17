"""What the API of recall, timelines and what-if takes and gives."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from governance.models import Withdrawal
from sheets.models import Sheet
from training.models import QAPair
from workbench.api.serializers import ConceptSerializer
from workbench.sheet_rights import visible_to

NO_ROW = "There is no such row, or you may not see it."


class ItemSerializer(serializers.Serializer[Any]):
    """An item, by its sheet and name."""

    sheet = serializers.CharField(max_length=36, help_text="The id of the sheet.")
    item_ref = serializers.CharField(max_length=1024, trim_whitespace=False)

    def sheet_asked(self) -> Sheet:
        """Return the sheet; the error names the field where the reader sees none."""
        return row_seen(Sheet, self.validated_data["sheet"], "sheet", self.context["request"].user)


class WithdrawSerializer(ItemSerializer):
    reason = serializers.CharField(default="", allow_blank=True, help_text="Needed; it is kept in the audit.")


class WithdrawalSerializer(ConceptSerializer[Withdrawal]):
    class Meta:
        model = Withdrawal
        fields = "__all__"


class TimelineAskedSerializer(serializers.Serializer[Any]):
    """A pair, or an item of a sheet."""

    pair = serializers.CharField(max_length=36, required=False)
    sheet = serializers.CharField(max_length=36, required=False)
    item_ref = serializers.CharField(max_length=1024, required=False, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("pair" in attrs) == ("sheet" in attrs) or ("sheet" in attrs) != ("item_ref" in attrs):
            raise serializers.ValidationError({"pair": ["Name a pair, or a sheet and an item_ref."]})
        return attrs

    def pair_asked(self) -> QAPair:
        """Return the pair with its training sheet, sheet and template."""
        rows = QAPair.objects.select_related("training_sheet__sheet", "training_sheet__template")
        return row_seen(rows, self.validated_data["pair"], "pair", self.context["request"].user)

    def sheet_asked(self) -> Sheet:
        return row_seen(Sheet, self.validated_data["sheet"], "sheet", self.context["request"].user)


class ChangeSerializer(serializers.Serializer[Any]):
    field_path = serializers.CharField()
    old_value = serializers.JSONField()
    new_value = serializers.JSONField()


class HappenedSerializer(serializers.Serializer[Any]):
    """One thing that happened to a pair or an item."""

    at = serializers.DateTimeField(allow_null=True)
    kind = serializers.CharField(help_text="generated, review, label, uses, export, file, trained, refusal")
    words = serializers.CharField()
    actor = serializers.CharField()
    about = serializers.CharField(help_text="pair, label, export, training file, model, sheet")
    key = serializers.CharField(help_text="The id of what it is about.")
    reason = serializers.CharField()
    changes = ChangeSerializer(many=True)


class PairReachedSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    training_sheet_id = serializers.CharField()
    training_sheet = serializers.CharField()
    status = serializers.CharField()
    version = serializers.IntegerField()
    labeling_mode = serializers.CharField()
    model = serializers.CharField()
    canonical_label_id = serializers.CharField(allow_null=True)
    canonical_label_version = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()


class LabelVersionSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    modified_by = serializers.CharField()
    modified_at = serializers.DateTimeField()
    change_note = serializers.CharField()


class LabelReachedSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    label_type = serializers.CharField()
    version = serializers.IntegerField()
    labeled_by = serializers.CharField()
    labeled_at = serializers.DateTimeField()
    versions = LabelVersionSerializer(many=True)


class InExportSerializer(serializers.Serializer[Any]):
    export_id = serializers.CharField()
    pair_id = serializers.CharField()
    pair_version = serializers.IntegerField(allow_null=True)
    label_id = serializers.CharField(allow_null=True)
    label_version = serializers.IntegerField(allow_null=True)
    line_sha256 = serializers.CharField()
    use = serializers.CharField()
    format = serializers.CharField()
    created_at = serializers.DateTimeField(allow_null=True)
    created_by = serializers.CharField()
    sha256 = serializers.CharField()
    manifest_sha256 = serializers.CharField()
    note = serializers.CharField(help_text="What is not sure about it.")


class InFileSerializer(serializers.Serializer[Any]):
    training_file_id = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    conversation_id = serializers.CharField()
    pair_id = serializers.CharField()
    added_by = serializers.CharField()
    added_at = serializers.DateTimeField()


class InModelSerializer(serializers.Serializer[Any]):
    model_id = serializers.CharField()
    model_name = serializers.CharField()
    model_version = serializers.CharField()
    training_sheet_id = serializers.CharField()
    trained_at = serializers.DateTimeField()
    pair_ids = serializers.ListField(child=serializers.CharField())
    mlflow_run_id = serializers.CharField()
    trained_by = serializers.CharField()


class ElsewhereSerializer(serializers.Serializer[Any]):
    sheet_id = serializers.CharField()
    sheet = serializers.CharField()


class RecallSerializer(serializers.Serializer[Any]):
    """Everything that an item reached."""

    sheet_id = serializers.CharField()
    sheet = serializers.CharField()
    primary_table = serializers.CharField()
    item_ref = serializers.CharField()
    is_in_source = serializers.BooleanField(allow_null=True, help_text="null: the source cannot be read now.")
    is_withdrawn = serializers.BooleanField()
    withdrawal = WithdrawalSerializer(allow_null=True)
    pairs = PairReachedSerializer(many=True)
    labels = LabelReachedSerializer(many=True)
    exports = InExportSerializer(many=True)
    training_files = InFileSerializer(many=True)
    models = InModelSerializer(many=True)
    elsewhere = ElsewhereSerializer(many=True, help_text="Other sheets over the same table that know the item.")


def row_seen(rows: Any, key: str, name: str, user: Any) -> Any:
    """Return the row of a model or query set that the user sees; the error names the field where there is none."""
    found = visible_to(user, rows._default_manager.all() if isinstance(rows, type) else rows).filter(pk=key).first()
    if found is None:
        raise serializers.ValidationError({name: [f"{NO_ROW} Found {key!r}."]})
    return found
