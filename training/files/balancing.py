"""Which conversations would balance personas, arcs and topics of a training file. No database inside."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Any

from training.files.quality import DIMENSIONS

Row = Mapping[str, Any]
Counts = Mapping[str, Mapping[str, int]]


def suggested(present: Counts, candidates: Iterable[Row], most: int) -> list[Row]:
    """Return up to `most` candidates, each of those whose persona, arc and topic are rarest so far, the best first.

    `present` is a scaffolding distribution. Each choice adds least to the sum of the squares of all counts, so one after
    the other brings the counts as near to each other as the candidates allow.
    """
    counts = {name: Counter(present.get(name, {})) for name in DIMENSIONS}
    kinds: dict[tuple[str, ...], deque[Row]] = defaultdict(deque)
    for row in sorted(candidates, key=lambda row: (-(row["quality_score"] or 0.0), row["id"])):
        kinds[tuple(row[key] for key in DIMENSIONS.values())].append(row)
    chosen: list[Row] = []
    while kinds and len(chosen) < most:
        kind = min(kinds, key=lambda kind: (_held(counts, kind), -(kinds[kind][0]["quality_score"] or 0.0), kind))
        chosen.append(kinds[kind].popleft())
        for name, key in zip(DIMENSIONS, kind, strict=True):
            counts[name][key] += 1
        if not kinds[kind]:
            del kinds[kind]
    return chosen


def _held(counts: Mapping[str, Counter[str]], kind: tuple[str, ...]) -> int:
    return sum(counts[name][key] for name, key in zip(DIMENSIONS, kind, strict=True))
