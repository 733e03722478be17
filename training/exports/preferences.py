"""What a model had drafted before people edited it, found by replaying review events backwards from the answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from templates_app.changes import Change, revert
from templates_app.schemas import checker
from training.answerers import as_answer
from training.exporting import Window
from training.ground_truth.history import ANSWERING, Event, standing
from training.ledger import Exclusion
from training.models import QAPair, ReviewEvent
from training.review.frames import frame_of
from workbench.canonical import canonical_json

NOT_EDITED = Exclusion("approved without an edit: there is no draft to prefer it to", "format", "dpo")
NO_DRAFT = Exclusion("edited, but no model had drafted an answer", "format", "dpo")
UNKNOWN_DRAFT = Exclusion("the review events do not lead back to the draft", "format", "dpo")


@dataclass
class Edits:
    """How the answer of one pair changed in review by what was not undone, oldest first, and whether a model had drafted it."""

    drafted: bool
    edited: bool
    changes: list[Change]


def edits_of(training_sheet_id: str, window: Window) -> dict[str, Edits]:
    """Return the edits of the pairs of a window, by pair."""
    start, end = window
    events = ReviewEvent.objects.filter(
        training_sheet_id=training_sheet_id, qa_pair__position__gte=start, qa_pair__position__lt=end
    )
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events.order_by("pair_version").values("qa_pair_id", "action", "changes", "qa_pair__labeling_mode"):
        found[event["qa_pair_id"]].append(event)
    return {pair: _edits(of_pair) for pair, of_pair in found.items()}


def _edits(events: Sequence[Event]) -> Edits:
    # Review never changes where the first answer came from: a label, a column and a person are no model.
    drafted = events[0]["qa_pair__labeling_mode"] == QAPair.Mode.AI_GENERATED
    stands = [event for event in standing(events) if event["action"] in ANSWERING]
    edited = any(event["action"] == ReviewEvent.Action.EDIT for event in stands)
    return Edits(drafted, edited, [change for event in stands for change in event["changes"]])


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
