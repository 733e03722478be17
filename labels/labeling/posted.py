"""What a posted form of the labeling screen says, as `record_label` takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from governance.changing import rights_of
from governance.uses import USES
from labels.actions import record_label
from labels.labeling.shown import Beside, Task
from labels.models import CanonicalLabel, LabelOpinion
from labels.opinions.actions import give_opinion
from labels.opinions.due import GIVE, expect_open
from templates_app.answer_form import answer_of
from workbench.concepts import Confidence
from workbench.posted import whole
from workbench.problems import Forbidden


def beside_in(posted: Mapping[str, str]) -> Beside:
    """Return what was posted beside the answer."""
    states = {use: posted.get(f"use.{use}", "allowed") for use in USES}
    return Beside(
        confidence=posted.get("confidence", Confidence.HIGH.value),
        notes=posted.get("notes", "").replace("\r\n", "\n").strip(),
        allowed_uses=[use for use in USES if states[use] == "allowed"],
        prohibited_uses=[use for use in USES if states[use] == "prohibited"],
        usage_reason=posted.get("usage_reason", "").strip(),
        data_classification=posted.get("data_classification", "internal"),
        reason=posted.get("reason", "").strip(),
    )


def record_posted(task: Task, item_ref: str, posted: Mapping[str, str], *, user: Any) -> CanonicalLabel:
    """Return the label, recorded by the user as the form says; errors as for `record_label`."""
    expect_open(task.sheet, task.label_type, item_ref, user)
    return record_label(
        sheet=task.sheet,
        item_ref=item_ref,
        label_type=task.label_type,
        template=task.template,
        label_data=answer_of(task.output_schema, posted),
        seen_version=whole(posted.get("version", "")),
        actor=user.get_username(),
        **rights_of(user),
        **asdict(beside_in(posted)),
    )


def give_posted(task: Task, item_ref: str, posted: Mapping[str, str], *, user: Any) -> LabelOpinion:
    """Return the user's second opinion, given as the form says; errors as for `give_opinion`."""
    if not user.has_perm(GIVE):
        raise Forbidden("You may not give second opinions: ask an owner for the right to add label opinions.")
    beside = beside_in(posted)
    return give_opinion(
        sheet=task.sheet,
        item_ref=item_ref,
        label_type=task.label_type,
        template=task.template,
        label_data=answer_of(task.output_schema, posted),
        actor=user.get_username(),
        confidence=beside.confidence,
        notes=beside.notes,
    )
