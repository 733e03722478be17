"""What review takes and gives over the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from rest_framework import serializers

from governance.sensitive.detectors import CHOICES
from training.models import QAPair, ReviewAction, ReviewPair
from training.review.chosen import Choice
from training.review.filters import PROBLEMS, PairFilters
from training.review.journal import UNSAID, Decision
from training.review.orders import ORDERS
from training.review.transitions import VERBS
from workbench.api.serializers import BoundedListField
from workbench.concepts import Confidence


class DecisionSerializer(serializers.Serializer[Any]):
    """What to do with one pair; a repeat with the same `action_id` happens once."""

    action_id = serializers.CharField(max_length=64, required=False)
    version = serializers.IntegerField(min_value=1, required=False, allow_null=True, help_text="The version you saw.")
    answer = serializers.JSONField(required=False, help_text="The answer of an edit: a JSON value or a text.")
    reason = serializers.CharField(required=False, allow_blank=True, default="")
    notes = serializers.CharField(required=False, allow_blank=True, allow_null=True, default=None)
    confidence = serializers.ChoiceField(
        Confidence.choices,
        required=False,
        allow_blank=True,
        default="",
        help_text="Of the label that is approved. Left out, a label keeps its own, and a new one is high.",
    )
    undoes = serializers.CharField(
        max_length=64, required=False, allow_blank=True, default="",
        help_text="Of an undo: the action_id that must be the latest; without it the latest is undone.",
    )  # fmt: skip

    label_version = serializers.IntegerField(
        min_value=0, required=False, allow_null=True, default=None,
        help_text="Of the item's label that you saw, 0 for none: where another is known, an approval is a 409 with both.",
    )  # fmt: skip

    def decision(self, pair_id: str, action: str, **more: Any) -> Decision:
        given = self.validated_data
        return Decision(
            pair_id=pair_id,
            action=action,
            action_id=given.get("action_id") or str(uuid4()),
            version=given.get("version"),
            answer=given.get("answer", UNSAID),
            reason=given["reason"],
            notes=given["notes"],
            confidence=given["confidence"],
            undoes=given["undoes"],
            label_version=given["label_version"],
            **more,
        )


class OneOfManySerializer(DecisionSerializer):
    pair_id = serializers.CharField(max_length=36)
    action = serializers.ChoiceField(VERBS)


class BatchSerializer(serializers.Serializer[Any]):
    """Decisions about many pairs: all that can be done are, and each refusal is told."""

    actions = BoundedListField(child=OneOfManySerializer(), allow_empty=False, max_length=1000)
    batch_id = serializers.CharField(max_length=64, required=False)
    dry_run = serializers.BooleanField(default=False, help_text="Say what would happen, and change nothing.")


class UndoBatchSerializer(serializers.Serializer[Any]):
    """The batch to take back, as far as nothing came after it."""

    batch_id = serializers.CharField(max_length=64)
    dry_run = serializers.BooleanField(default=False, help_text="Say what would happen, and change nothing.")


class ReviewActionSerializer(serializers.ModelSerializer[ReviewAction]):
    applied = serializers.SerializerMethodField()
    label_stands = serializers.SerializerMethodField(
        help_text="The pair is not approved now, and the canonical label that it is linked to stands all the same."
    )

    class Meta:
        model = ReviewAction
        fields = [
            "action_id",
            "batch_id",
            "action",
            "actor",
            "reason",
            "created_at",
            "changes",
            "undone",
            "applied",
            "label_stands",
        ]

    def get_applied(self, action: ReviewAction) -> bool:
        return action.applied_at is not None

    def get_label_stands(self, action: ReviewAction) -> bool:
        return action.pair.keeps_label()


class ReviewPairSerializer(serializers.ModelSerializer[ReviewPair]):
    """A pair as review knows it, with who holds it."""

    messages = serializers.ListField(source="state.messages", child=serializers.DictField())
    misfits = serializers.ListField(source="state.misfits", child=serializers.CharField())
    labeling_mode = serializers.CharField(source="state.labeling_mode")
    model = serializers.CharField(source="state.model")
    ai_confidence = serializers.FloatField(source="state.ai_confidence", allow_null=True)
    error = serializers.CharField(source="state.error")
    reviewed_by = serializers.CharField(source="state.reviewed_by")
    reviewed_at = serializers.DateTimeField(source="state.reviewed_at", allow_null=True)
    review_notes = serializers.CharField(source="state.review_notes")
    allowed_uses = serializers.ListField(source="state.allowed_uses", child=serializers.CharField())
    prohibited_uses = serializers.ListField(source="state.prohibited_uses", child=serializers.CharField())
    tag_prohibited_uses = serializers.ListField(
        source="state.tag_prohibited_uses", child=serializers.CharField(), default=list,
        help_text="What only who may loosen tag rules may allow.",
    )  # fmt: skip
    usage_reason = serializers.CharField(source="state.usage_reason")
    data_classification = serializers.CharField(source="state.data_classification")

    class Meta:
        model = ReviewPair
        fields = [
            "id", "training_sheet_id", "item_ref", "position", "status", "version", "messages", "misfits",
            "labeling_mode", "model", "ai_confidence", "error", "reviewed_by", "reviewed_at", "review_notes",
            "allowed_uses", "prohibited_uses", "tag_prohibited_uses", "usage_reason", "data_classification", "holder", "held_until",
        ]  # fmt: skip


class ReviewedSerializer(serializers.Serializer[Any]):
    pair = ReviewPairSerializer()
    action = ReviewActionSerializer()


# One for all answers: finding out the fields takes longer than writing them.
_REVIEWED = ReviewedSerializer()


def reviewed(action: ReviewAction) -> dict[str, Any]:
    """Return the answer to a decision: the pair as it is now, and the action."""
    return _REVIEWED.to_representation({"pair": action.pair, "action": action})


class HoldSerializer(serializers.Serializer[Any]):
    take_over = serializers.BooleanField(default=False, help_text="Also from who has it, for those who may take over.")


def _words(most: int = 255, **more: Any) -> serializers.CharField:
    return serializers.CharField(max_length=most, allow_blank=True, default="", **more)


class FilterSerializer(serializers.Serializer[Any]):
    """The filters of pairs, as parameters of a URL; what is left out or empty asks for nothing."""

    status = serializers.MultipleChoiceField(
        choices=QAPair.Status.choices, required=False, help_text="As review left it."
    )
    below = serializers.FloatField(min_value=0, max_value=1, default=None, allow_null=True, help_text="Confidence.")
    above = serializers.FloatField(min_value=0, max_value=1, default=None, allow_null=True, help_text="Or as high.")
    problem = serializers.ChoiceField([*PROBLEMS], default="", allow_blank=True)
    mode = serializers.ChoiceField(QAPair.Mode.choices, default="", allow_blank=True)
    model = _words(help_text="What drafted the answer.")
    reviewer = _words()
    mine = serializers.BooleanField(default=False, help_text="Reviewed by who asks.")
    older = serializers.BooleanField(default=False, help_text="The canonical label was changed since.")
    text = _words(help_text="In the item's name, its question or its answer.")
    reason = _words(help_text="In the reason or the notes of a review.")
    since = serializers.DateTimeField(
        input_formats=["iso-8601", "%Y-%m-%d"], default=None, allow_null=True, help_text="Changed since."
    )

    finding = serializers.ChoiceField(
        CHOICES, default="", allow_blank=True, help_text="Sensitive data of this kind stands in it."
    )

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        # A form sends its empty fields too.
        asked = {name: data.getlist(name) for name in data} if hasattr(data, "getlist") else dict(data)
        many = {name: asked.pop(name) for name in ("status", "skip") if name in asked}
        if isinstance(many.get("status"), str):
            many["status"] = [many["status"]]
        plain = {name: value[-1] if isinstance(value, list) else value for name, value in asked.items() if value != []}
        return super().to_internal_value({name: value for name, value in {**many, **plain}.items() if value != ""})

    def filters(self) -> PairFilters:
        """Return the filters that were given."""
        given = {name: self.validated_data[name] for name in PairFilters.__dataclass_fields__ if name != "status"}
        status = self.validated_data.get("status", ())
        return PairFilters(status=tuple(each for each in QAPair.Status.values if each in status), **given)


class OrderSerializer(FilterSerializer):
    """What a queue shows, in which order and how much of it."""

    order = serializers.ChoiceField([*ORDERS], default="risk")
    limit = serializers.IntegerField(min_value=1, max_value=100, default=10)
    skip = BoundedListField(
        child=serializers.CharField(max_length=36), max_length=200, default=list, help_text="Pairs to leave for later."
    )
    after = _words(36, help_text="A pair: those up to it in this order are left out.")

    def given_choice(self) -> Choice:
        return Choice(self.filters(), self.validated_data["order"])

    def choice(self) -> Choice:
        """Return the choice; what waits for review where it names no status."""
        return self.given_choice().waiting()


class RefusalSerializer(serializers.Serializer[Any]):
    pair_id = serializers.CharField()
    action_id = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.DictField(help_text="Of a stale version base, theirs and mine, as for one pair.")


class BatchAnswerSerializer(serializers.Serializer[Any]):
    batch_id = serializers.CharField()
    done = serializers.IntegerField()
    refused = RefusalSerializer(many=True)


class NextSerializer(serializers.Serializer[Any]):
    """The next pair, or null and how many wait that others hold."""

    pair = ReviewPairSerializer(allow_null=True)
    held_by_others = serializers.IntegerField()
    holders = serializers.ListField(child=serializers.CharField())


class ReviewProgressSerializer(serializers.Serializer[Any]):
    """Pairs by what became of them; pre-approved ones were labeled before anybody reviewed here."""

    total = serializers.IntegerField()
    pre_approved = serializers.IntegerField()
    approved_by_me = serializers.IntegerField()
    approved_by_others = serializers.IntegerField()
    flagged = serializers.IntegerField()
    rejected = serializers.IntegerField()
    left = serializers.IntegerField()
    minutes_left = serializers.IntegerField(allow_null=True, help_text="At your own pace; null before there is one.")
