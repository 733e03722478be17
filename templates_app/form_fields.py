"""What a form is made of: fields, with what is chosen, typed and wrong in each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workbench.canonical import read_json

DIGITS = 9
MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: its value as JSON, the words for it, the digit that picks it and the number of its colour (0 for none)."""

    value: str
    words: str
    digit: int
    chosen: bool
    colour: int = 0


@dataclass(frozen=True, slots=True)
class FormField:
    """One field. `kind` is object, array, choice, text, integer, number, date, datetime, json, other, shapes, box or polygon.

    `other` is JSON text for the members of an object that its schema does not name. `blank` is what a new row of an
    array looks like, `spare` an empty one to fill in without a script; `text` is the value as its input shows it.
    `shapes` has a box or polygon in each of its children, empty ones in `blanks` and the pictures in its options;
    a box or polygon has its labels there, and its coordinates in `numbers` or as `text`.
    """

    name: str
    key: str
    kind: str
    label: str
    help: str = ""
    required: bool = True
    nullable: bool = False
    text: str = ""
    limits: dict[str, Any] = field(default_factory=dict)
    options: list[Option] = field(default_factory=list)
    children: list[FormField] = field(default_factory=list)
    blank: FormField | None = None
    spare: FormField | None = None
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=dict)
    blanks: list[FormField] = field(default_factory=list)
    is_empty: bool = False

    @property
    def id(self) -> str:
        return "f-" + "".join(letter if letter.isalnum() else "-" for letter in self.name)

    @property
    def is_select(self) -> bool:
        return len(self.options) > DIGITS

    @property
    def is_group(self) -> bool:
        return self.kind in ("object", "array") or (self.kind == "choice" and not self.is_select)


def words_of(key: str, *, upper: bool = True) -> str:
    """Return a key as words for people."""
    words = key.replace("_", " ").strip()
    return words[:1].upper() + words[1:] if upper else words


def as_value(kind: str, text: str) -> Any:
    """Return what a text in a field of this kind means; what cannot be read as its type stays text."""
    if kind in ("text", "date", "datetime"):
        return text
    try:
        return read_json(text)
    except ValueError:
        return text
