"""Which labelled rows look like a row: cosine of TF-IDF over words, short values and binned numbers."""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

Vector = dict[str, float]

_WORD = re.compile(r"[^\W_]+")
_TEXT_READ = 2_000  # characters of a column: the head of a document tells its kind, and the rest costs time
_SHORT = 40
_BINS = 8
_POSTINGS_READ = 2_500
_CANDIDATES = 12


class NearestRows:
    """An index over rows that finds the most similar ones in a few milliseconds among thousands."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._ranges = _ranges(rows)
        counts = [self._counted(row) for row in rows]
        self._rows = len(rows)
        self._known = Counter(word for counted in counts for word in counted)
        self._vectors = [self._weighed(counted) for counted in counts]
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for at, vector in enumerate(self._vectors):
            for word, weight in vector.items():
                self._postings[word].append((at, weight))

    def nearest(self, row: Mapping[str, Any], most: int) -> list[tuple[int, float]]:
        """Up to `most` (position, similarity above 0 up to 1), the most similar first, the earlier first when equal."""
        asked = self._weighed(self._counted(row))
        exact = ((at, _dot(asked, self._vectors[at])) for at in self._candidates(asked))
        found = [(at, min(similarity, 1.0)) for at, similarity in exact if similarity > 0]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:most]

    def _candidates(self, asked: Vector) -> list[int]:
        """The rows that share the rarest words; common words alone would read every row."""
        scores: dict[int, float] = defaultdict(float)
        read = 0
        for word in sorted(asked, key=lambda word: (-asked[word], word)):
            postings = self._postings.get(word, ())
            read += len(postings)
            if scores and read > _POSTINGS_READ:
                break
            weight = asked[word]
            for at, other in postings:
                scores[at] += weight * other
        return heapq.nsmallest(_CANDIDATES, scores, key=lambda at: (-scores[at], at))

    def _weighed(self, counted: Mapping[str, float]) -> Vector:
        """TF-IDF at length 1. A word in no row still counts in the length: what is strange lowers similarity."""
        rows = self._rows + 1
        vector = {word: math.log1p(n) * math.log(rows / (self._known[word] + 0.5)) for word, n in counted.items()}
        length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
        return {word: weight / length for word, weight in vector.items()}

    def _counted(self, row: Mapping[str, Any]) -> dict[str, float]:
        counted: dict[str, float] = defaultdict(float)
        for column, value in row.items():
            for word, times in self._words(str(column), value):
                counted[word] += times
        return counted

    def _words(self, column: str, value: Any) -> Iterator[tuple[str, float]]:
        match value:
            case None:
                return
            case bool() | date():
                yield f"{column}={value}", 1.0
            case int() | float() | Decimal():
                yield from self._binned(column, _finite(value))
            case Mapping():
                for key, item in value.items():
                    yield from self._words(f"{column}.{key}", item)
            case list() | tuple():
                for item in value[:50]:
                    yield from self._words(column, item)
            case _:
                text = str(value)[:_TEXT_READ].casefold()
                yield from ((word, 1.0) for word in _WORD.findall(text))
                if len(text) <= _SHORT:
                    yield f"{column}={text}", 1.0

    def _binned(self, column: str, value: float | None) -> Iterator[tuple[str, float]]:
        """A number as its bin among the labelled rows, and half as much as the bins beside it."""
        low, high = self._ranges.get(column, (0.0, 0.0))
        if value is None or high <= low:
            return
        place = min(max(int((value - low) / (high - low) * _BINS), -1), _BINS)
        yield f"{column}~{place}", 1.0
        yield f"{column}~{place - 1}", 0.5
        yield f"{column}~{place + 1}", 0.5


def _ranges(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    numbers: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for column, value in _numbers("", row):
            numbers[column].append(value)
    return {column: (min(values), max(values)) for column, values in numbers.items()}


def _numbers(path: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(f"{path}.{key}" if path else str(key), item)
    elif isinstance(value, int | float | Decimal) and (number := _finite(value)) is not None:
        yield path, number


def _finite(value: float | Decimal) -> float | None:
    try:
        number = float(value)
    except (ValueError, OverflowError):  # a signalling NaN, an integer beyond any float
        return None
    return number if math.isfinite(number) else None


def _dot(one: Vector, other: Vector) -> float:
    return sum(weight * other[word] for word, weight in one.items() if word in other)
