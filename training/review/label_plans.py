"""What applying an action does to the canonical label of its item. No database inside.

A plan is fixed in the journal before anything is written, with the version that the label then has. Applying it again
after a crash therefore writes the same version, which is there already or not.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from django.utils.dateparse import parse_datetime

from labels.models import CanonicalLabel
from templates_app.schemas import checker
from training.answerers import as_answer
from training.chat import assistant_answer
from training.models import QAPair, ReviewAction
from training.review.frames import Frame
from workbench.canonical import canonical_bytes
from workbench.lakehouse.ids import uuid7

WRITES = ("approve", "edit")
USES = ("allowed_uses", "prohibited_uses", "usage_reason", "data_classification")
# What an approval says about the label, and undoing it takes back.
CONTENT = ("label_data", "confidence", "notes", "item_hash", "template_id", "output_schema")


def touches_label(action: ReviewAction) -> bool:
    """Return whether the action writes, or takes back, the label of its item."""
    return action.action in WRITES or bool(action.undoes and action.undoes.action in WRITES)


def plan_of(action: ReviewAction, frame: Frame, present: CanonicalLabel | None) -> dict[str, Any]:
    """Return `{"write", "id", "version", "before", "content"}`; `write` is new, next, same, gone or none."""
    if action.undoes is None:
        return _approved(action, frame, present)
    made = action.undoes.label_plan or {}
    if present is None or made.get("write") not in ("new", "next") or present.version != made["version"]:
        # Somebody wrote the label again since, which stands.
        return {"write": "none", "id": present.pk if present else None, "version": present.version if present else None}
    if made["write"] == "new":
        return {"write": "gone", "id": present.pk, "version": present.version}
    return {"write": "next", "id": present.pk, "version": present.version + 1, "content": made["before"]}


def _approved(action: ReviewAction, frame: Frame, present: CanonicalLabel | None) -> dict[str, Any]:
    state = action.pair.state
    content = {
        "label_data": as_answer(assistant_answer(action.after["messages"]), checker(frame.output_schema)),
        "confidence": action.confidence or (present.confidence if present else "high"),
        "notes": action.after["review_notes"],
        "item_hash": state["item_hash"],
        "template_id": frame.template_id,
        "output_schema": dict(frame.output_schema),
    }
    if present is None:
        uses = {name: state[name] for name in USES}
        return {"write": "new", "id": uuid7(), "version": 1, "content": content | uses}
    before = {name: getattr(present, name) for name in CONTENT}
    if canonical_bytes(before) == canonical_bytes(content):
        return {"write": "same", "id": present.pk, "version": present.version}
    return {"write": "next", "id": present.pk, "version": present.version + 1, "content": content, "before": before}


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
    after, plan = action.after, action.label_plan or {}
    at = after["reviewed_at"]
    gone = plan.get("write") == "gone"
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
        canonical_label_id=None if gone else plan.get("id"),
        canonical_label_version=None if gone else plan.get("version"),
    )
