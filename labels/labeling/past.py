"""The versions of a label as a page shows them: what each changed, field by field, word by word in text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

from governance.changing import in_order
from labels.models import CanonicalLabel, CanonicalLabelVersion
from templates_app.changes import changes_between
from workbench.canonical import canonical_json

VERSIONS_A_PAGE = 50
ANSWER = "label_data"
_TEXTS = ("confidence", "notes", "usage_reason", "data_classification")
_LISTS = ("allowed_uses", "prohibited_uses")
_WORD = re.compile(r"\s+|\w+|[^\w\s]")

Said = CanonicalLabel | CanonicalLabelVersion
Piece = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """A field that changed, as pieces of text: each the same in both (""), gone ("del") or new ("ins")."""

    name: str
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class PastVersion:
    """A version with what it changed in the one before; the first one changed nothing."""

    row: CanonicalLabelVersion
    diffs: list[FieldDiff]

    @property
    def answer(self) -> str:
        return canonical_json(self.row.label_data)


def past_of(label: CanonicalLabel, *, below: int | None = None) -> list[PastVersion]:
    """Return the latest versions, newest first, or those below a version; as many as a page shows."""
    rows = label.versions.order_by("-version")
    if below is not None:
        rows = rows.filter(version__lt=below)
    found: list[CanonicalLabelVersion] = list(rows[: VERSIONS_A_PAGE + 1])
    past = [PastVersion(new, list(diffs_between(old, new))) for new, old in pairwise(found)]
    if found and len(found) <= VERSIONS_A_PAGE:
        past.append(PastVersion(found[-1], []))
    return past


def diffs_between(old: Said, new: Said) -> Iterator[FieldDiff]:
    """Yield the fields that differ, those of the answer first."""
    changes = changes_between(_plain(old), _plain(new))
    for change in sorted(changes, key=lambda each: not each["field_path"].startswith(ANSWER)):
        name = change["field_path"].removeprefix(f"{ANSWER}.").replace(ANSWER, "label")
        before = None if change.get("op") == "add" else change["old_value"]
        after = None if change.get("op") == "remove" else change["new_value"]
        yield FieldDiff(name, list(_pieces(before, after)))


def words_between(old: str, new: str) -> Iterator[Piece]:
    """Yield two texts as one, word by word."""
    left, right = _WORD.findall(old), _WORD.findall(new)
    for kind, a, a_end, b, b_end in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            yield "", "".join(left[a:a_end])
            continue
        if a_end > a:
            yield "del", "".join(left[a:a_end])
        if b_end > b:
            yield "ins", "".join(right[b:b_end])


def _pieces(old: Any, new: Any) -> Iterator[Piece]:
    if isinstance(old, str) and isinstance(new, str) and " " in old + new:
        yield from words_between(old, new)
        return
    gone, came = (value not in (None, "") for value in (old, new))
    if gone:
        yield "del", _text(old)
    if gone and came:
        yield "", " → "
    if came:
        yield "ins", _text(new)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "an empty list"
    return canonical_json(value)


def _plain(version: Said) -> dict[str, Any]:
    # Another writer may have stored the same uses in another order, which is no change.
    lists: dict[str, Sequence[str]] = {name: in_order(getattr(version, name)) for name in _LISTS}
    return {
        ANSWER: version.label_data,
        **{name: getattr(version, name) for name in _TEXTS},
        **{name: ", ".join(uses) for name, uses in lists.items()},
    }
