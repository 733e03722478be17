"""What a change of rules takes from exports and from models, told before it is saved.

Exports and models belong to a later app, which names here the function that looks; without one nothing is foreseen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# Of what is shown by name.
FIRST = 5


@dataclass(frozen=True)
class OfTrainingSheet:
    """How many approved pairs of a training sheet leave its exports for a use, and how many come back."""

    id: str
    name: str
    leave: int
    come_back: int
    first: Sequence[str]


@dataclass(frozen=True)
class OfExport:
    """A past export for the use, and how many of its pairs could not leave any more."""

    id: str
    training_sheet_id: str
    format: str
    created_at: datetime
    pairs: int


@dataclass(frozen=True)
class OfModel:
    """A model, and how many of the pairs that leave it was trained on."""

    model_id: str
    model_name: str
    model_version: str
    pairs: int


@dataclass(frozen=True)
class Foreseen:
    """What happens to one use."""

    use: str
    leave: int
    come_back: int
    training_sheets: Sequence[OfTrainingSheet]
    exports: Sequence[OfExport]
    models: Sequence[OfModel]


# Takes the kind of the change, what is given of it, and who asks, whose sheets alone are counted.
Look = Callable[[str, Mapping[str, Any], Any], Sequence[Foreseen]]
LOOKS: list[Look] = []


def add_look(look: Look) -> None:
    """Have this function look too, once however often it is added: later apps add theirs when they are ready."""
    if look not in LOOKS:
        LOOKS.append(look)


def foreseen(kind: str, given: Mapping[str, Any], user: Any) -> list[Foreseen]:
    """Return the uses that the change touches, and what happens to each; nothing is written.

    Kinds: `tag_rule` (tag, prohibited_uses, data_classification, remove), `tag` (place, level, key, value, remove), `item`
    (sheet_id, item_ref), and `sheets`, `pairs`, `labels` with the keys that are `closed` and `opened` for each use.
    """
    return [each for look in LOOKS for each in look(kind, given, user)]
