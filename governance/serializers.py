from __future__ import annotations

from typing import Any

from rest_framework import serializers

from governance.changing import Outcome, UsesChange
from governance.models import TagPolicy, UsageConstraintAudit
from governance.uses import CLASSIFICATIONS, USES
from workbench.api.serializers import BoundedListField, ConceptSerializer

MOST = 5_000
FIRST = 5


class UsageConstraintAuditSerializer(ConceptSerializer[UsageConstraintAudit]):
    class Meta:
        model = UsageConstraintAudit
        fields = "__all__"


class FaultSerializer(serializers.Serializer[Any]):
    sequence = serializers.IntegerField(allow_null=True)
    id = serializers.CharField()
    words = serializers.CharField()


class VerificationSerializer(serializers.Serializer[Any]):
    """Whether the audit is whole: each row unchanged, none missing, none slipped in."""

    is_whole = serializers.BooleanField()
    rows = serializers.IntegerField()
    fault_count = serializers.IntegerField()
    faults = FaultSerializer(many=True, help_text="The first few.")


class UsesField(BoundedListField):
    """A list of uses; the action names those that do not exist."""

    child = serializers.CharField(help_text=", ".join(USES))


class TagPolicySerializer(ConceptSerializer[TagPolicy]):
    """A tag rule; the action says what is wrong with it."""

    tag = serializers.CharField(max_length=255)
    prohibited_uses = UsesField(required=False)
    data_classification = serializers.CharField(required=False, allow_blank=True, help_text=", ".join(CLASSIFICATIONS))
    reason = serializers.CharField(
        write_only=True, default="", allow_blank=True, help_text="Needed; kept in the audit."
    )

    class Meta:
        model = TagPolicy
        fields = "__all__"
        read_only_fields = ["id", "created_by", "created_at", "updated_by", "updated_at"]


class ChangeUsesSerializer(serializers.Serializer[Any]):
    """What shall become of uses and classification; what is left out stays as it is."""

    allowed_uses = UsesField(required=False, help_text="All that shall be allowed.")
    prohibited_uses = UsesField(required=False, help_text="All that shall be prohibited.")
    allow = UsesField(required=False, help_text="Uses to allow; the others stay as they are.")
    prohibit = UsesField(required=False, help_text="Uses to prohibit; the others stay as they are.")
    data_classification = serializers.CharField(required=False, help_text=", ".join(CLASSIFICATIONS))
    reason = serializers.CharField(default="", allow_blank=True, help_text="Needed; it is kept in the audit.")

    NAMES = ("allowed_uses", "prohibited_uses", "allow", "prohibit", "data_classification")

    @property
    def uses(self) -> dict[str, Any]:
        """What was given of uses and classification."""
        return {name: self.validated_data[name] for name in self.NAMES if name in self.validated_data}

    def change(self) -> UsesChange:
        """Return the change; Invalid naming every input at fault."""
        return UsesChange.of(self.uses, self.validated_data["reason"])


class ChangeManyUsesSerializer(ChangeUsesSerializer):
    """The rows as their ids or as the filters of the list."""

    ids = BoundedListField(child=serializers.CharField(max_length=36), required=False, max_length=MOST)
    filter = serializers.DictField(
        child=serializers.CharField(), required=False, help_text="As in the list; all that it finds are changed."
    )
    preview = serializers.BooleanField(
        default=False, help_text="Say what would change for how many, and change nothing."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("ids")) == bool(attrs.get("filter")):
            raise serializers.ValidationError({"ids": ["Give either ids or a filter, and not an empty one."]})
        return attrs


class UsesChangedSerializer(serializers.Serializer[Any]):
    words = serializers.CharField(help_text="training prohibited")
    count = serializers.IntegerField()


class UsesRefusedSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    count = serializers.IntegerField()
    first = serializers.ListField(child=serializers.CharField(), help_text="The ids of the first few.")


class UsesOutcomeSerializer(serializers.Serializer[Any]):
    """What became, or would become, of the rows: changed, so already, or refused."""

    preview = serializers.BooleanField()
    count = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    changes = UsesChangedSerializer(many=True)
    refused = UsesRefusedSerializer(many=True)
    batch_id = serializers.CharField(allow_blank=True, help_text="To undo a change of pairs as one.")


def outcome_data(outcome: Outcome, *, preview: bool, batch_id: str = "") -> dict[str, Any]:
    """Return the answer to a change of many."""
    told = {
        "preview": preview,
        "count": outcome.count,
        "changed": len(outcome.changed),
        "unchanged": outcome.unchanged,
        "changes": [{"words": words, "count": count} for words, count in outcome.changes.most_common()],
        "refused": [
            {"message": words, "count": len(keys), "first": keys[:FIRST]} for words, keys in outcome.refused.items()
        ],
        "batch_id": "" if preview else batch_id,
    }
    return dict(UsesOutcomeSerializer(told).data)
