"""Texts that are nearly the same, by MinHash: a signature a text, and buckets in which alike signatures meet.

Broder, "On the resemblance and containment of documents" (1997). Only the texts to be found again are in memory. No database.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt

SHINGLE = 3
# 32 buckets of 4 hashes: of texts that share 0.8 of their shingles all but one in ten million meet, of 0.3 one in four.
BANDS, ROWS = 32, 4
ALIKE = 0.8
# A shingle in more than this share of the texts is the form that they share, not what they say.
COMMON = 0.2
FEWEST = 20

Shingles = frozenset[int]
_random = np.random.default_rng(20_240_229)
# As large as the products that they make wrap: smaller ones would keep the order of what they multiply.
_FACTORS = _random.integers(1 << 62, 1 << 63, BANDS * ROWS, dtype=np.uint64) | np.uint64(1)
_ADDED = _random.integers(0, 1 << 63, BANDS * ROWS, dtype=np.uint64)


def shingles_of(text: str) -> Shingles:
    """Return the hashes of every three words that follow each other, whatever their case and punctuation."""
    words = re.findall(r"\w+", text.casefold())
    if len(words) < SHINGLE:
        return frozenset([crc32(" ".join(words).encode())] if words else ())
    return frozenset(crc32(" ".join(words[at : at + SHINGLE]).encode()) for at in range(len(words) - SHINGLE + 1))


class NearTexts:
    """Finds which of the kept texts a text is nearly the same as."""

    def __init__(self, texts: Iterable[tuple[str, str]], sample: Iterable[str] = ()) -> None:
        """Keep texts by their names; `sample` are texts of the same kind, by which what all share is known."""
        kept = {name: shingles_of(text) for name, text in texts}
        seen = [*kept.values(), *map(shingles_of, sample)]
        counts = Counter(shingle for each in seen for shingle in each)
        most = max(COMMON * len(seen), 2)
        self._common = frozenset(s for s, n in counts.items() if n > most) if len(seen) >= FEWEST else frozenset()
        self._kept = {name: shingles - self._common for name, shingles in kept.items()}
        self._buckets: dict[tuple[int, bytes], list[str]] = defaultdict(list)
        for name, shingles in self._kept.items():
            for bucket in _buckets(shingles):
                self._buckets[bucket].append(name)

    def near(self, text: str) -> Iterator[tuple[str, float]]:
        """Yield the kept texts that share ALIKE or more of the shingles (Jaccard), the nearest first."""
        shingles = shingles_of(text) - self._common
        met = {name for bucket in _buckets(shingles) for name in self._buckets.get(bucket, ())}
        shared = ((name, _jaccard(shingles, self._kept[name])) for name in met)
        yield from sorted((each for each in shared if each[1] >= ALIKE), key=lambda each: (-each[1], each[0]))


def _buckets(shingles: Shingles) -> Sequence[tuple[int, bytes]]:
    if not shingles:
        return ()
    hashes: npt.NDArray[np.uint64] = np.fromiter(shingles, np.uint64, len(shingles))
    # Multiply, add, take the upper half: universal hashing modulo 2^64, which NumPy's integers wrap at.
    least = ((hashes[:, None] * _FACTORS + _ADDED) >> np.uint64(32)).min(axis=0).astype(np.uint32)
    return [(band, least[band * ROWS : (band + 1) * ROWS].tobytes()) for band in range(BANDS)]


def _jaccard(one: Shingles, other: Shingles) -> float:
    return len(one & other) / len(one | other) if one or other else 0.0
