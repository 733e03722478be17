"""Change what a conversation may be used for, and delete one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from governance import audit
from governance.changing import LIMITS, UsesChange, given_back
from governance.models import UsageConstraintAudit
from governance.uses import Limit, decide
from training.files.sweeping import note
from training.models import Conversation, TrainingFileConversation
from workbench.near import listed
from workbench.problems import Conflict, Forbidden, NotFound

SIDES = ("allowed_uses", "prohibited_uses", "data_classification")
MEANWHILE = "Another changed it at the same moment: look at it, then try again."


def change_uses_of(
    conversation_id: str, uses: Mapping[str, Any], reason: str, *, actor: str, may_loosen: bool = False
) -> Conversation:
    """Return the conversation with other uses; the change, or that it was refused, is a row of the audit.

    `uses` and `reason` are as `UsesChange.of` takes them. Forbidden where it gives a use back, or lowers the classification,
    and the actor may not loosen; Conflict for one that was made from a pair, and where nothing changes.
    """
    change, row = UsesChange.of(uses, reason), _found(conversation_id)
    if row.qa_pair_id:
        raise Conflict(f"It was made from the pair {row.qa_pair_id}: change the uses of the pair, which the gate asks.")
    present = {name: getattr(row, name) for name in LIMITS}
    after = change.applied(present, may_loosen=True)
    if after is None:
        raise Conflict("Uses and classification are so already: nothing changes.")
    values = {name: after[name] for name in LIMITS}
    # Whether a tag of its volume prohibited it, or who imported it, is not kept: the stricter rule holds.
    if not may_loosen and (loosened := given_back(decide([_limit(present)]), decide([_limit(values)]))):
        words = f"The change {loosened} ({row.usage_reason or row.data_classification}): a platform lead may do that."
        audit.refused(problem := Forbidden(words), actor=actor, subject=_subject(row.pk))
        raise problem
    audit.append([limits_changed(row, values, change.reason, actor)])
    same = Conversation.objects.filter(pk=row.pk, updated_at=row.updated_at)
    if not same.update(**values, updated_at=timezone.now()):
        raise Conflict(MEANWHILE)
    return _found(conversation_id)


def delete_conversation(conversation_id: str, *, actor: str) -> None:
    """Delete a conversation that is in no training file; its contents are swept an hour later.

    Conflict, with the names of the files, where it is in one.
    """
    row = _found(conversation_id)
    _expect_in_no_file(row)
    audit.append([limits_changed(row, {}, "Deleted", actor)])
    if row.enriched_file_path:
        note({row.enriched_file_path: row.pk})
    if not Conversation.objects.filter(pk=row.pk, updated_at=row.updated_at)._raw_delete("lakehouse"):
        raise Conflict(MEANWHILE)
    try:
        # Another may have built a file with it meanwhile; one that has not got so far finds that it is gone.
        _expect_in_no_file(row)
    except Conflict:
        row.save(force_insert=True)
        raise


def limits_changed(row: Conversation, after: Mapping[str, Any], reason: str, actor: str) -> UsageConstraintAudit:
    """Return the row of the audit that tells what became of the limits of a conversation; nothing where it is deleted."""
    old = {f"old_{name}": getattr(row, name) for name in SIDES}
    new = {f"new_{name}": after[name] for name in SIDES if name in after}
    # By its pair it is hidden, as its sheet is, from who may not see that.
    origin = {"qa_pair_id": row.qa_pair_id} if row.qa_pair_id else {}
    return audit.entry("uses", _subject(row.pk), reason=reason, actor=actor, **origin, **old, **new)


def _found(conversation_id: str) -> Conversation:
    found = Conversation.objects.filter(pk=conversation_id).first()
    if found is None:
        raise NotFound(f"There is no conversation {conversation_id}.")
    return found


def _expect_in_no_file(row: Conversation) -> None:
    inside = TrainingFileConversation.objects.filter(conversation_id=row.pk).order_by("training_file_id")
    names = inside.values_list("training_file_id", "training_file__name").distinct()
    if files := [name or f"{key}, which is being built" for key, name in names]:
        raise Conflict(f"The conversation {row.pk} is in training files: {listed(files)}. Take it out of them first.")


def _subject(conversation_id: str) -> str:
    return f"conversation {conversation_id}"


def _limit(values: Mapping[str, Any]) -> Limit:
    allowed, prohibited = frozenset(values["allowed_uses"]), frozenset(values["prohibited_uses"])
    return Limit("conversation", "", allowed, prohibited, values["data_classification"])
