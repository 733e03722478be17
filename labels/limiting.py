"""Changing what labels may be used for, many at once: a few statements whatever their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from django.utils import timezone

from governance import audit
from governance.changing import BY_TAG, LIMITS, Outcome, UsesChange, refuse_loosening, survey
from labels.history import audit_all, keep_all, repair_all, uses_changed
from labels.lately import tell_change
from labels.models import CanonicalLabel
from workbench.lakehouse.bulk import update_next
from workbench.problems import Conflict, Forbidden, Invalid

CHANGED = (*LIMITS, BY_TAG, "uses_change_reason", "version", "last_modified_by", "last_modified_at")
TOGETHER = 500


def change_uses(
    label_ids: Sequence[str],
    uses: Mapping[str, Any],
    reason: str,
    *,
    actor: str,
    preview: bool = False,
    may_loosen: bool = False,
) -> Outcome:
    """Return what became of the labels, or with `preview` what would; each change is a version and a row of the audit.

    `uses` and `reason` are as `UsesChange.of` takes them: Invalid for a change that no label could have. What single
    labels refuse is in the outcome. Pairs made from a label keep their own limits; the gate asks both.
    """
    change, outcome = UsesChange.of(uses, reason), Outcome()
    for at in range(0, len(label_ids), TOGETHER):
        labels = list(CanonicalLabel.objects.filter(pk__among=list(label_ids[at : at + TOGETHER])))
        some = survey(((label.pk, _limits(label)) for label in labels), change, may_loosen=may_loosen)
        if not preview:
            # Also those that are as asked already: perhaps because a change was killed half way, and is asked for again.
            repair_all(labels)
        if not preview and some.changed:
            _write([label for label in labels if label.pk in set(some.changed)], change, some, actor, may_loosen)
        outcome.add(some)
    if not preview and len(label_ids) > 1:
        audit.refused_some(outcome, "labels", actor=actor)
    return outcome


def change_uses_of(
    label: CanonicalLabel, uses: Mapping[str, Any], reason: str, *, actor: str, may_loosen: bool = False
) -> CanonicalLabel:
    """Return the label with other uses. Errors as for a change of many; Conflict where nothing changes."""
    outcome = change_uses([label.pk], uses, reason, actor=actor, may_loosen=may_loosen)
    for words in outcome.refused:
        if words == OVERTAKEN:
            raise Conflict(words)
        audit.refused(problem := Forbidden(words), actor=actor, canonical_label_id=label.pk)
        raise problem
    if not outcome.changed:
        raise Conflict("Uses and classification are so already: nothing changes.")
    return CanonicalLabel.objects.get(pk=label.pk)


def besides(
    present: CanonicalLabel, after: CanonicalLabel, reason: str, *, may_change_uses: bool, may_loosen: bool
) -> dict[str, Any]:
    """Return what is kept beside other uses: the reason for the audit, and what a tag still prohibits. Nothing where they stay.

    Invalid without a reason, Forbidden where the actor may not change uses, or not so.
    """
    if not uses_changed(present, after):
        return {}
    if not reason.strip():
        words = "Say why uses, usage reason or classification change; it is kept in the audit."
        raise Invalid.of_fields("The label was not saved.", {"reason": [words]})
    if not may_change_uses:
        raise Forbidden("You may record labels, but not change what they may be used for: leave uses as they are.")
    freed = refuse_loosening(vars(present), vars(after), may_loosen=may_loosen)
    still = [use for use in present.tag_prohibited_uses if use not in freed]
    return {"uses_change_reason": reason.strip(), BY_TAG: still}


OVERTAKEN = "Another changed it at the same moment: look at it, then try again."


def _write(
    before: Sequence[CanonicalLabel], change: UsesChange, outcome: Outcome, actor: str, may_loosen: bool
) -> None:
    """Write the labels, which are whole, then the audit, then the versions, which say that the rest is there."""
    now = timezone.now()
    pairs = [(label, _after(label, change, actor, now, may_loosen)) for label in before]
    update_next([after for _, after in pairs], CHANGED)
    stamps = CanonicalLabel.objects.filter(pk__among=outcome.changed).values_list(
        "pk", "version", "last_modified_by", "last_modified_at"
    )
    stands = {key: tuple(stamp) for key, *stamp in stamps}
    written = [(old, new) for old, new in pairs if stands.get(new.pk) == (new.version, actor, now)]
    audit_all(written)
    keep_all([new for _, new in written], change_note=f"Uses: {change.reason}")
    for sheet_id in {new.sheet_id for _, new in written}:
        tell_change(sheet_id)
    for key in {old.pk for old, _ in pairs} - {old.pk for old, _ in written}:
        outcome.changed.remove(key)
        outcome.refuse(key, OVERTAKEN)


def _after(label: CanonicalLabel, change: UsesChange, actor: str, now: Any, may_loosen: bool) -> CanonicalLabel:
    after = copy(label)
    values = change.applied(_limits(label), may_loosen=may_loosen) or {}
    stamp = {"last_modified_by": actor, "last_modified_at": now, "uses_change_reason": change.reason}
    for name, value in {**values, **stamp, "version": label.version + 1}.items():
        setattr(after, name, value)
    return after


def _limits(label: CanonicalLabel) -> dict[str, Any]:
    return {name: getattr(label, name) for name in (*LIMITS, BY_TAG)}
