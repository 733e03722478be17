"""What the review events of one pair say: which corrections stand, and what the answer was before them. No database inside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from templates_app.changes import WHOLE, Change, folded, parsed, revert

# The actions that may change an answer. Others keep changes of other things, or none.
ANSWERING = ("approve", "edit")
# A pair whose draft failed, or that was left to people, holds an empty text; for a reader that is no answer.
EMPTY = (None, "")

Event = Mapping[str, Any]


def standing(events: Iterable[Event]) -> list[Event]:
    """Return the actions that were not undone, of all events of a pair, oldest first.

    An undo takes back the latest action that stands, as review does it, so what is left replays without a gap.
    """
    stands: list[Event] = []
    for event in events:
        if event["action"] != "undo":
            stands.append(event)
        elif stands:
            stands.pop()
    return stands


def corrections(stands: Iterable[Event]) -> Iterator[tuple[Change, Event]]:
    """Yield each change of an answer by the actions that stand, oldest first, with the event that made it."""
    for event in stands:
        if event["action"] in ANSWERING and event["changes"] != "[]":
            for change in orjson.loads(event["changes"]):
                yield change, event


def initial_of(final: Any, changes: Sequence[Change]) -> Any:
    """Return the answer before the changes, rebuilt from the final one; ValueError where they do not lead to it."""
    return revert(final, changes) if changes else final


def by_people(labeling_mode: str, changes: Sequence[Change]) -> bool:
    """Return whether no pipeline gave the first answer: it is an expert's label, or the first change gave it where none was."""
    first = changes[0] if changes else None
    return labeling_mode == "canonical" or bool(first and first["field_path"] == WHOLE and first["old_value"] in EMPTY)


def first_row(field_path: str) -> str:
    """Return the path with every list index as 0: `personel[7].nrp` counts as `personel[0].nrp`."""
    return folded(field_path, "0")


def field_name(field_path: str) -> str:
    """Return the last name in the path, without the row it stands in: `nrp`; the path itself where it has none."""
    names = [step for step in parsed(field_path) if isinstance(step, str)]
    return names[-1] if names else field_path
