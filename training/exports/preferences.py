"""What a model had drafted before people edited it, found by replaying review events backwards from the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from templates_app.changes import Change, revert
from templates_app.schemas import checker
from training.answerers import as_answer
from training.exporting import Window
from training.ledger import Exclusion
from training.models import QAPair, ReviewEvent
from training.review.frames import frame_of
from workbench.canonical import canonical_json

NOT_EDITED = Exclusion("approved without an edit: there is no draft to prefer it to", "format", "dpo")
NO_DRAFT = Exclusion("edited, but no model had drafted an answer", "format", "dpo")
UNKNOWN_DRAFT = Exclusion("the review events do not lead back to the draft", "format", "dpo")


@dataclass
class Edits:
    """How the answer of one pair changed in review, oldest first, and whether a model had drafted it."""

    drafted: bool
    edited: bool = False
    changes: list[Change] = field(default_factory=list)


def edits_of(training_sheet_id: str, window: Window) -> dict[str, Edits]:
    """Return the edits of the pairs of a window, by pair."""
    start, end = window
    events = ReviewEvent.objects.filter(
        training_sheet_id=training_sheet_id, qa_pair__position__gte=start, qa_pair__position__lt=end
    )
    found: dict[str, Edits] = {}
    read = events.order_by("pair_version").values_list("qa_pair_id", "action", "changes", "qa_pair__labeling_mode")
    for pair, action, changes, mode in read:
        # Review never changes where the first answer came from: a label, a column and a person are no model.
        edits = found.setdefault(pair, Edits(drafted=mode == QAPair.Mode.AI_GENERATED))
        edits.edited = edits.edited or action == ReviewEvent.Action.EDIT
        edits.changes += changes
    return found


def fits_of(training_sheet_id: str) -> Callable[[Any], bool]:
    """Return whether a value is an answer as it stands, by the template's output schema."""
    return checker(frame_of(training_sheet_id).output_schema)


def draft_of(messages: Sequence[Mapping[str, str]], edits: Edits | None, fits: Callable[[Any], bool]) -> str:
    """Return a model's draft of an edited answer as its text, or an Exclusion that says why there is none."""
    if edits is None or not edits.edited:
        return NOT_EDITED
    if not edits.drafted:
        return NO_DRAFT
    try:
        draft = revert(as_answer(messages[-1]["content"], fits), edits.changes)
    except ValueError:
        return UNKNOWN_DRAFT
    text = "" if draft is None else canonical_json(draft)
    return text if text.strip() else NO_DRAFT
