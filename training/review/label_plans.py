"""What applying an action does to the canonical label of its item. No database inside.

A plan is fixed in the journal before anything is written, with the version that the label then has. Applying it again
after a crash therefore writes the same version, which is there already or not. A plan is
`{"write", "id", "version", "link", "was"}` with `content` and `before` where something is written: `write` is new, next,
same, gone or none, `link` what the pair then points at and `was` what it pointed at, each as `[label, version]`. `before`
also says on whose opinions the answer rested, for an undo to bring that back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from django.utils.dateparse import parse_datetime

from labels.models import CanonicalLabel
from labels.resting import NOTHING
from templates_app.changes import as_stored
from templates_app.schemas import checker
from training.answerers import as_answer
from training.chat import assistant_answer
from training.models import QAPair, ReviewAction
from training.review.frames import Frame
from training.review.states import LIMITED, LINK
from workbench.canonical import canonical_bytes
from workbench.lakehouse.ids import uuid7

WRITES = ("approve", "edit")
USES = LIMITED
# What an approval says about the label, and undoing it takes back.
CONTENT = ("label_data", "confidence", "notes", "item_hash", "template_id", "output_schema")

Plan = dict[str, Any]
# The pair as it is in the lakehouse: its link, uses and hash.
Stored = Mapping[str, Any]


def touches_label(action: ReviewAction) -> bool:
    """Return whether the action writes, or takes back, the label of its item."""
    return action.action in WRITES or bool(action.undoes and action.undoes.action in WRITES)


def limits_pair(action: ReviewAction) -> bool:
    """Return whether the action changes, or takes back a change of, what the pair may be used for."""
    return "allowed_uses" in action.after


def approval_plan(action: ReviewAction, frame: Frame, present: CanonicalLabel | None, stored: Stored) -> Plan:
    """Return the plan of an approval or edit; `present` is the label that stands."""
    answer = as_answer(assistant_answer(action.after["messages"]), checker(frame.output_schema))
    content = {
        "label_data": as_stored(answer, present.label_data if present else None),
        "confidence": action.confidence or (present.confidence if present else "high"),
        "notes": _notes(action, present),
        "item_hash": stored["item_hash"],
        "template_id": frame.template_id,
        "output_schema": dict(frame.output_schema),
    }
    if present is None:
        uses = {name: stored[name] for name in USES}
        return _plan("new", uuid7(), 1, stored, content=content | uses)
    before = _content(present)
    if canonical_bytes(before) == canonical_bytes(content):
        return _plan("same", present.pk, present.version, stored)
    before |= {name: getattr(present, name) for name in NOTHING}
    return _plan("next", present.pk, present.version + 1, stored, content=content, before=before)


def undo_plan(
    action: ReviewAction, since: Sequence[Plan], present: CanonicalLabel | None, stored: Stored, *, relied_on: bool
) -> Plan:
    """Return the plan of an undo; `since` are the plans of the pair from the undone action's to the one before.

    What somebody else wrote since stands, as does a label that is `relied_on` by another pair.
    """
    made = since[0] if since else {}
    was = made.get("was", [stored[name] for name in LINK])
    version = present.version if present else None
    write, more = "none", {}
    if present is not None and _is_ours(since, present):
        if made["write"] == "new" and not relied_on:
            write = "gone"
        elif made["write"] == "next":
            write, version, more = "next", present.version + 1, {"content": made["before"], "before": _content(present)}
    undone = _plan(write, present.pk if present else None, version, stored, **more)
    # Only a pair that was made from the version which stands again is made from its new one.
    is_current = write == "next" and was == [made["id"], made["version"] - 1]
    return undone if is_current else {**undone, "link": was}


def _is_ours(since: Sequence[Plan], present: CanonicalLabel) -> bool:
    """Return whether the label has no version but those that the plans made, one upon the other."""
    if since[0]["write"] not in ("new", "next"):
        return False
    version = since[0]["version"]
    for plan in since[1:]:
        if plan["version"] != version + (plan["write"] == "next") or plan["id"] != since[0]["id"]:
            return False
        version = plan["version"]
    return (present.pk, present.version) == (since[0]["id"], version)


def _plan(write: str, key: str | None, version: int | None, stored: Stored, **more: Any) -> Plan:
    was = [stored[name] for name in LINK]
    return {"write": write, "id": key, "version": version, "link": [key, version], "was": was, **more}


def _content(label: CanonicalLabel) -> dict[str, Any]:
    return {name: getattr(label, name) for name in CONTENT}


def _notes(action: ReviewAction, present: CanonicalLabel | None) -> str:
    """Return the notes that came with the action; a label keeps its own where none came."""
    notes = str(action.after["review_notes"])
    if notes != action.before["review_notes"]:
        return notes
    return present.notes if present else ""


def restores(action: ReviewAction) -> bool:
    """Return whether the action brings an answer back with those who decided on it."""
    return "decided_by" in (action.label_plan or {}).get("content", {})


def label_after(action: ReviewAction, frame: Frame, present: CanonicalLabel | None) -> CanonicalLabel:
    """Return the label that the action's plan makes."""
    plan = action.label_plan or {}
    who = {"last_modified_by": action.actor, "last_modified_at": action.created_at}
    if present is None:
        key = {"sheet_id": frame.sheet_id, "item_ref": action.pair.item_ref, "label_type": frame.label_type}
        who |= {"labeled_by": action.actor, "labeled_at": action.created_at, "created_at": action.created_at}
        return CanonicalLabel(id=plan["id"], version=1, **key, **plan["content"], **who)
    label = copy(present)
    for name, value in {**plan["content"], **who, "version": plan["version"]}.items():
        setattr(label, name, value)
    return label


def changed_pair(action: ReviewAction) -> QAPair:
    """Return the pair with what the action sets; its link to the label is set where there is a plan."""
    after = action.after
    at = after["reviewed_at"]
    label, version = (action.label_plan or {}).get("link", (None, None))
    return QAPair(
        id=action.pair_id,
        training_sheet_id=action.training_sheet_id,
        status=after["status"],
        messages=after["messages"],
        misfits=after["misfits"],
        reviewed_by=after["reviewed_by"],
        reviewed_at=parse_datetime(at) if at else None,
        review_notes=after["review_notes"],
        version=action.pair_version,
        updated_at=action.created_at,
        canonical_label_id=label,
        canonical_label_version=version,
        **{name: after[name] for name in USES if name in after},
    )
