"""Paints what is wrong with a board: scratches, solder bridges and cold joints."""

from __future__ import annotations

import math
import random

from floorplan import Pad, Point
from parts import SCALE, Colour, Draw, disc

COPPER, COPPER_LIGHT, LAMINATE = (222, 158, 112), (255, 232, 208), (236, 230, 206)


def _line(draw: Draw, points: list[Point], width: float, colour: Colour, by: float = 0) -> None:
    moved = [((x + by) * SCALE, (y + by) * SCALE) for x, y in points]
    draw.line(moved, colour, max(1, round(width * SCALE)), "curve")


def paint_scratch(draw: Draw, lines: list[list[Point]], rng: random.Random) -> None:
    """A gouge down to bare copper with a bright edge, and finer lines beside it."""
    gouge, *fine = lines
    for line in fine:
        _line(draw, line, 2.0, (16, 60, 34), 0.6)
        _line(draw, line, 1.5, (214, 222, 204))
    for (x, y), width in zip(gouge, _tapered(len(gouge), rng), strict=True):
        disc(draw, x + 1, y + 1, width / 2 + 1.2, (16, 56, 32))
    for (x, y), width in zip(gouge, _tapered(len(gouge), rng), strict=True):
        disc(draw, x, y, width / 2, COPPER if rng.random() < 0.8 else LAMINATE)
    _line(draw, gouge[2:-2], 1.5, COPPER_LIGHT, -0.7)
    for x, y in gouge[::10]:
        disc(draw, x + rng.uniform(-7, 7), y + rng.uniform(-7, 7), rng.uniform(0.7, 1.5), LAMINATE)


def _tapered(count: int, rng: random.Random) -> list[float]:
    """Widths that are small at both ends."""
    return [1.4 + 4.2 * math.sin(math.pi * (i + 0.5) / count) ** 0.6 + rng.uniform(-0.5, 0.5) for i in range(count)]


def paint_bridge(draw: Draw, pads: tuple[Pad, ...], rng: random.Random) -> None:
    """One shiny lump of solder that runs across neighbouring pins."""
    first, last = pads[0], pads[-1]
    steps = max(2, round(math.hypot(last.x - first.x, last.y - first.y) / 3))
    spots = [
        (first.x + (last.x - first.x) * i / steps, first.y + (last.y - first.y) * i / steps) for i in range(steps + 1)
    ]
    sizes = [rng.uniform(7.4, 10.6) for _ in spots]
    layers: list[tuple[float, float, Colour]] = [
        (2.0, 1.2, (58, 62, 68)),
        (1.2, 0, (128, 134, 141)),
        (0, -0.6, (184, 190, 196)),
        (-4.2, -2.4, (222, 227, 231)),
        (-7.6, -3.4, (253, 254, 254)),
    ]
    for grow, by, colour in layers:
        for (x, y), size in zip(spots, sizes, strict=True):
            disc(draw, x + by, y + by, max(0.8, size + grow), colour)


def paint_cold_joint(draw: Draw, pad: Pad, rng: random.Random) -> None:
    """A dull, grainy lump that has not wetted the pad, cracked around its pin, in burnt flux."""
    for _ in range(220):
        angle, far, tone = rng.uniform(0, math.tau), 13 + abs(rng.gauss(0, 5)), rng.randrange(-12, 12)
        x, y = pad.x + far * math.cos(angle), pad.y + far * math.sin(angle)
        disc(draw, x, y, rng.uniform(0.8, 3.2), (78 + tone, 62 + tone, 28 + tone // 2))
    disc(draw, pad.x, pad.y, 17, (150, 118, 58))
    lump = [
        (pad.x + 1.5 + rng.uniform(10, 14.5) * math.cos(i * math.tau / 14),
         pad.y + 1.5 + rng.uniform(10, 14.5) * math.sin(i * math.tau / 14))
        for i in range(14)
    ]  # fmt: skip
    draw.polygon([(x * SCALE, y * SCALE) for x, y in lump], (128, 126, 121), (52, 50, 46), 3)
    for _ in range(150):
        angle, far, tone = rng.uniform(0, math.tau), rng.uniform(0, 11.5), rng.randrange(88, 168)
        x, y = pad.x + 1.5 + far * math.cos(angle), pad.y + 1.5 + far * math.sin(angle)
        disc(draw, x, y, rng.uniform(0.6, 1.7), (tone, tone - 2, tone - 6))
    disc(draw, pad.x + 1, pad.y + 1, 5.6, (24, 22, 20))
    disc(draw, pad.x + 1.4, pad.y + 1.4, 4.0, (146, 144, 138))
    for _ in range(3):
        angle = rng.uniform(0, math.tau)
        crack = [
            (pad.x + 1 + r * math.cos(angle + r / 22), pad.y + 1 + r * math.sin(angle + r / 22)) for r in (5, 9, 13)
        ]
        _line(draw, crack, 1.3, (22, 20, 18))
