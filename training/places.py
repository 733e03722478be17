"""Where a value stands in a text: learned from the words around it in labelled items, as in a form that is always the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Any

from rapidfuzz import fuzz

from training.fitting import fit

# Labelled items that a rule is tried on, and those whose surroundings give the rules.
TRIED, SHOWN = 20, 3
_TEXT_READ = 20_000
_RIGHT = 0.8  # of the tried items at least, or it is no rule
_ALIKE = 80.0  # of 100: how far the words before a value may be off, as after text recognition
_MISSHAPEN = 0.3  # times the confidence, for a value that is built like no labelled one, such as a digit misread
_WORDS_BEFORE = re.compile(r"\S+\s*")
_DATE = r"(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2} \w{3,9} \d{4}|\w{3,9} \d{1,2}, \d{4})"
_NUMBER = r"(-?\d[\d,]*(?:\.\d+)?)"
# What may end a text: the line, the next label of one to three words, a blank, a mark.
_ENDS = (
    r"(\S.{0,300}?)(?=\s*(?:\n|$))",
    *(rf"(\S.{{0,300}}?)(?=(?: \S+){{{n}}}:)" for n in (2, 1, 3)),
    r"(\S+)",
    r"(\S[^,;|]*)(?=[,;|])",
)
_STARTS = (r"(?m:^)", r"(?<![^\s,;|:(])")


@dataclass(frozen=True)
class Place:
    """A rule: in `column`, `value` (a pattern) behind the text `before`, once or `many` times.

    `share` is how often it was right among labelled items, lowered where these were few. `shape` is a pattern of all
    labelled values, where they are built alike.
    """

    column: str
    before: str
    value: str
    many: bool
    shape: str = ""
    share: float = 0.0

    def read(self, row: Mapping[str, Any]) -> tuple[Any, float] | None:
        """Return what stands there, not yet of the field's type, and how sure its place is, up to 1."""
        text = row.get(self.column)
        if not isinstance(text, str):
            return None
        text = text[:_TEXT_READ]
        if self.many:
            found = list(dict.fromkeys(match.group(1) for match in re.finditer(self.value, text)))
            return (found, 1.0) if found else None
        if match := re.search(re.escape(self.before) + self.value, text):
            return match.group(1), self._likely(match.group(1))
        alike = fuzz.partial_ratio_alignment(self.before, text, score_cutoff=_ALIKE)
        if alike and (match := re.compile(self.value).match(text, alike.dest_end)):
            return match.group(1), alike.score / 100 * self._likely(match.group(1))
        return None

    def _likely(self, found: str) -> float:
        return 1.0 if not self.shape or re.fullmatch(self.shape, found) else _MISSHAPEN

    @property
    def how(self) -> str:
        return f"as labels have it in {self.column}" + ("" if self.many else f", behind '{self.before.strip()}'")


def learn(rows: Sequence[Mapping[str, Any]], values: Mapping[int, Any], schema: Mapping[str, Any]) -> Place | None:
    """Return the rule that reads most of the labelled values (by row), or None where none reads four of five."""
    tried = dict(islice(values.items(), TRIED))
    # A value that is always the same says nothing about the place it stands in.
    if len(tried) < 2 or len({str(value) for value in tried.values()}) < 2:
        return None
    rules = _lists(rows, tried) if _is_list(schema) else _singles(rows, tried, schema)
    best, most = None, 0.0
    for rule in dict.fromkeys(rules):
        right = sum(_right(rule, rows[at], schema, value) for at, value in tried.items())
        if right > most:
            best, most = rule, right
    share = most / len(tried)
    if best is None or most < 2 or share < _RIGHT:
        return None
    return replace(best, share=share * most / (most + 1))


def _right(rule: Place, row: Mapping[str, Any], schema: Mapping[str, Any], value: Any) -> float:
    """Return how surely the rule reads the value, 0 for another one: words that are just so tell most."""
    read = rule.read(row)
    return read[1] if read and fit(read[0], schema) == value else 0.0


def _is_list(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "array"


def _singles(
    rows: Sequence[Mapping[str, Any]], values: Mapping[int, Any], schema: Mapping[str, Any]
) -> Iterator[Place]:
    """Yield rules around the places where the first labelled values stand, the most words before them first."""
    patterns, spans = _patterns(schema)
    shape = _shape([value for value in values.values() if isinstance(value, str)]) if len(patterns) > 1 else ""
    for at, value in islice(values.items(), SHOWN):
        for column, text in rows[at].items():
            for start in islice(spans(text[:_TEXT_READ], value), 3) if isinstance(text, str) else ():
                words = [match.start() for match in _WORDS_BEFORE.finditer(text, max(0, start - 60), start)]
                for begin in words[-4:]:
                    yield from (Place(column, text[begin:start], pattern, False, shape) for pattern in patterns)


def _patterns(schema: Mapping[str, Any]) -> tuple[Sequence[str], Callable[[str, Any], Iterator[int]]]:
    """Return the patterns of a field's values in a text, and what finds the starts of one value."""
    typed = {"number": _NUMBER, "integer": _NUMBER}.get(str(schema.get("type")))
    if schema.get("format") == "date":
        typed = _DATE
    if typed is None:
        return _ENDS, lambda text, value: (match.start() for match in re.finditer(re.escape(str(value)), text))
    pattern = typed
    return [pattern], lambda text, value: (
        match.start() for match in re.finditer(pattern, text) if fit(match.group(1), schema) == value
    )


def _lists(rows: Sequence[Mapping[str, Any]], values: Mapping[int, Any]) -> Iterator[Place]:
    # A label of an older version may hold something else.
    shape = _shape([str(element) for value in values.values() if isinstance(value, list) for element in value])
    columns = {column for at in values for column, text in rows[at].items() if isinstance(text, str)}
    for start in _STARTS if shape else ():
        yield from (Place(column, "", rf"{start}({shape})(?![^\s,;|)])", True) for column in sorted(columns))


def _shape(texts: Sequence[str]) -> str:
    """Return a pattern of all the texts, such as five digits; "" where they are not built alike."""
    built = {tuple((kind, len(list(run))) for kind, run in groupby(map(_kind, text))) for text in texts}
    kinds = {tuple(kind for kind, _ in runs) for runs in built}
    if len(kinds) != 1:
        return ""
    lengths = zip(*([length for _, length in runs] for runs in built), strict=True)
    return "".join(f"{kind}{{{min(many)},{max(many)}}}" for kind, many in zip(*kinds, lengths, strict=True))


def _kind(letter: str) -> str:
    return (
        r"\d"
        if letter.isdigit()
        else "[A-Z]"
        if letter.isupper()
        else "[a-z]"
        if letter.islower()
        else re.escape(letter)
    )
