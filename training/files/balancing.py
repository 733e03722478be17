"""Which conversations would balance personas, arcs and topics of a training file. No database inside."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.files.quality import DIMENSIONS

Row = Mapping[str, Any]
Counts = Mapping[str, Mapping[str, int]]
Kind = tuple[str, ...]

# Above what any kind weighs that has a candidate left.
EXHAUSTED = 1 << 60


def suggested(present: Counts, candidates: Iterable[Row], most: int) -> list[Row]:
    """Return up to `most` candidates, each of those whose persona, arc and topic are rarest so far, the best first.

    `present` is a scaffolding distribution. Each choice adds least to the sum of the squares of all counts, so one after
    the other brings the counts as near to each other as the candidates allow. Of kinds that are as rare, the one with the best
    candidate is taken, and then the first by name.
    """
    rows = sorted(candidates, key=lambda row: (-_quality(row), _kind(row), row["id"]))
    left: dict[Kind, deque[int]] = defaultdict(deque)
    for at, row in enumerate(rows):
        left[_kind(row)].append(at)
    # A kind weighs its counts, and among equals the place of its best candidate: thousands are compared at once.
    weights = np.array([_held(present, kind) * len(rows) + queue[0] for kind, queue in left.items()], np.int64)
    sharing, queues = _sharing(list(left)), list(left.values())
    chosen: list[Row] = []
    while len(chosen) < min(most, len(rows)):
        lightest = int(weights.argmin())
        queue = queues[lightest]
        taken = queue.popleft()
        chosen.append(rows[taken])
        weights[lightest] += queue[0] - taken if queue else EXHAUSTED
        for kinds in sharing[lightest]:
            weights[kinds] += len(rows)
    return chosen


def _sharing(kinds: Sequence[Kind]) -> list[list[NDArray[np.int64]]]:
    """Return for each kind, and each of its dimensions, the numbers of the kinds that are alike in it."""
    found: list[list[NDArray[np.int64]]] = [[] for _ in kinds]
    for dimension in range(len(DIMENSIONS)):
        alike: dict[str, list[int]] = defaultdict(list)
        for at, kind in enumerate(kinds):
            alike[kind[dimension]].append(at)
        arrays = {value: np.array(numbers, np.int64) for value, numbers in alike.items()}
        for at, kind in enumerate(kinds):
            found[at].append(arrays[kind[dimension]])
    return found


def _held(present: Counts, kind: Kind) -> int:
    return sum(present.get(name, {}).get(key, 0) for name, key in zip(DIMENSIONS, kind, strict=True))


def _kind(row: Row) -> Kind:
    return tuple(row[key] for key in DIMENSIONS.values())


def _quality(row: Row) -> float:
    return row["quality_score"] or 0.0
