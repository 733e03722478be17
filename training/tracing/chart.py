"""The bars of exclusions by day, as rectangles of an SVG. No database inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.tracing.exclusions import Exclusions

WIDTH, HEIGHT, FOOT = 720, 220, 24
WIDEST = 48


@dataclass(frozen=True)
class Bar:
    """One reason on one day: where it stands, which colour, and what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    colour: int
    words: str


@dataclass(frozen=True)
class Chart:
    """Stacked bars, the day under each stack, and the number at the top of the scale."""

    bars: Sequence[Bar]
    days: Sequence[tuple[float, str]]
    most: int
    width: int = WIDTH
    height: int = HEIGHT + FOOT
    base: int = HEIGHT


def chart_of(found: Exclusions) -> Chart:
    """Return the chart; without exclusions it has no bars."""
    most = max((sum(day.counts) for day in found.days), default=0)
    if not most:
        return Chart((), (), 0)
    step = WIDTH / len(found.days)
    width = min(step * 0.7, WIDEST)
    bars: list[Bar] = []
    names: list[tuple[float, str]] = []
    # As many days are named as there is room for.
    every = max(1, round(60 / step))
    for at, day in enumerate(found.days):
        middle, top = (at + 0.5) * step, float(HEIGHT)
        for colour, (reason, count) in enumerate(zip(found.reasons, day.counts, strict=True)):
            if count:
                height = count / most * (HEIGHT - 10)
                top -= height
                words = f"{day.day:%d %b %Y}: {count:,} {reason}"
                bars.append(
                    Bar(round(middle - width / 2, 1), round(top, 1), round(width, 1), round(height, 1), colour, words)
                )
        if at % every == 0:
            names.append((round(middle, 1), f"{day.day:%d %b}"))
    return Chart(bars, names, most)
