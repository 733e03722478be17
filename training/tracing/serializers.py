"""What the API of recall, timelines and what-if takes and gives."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers

from governance.models import Withdrawal
from governance.serializers import MOST, UsesField
from sheets.models import Sheet
from sheets.tagged import LEVELS
from sheets.tagging import LONGEST_KEY, LONGEST_VALUE
from training.models import QAPair
from workbench.api.serializers import BoundedListField, ConceptSerializer
from workbench.sheet_rights import visible_to

M = TypeVar("M", bound=Model)

# What a what-if of a kind needs to be told.
NEEDED: dict[str, tuple[str, ...]] = {
    "tag_rule": ("tag",), "tag": ("place", "key"), "sheets": ("sheet",), "pairs": ("ids",), "labels": ("ids",),
    "item": ("sheet", "item_ref"),
}  # fmt: skip
KINDS = list(NEEDED)
NO_ROW = "There is no such row, or you may not see it."


class ItemSerializer(serializers.Serializer[Any]):
    """An item, by its sheet and name."""

    sheet = serializers.CharField(max_length=36, help_text="The id of the sheet.")
    item_ref = serializers.CharField(max_length=1024, trim_whitespace=False)

    def sheet_asked(self) -> Sheet:
        """Return the sheet; the error names the field where the reader sees none."""
        return row_seen(Sheet.objects.all(), self.validated_data["sheet"], "sheet", self.context["request"].user)


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
        return row_seen(Sheet.objects.all(), self.validated_data["sheet"], "sheet", self.context["request"].user)


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
    about = serializers.CharField(help_text="pair, label, export, training file, model, sheet, item")
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


class DraftReachedSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    training_sheet_id = serializers.CharField()
    training_sheet = serializers.CharField()
    item_ref = serializers.CharField()
    status = serializers.CharField()
    version = serializers.IntegerField()
    model = serializers.CharField()
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


class LabelsLeftSerializer(serializers.Serializer[Any]):
    audit_id = serializers.CharField()
    sequence = serializers.IntegerField(allow_null=True)
    words = serializers.CharField()
    left_at = serializers.DateTimeField()
    left_by = serializers.CharField()
    note = serializers.CharField(help_text="What is not sure about it.")


class InFileSerializer(serializers.Serializer[Any]):
    training_file_id = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    conversation_id = serializers.CharField()
    pair_id = serializers.CharField()
    added_by = serializers.CharField()
    added_at = serializers.DateTimeField()
    json_sha256 = serializers.CharField()
    jsonl_sha256 = serializers.CharField()
    replaced_at = serializers.DateTimeField(allow_null=True, help_text="null: the file is so now.")


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
    drafts = DraftReachedSerializer(many=True, help_text="Of other items, copied from a label of this one.")
    exports = InExportSerializer(many=True)
    label_exports = LabelsLeftSerializer(many=True, help_text="Exports of labels that may have one of the item.")
    training_files = InFileSerializer(many=True)
    earlier_training_files = InFileSerializer(many=True, help_text="As files were before they were changed or deleted.")
    models = InModelSerializer(many=True)
    elsewhere = ElsewhereSerializer(many=True, help_text="Other sheets over the same table that know the item.")


def row_seen(rows: QuerySet[M], key: str, name: str, user: Any) -> M:
    """Return the row that the user sees; the error names the field where there is none."""
    found = visible_to(user, rows).filter(pk=key).first()
    if found is None:
        raise serializers.ValidationError({name: [f"{NO_ROW} Found {key!r}."]})
    return found


class WhatIfSerializer(serializers.Serializer[Any]):
    """A change of rules that is not made: its kind, and what that kind is about."""

    kind = serializers.ChoiceField(
        choices=KINDS,
        help_text="tag_rule: what a tag means · tag: a tag on a place · the uses of others · item: withdrawn",
    )
    tag = serializers.CharField(required=False, max_length=255, help_text="tag_rule: PHI")
    place = serializers.CharField(required=False, help_text="tag: the name of a catalog, schema, table, column, volume")
    level = serializers.CharField(
        required=False, help_text="tag: of the place, where a table and a volume have one name"
    )
    key = serializers.CharField(required=False, max_length=255, help_text="tag: its key")
    value = serializers.CharField(required=False, allow_blank=True, help_text="tag: its value, if any")
    remove = serializers.BooleanField(default=False, help_text="tag_rule, tag: it is taken away")
    sheet = serializers.CharField(required=False, max_length=36, help_text="sheets, item: the id of the sheet")
    item_ref = serializers.CharField(required=False, max_length=1024, trim_whitespace=False)
    ids = BoundedListField(child=serializers.CharField(max_length=36), required=False, max_length=MOST)
    allowed_uses = UsesField(required=False, help_text="As in a change of uses.")
    prohibited_uses = UsesField(required=False)
    allow = UsesField(required=False)
    prohibit = UsesField(required=False)
    data_classification = serializers.CharField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        missing = {name: ["Needed for this kind."] for name in NEEDED[attrs["kind"]] if not attrs.get(name)}
        if missing:
            raise serializers.ValidationError(missing)
        return attrs


class TagSerializer(serializers.Serializer[Any]):
    """A tag to put on a place of the catalog, or to take away from there."""

    level = serializers.CharField(help_text=", ".join(LEVELS))
    place = serializers.CharField(help_text="Its name: mirion_vital.raw.parsed_invoices")
    key = serializers.CharField(max_length=LONGEST_KEY)
    value = serializers.CharField(default="", allow_blank=True, max_length=LONGEST_VALUE)
    remove = serializers.BooleanField(default=False, help_text="Take it away.")
    reason = serializers.CharField(default="", allow_blank=True, help_text="Needed; kept in the audit.")


class OfTrainingSheetSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    leave = serializers.IntegerField()
    come_back = serializers.IntegerField()
    first = serializers.ListField(child=serializers.CharField(), help_text="The items of the first few that leave.")


class OfExportSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    training_sheet_id = serializers.CharField()
    format = serializers.CharField()
    created_at = serializers.DateTimeField()
    pairs = serializers.IntegerField(help_text="Of its pairs, those that could not leave any more.")


class OfModelSerializer(serializers.Serializer[Any]):
    model_id = serializers.CharField()
    model_name = serializers.CharField()
    model_version = serializers.CharField()
    pairs = serializers.IntegerField(help_text="Of the pairs that leave, those that it was trained on.")


class ForeseenSerializer(serializers.Serializer[Any]):
    """What happens to one use: approved pairs that could not be exported for it any more, or could again."""

    use = serializers.CharField()
    leave = serializers.IntegerField()
    come_back = serializers.IntegerField()
    training_sheets = OfTrainingSheetSerializer(many=True)
    exports = OfExportSerializer(many=True)
    models = OfModelSerializer(many=True)


class ExclusionsAskedSerializer(serializers.Serializer[Any]):
    days = serializers.IntegerField(default=30, min_value=1, max_value=3650)
    training_sheet = serializers.CharField(default="", allow_blank=True, max_length=36)
    use = serializers.CharField(default="", allow_blank=True, max_length=10)


class ExclusionsOfDaySerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    exports = serializers.IntegerField()
    exported = serializers.IntegerField()
    counts = serializers.ListField(child=serializers.IntegerField(), help_text="For each of the reasons, in order.")


class ExclusionsSerializer(serializers.Serializer[Any]):
    """Why pairs stayed out of exports, by day."""

    reasons = serializers.ListField(child=serializers.CharField())
    totals = serializers.ListField(child=serializers.IntegerField())
    days = ExclusionsOfDaySerializer(many=True)
