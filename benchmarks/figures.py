"""Timings, and the one table that they are printed in."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

HEADINGS = ("benchmark", "rows", "ours", "reference", "ratio", "target", "ok?")


@dataclass(frozen=True)
class Figure:
    """One line: what was measured in `unit` ("ms", "rows/s" or "MiB"), its reference and what is aimed at.

    `most_ratio` and `most` are the targets, on the ratio or on the figure itself; without one it is for information.
    """

    benchmark: str
    rows: int
    ours: float
    unit: str
    reference: float | None = None
    most_ratio: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the reference's cost: above 1 is slower or larger than the reference."""
        if not self.reference:
            return None
        return self.reference / self.ours if self.unit == "rows/s" else self.ours / self.reference

    @property
    def target(self) -> str:
        if self.most is not None:
            return f"< {self.most:g} {self.unit}"
        return f"≤ {self.most_ratio:g}×" if self.most_ratio is not None else ""

    @property
    def ok(self) -> bool | None:
        if self.most is not None:
            return self.ours < self.most
        return None if self.most_ratio is None or self.ratio is None else self.ratio <= self.most_ratio

    def cells(self) -> list[str]:
        return [
            self.benchmark,
            f"{self.rows:,}",
            shown(self.ours, self.unit) + (f" ({self.note})" if self.note else ""),
            "" if self.reference is None else shown(self.reference, self.unit),
            "" if self.ratio is None else f"{self.ratio:.2f}×",
            self.target,
            {True: "yes", False: "NO", None: ""}[self.ok],
        ]

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "target": self.target, "ok": self.ok}


def shown(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as aligned text."""
    rows = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "─" * max(map(len, lines)), *lines[1:]])


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def times(work: Callable[[int], object], repeat: int) -> list[float]:
    """Return the milliseconds of `work(0)`, `work(1)`, …"""
    return [milliseconds(lambda n=n: work(n)) for n in range(repeat)]  # type: ignore[misc]


def p50(found: Sequence[float]) -> float:
    return statistics.median(found)


def p95(found: Sequence[float]) -> float:
    return sorted(found)[max(0, round(0.95 * len(found)) - 1)]
