"""Where every part of a sample board sits. Units are pixels of the finished 800 by 600 picture."""

from __future__ import annotations

import random
from dataclasses import dataclass

WIDTH, HEIGHT = 800, 600
HOLES = ((48, 48), (752, 48), (48, 552), (752, 552))

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Pad:
    """One copper pad: its centre and size; `round` ones are through-hole joints."""

    x: float
    y: float
    w: float
    h: float
    round: bool = False

    @property
    def box(self) -> Box:
        return (self.x - self.w / 2, self.y - self.h / 2, self.x + self.w / 2, self.y + self.h / 2)


@dataclass(frozen=True)
class Part:
    """One component: kind, designator, centre, quarter turn, and the pads below it."""

    kind: str
    ref: str
    x: float
    y: float
    upright: bool
    pads: tuple[Pad, ...]
    text: str = ""

    @property
    def box(self) -> Box:
        """The rectangle that its pads and its body fill."""
        boxes = [pad.box for pad in self.pads]
        if self.kind in BODIES:
            w, h = BODIES[self.kind][::-1] if self.upright else BODIES[self.kind]
            boxes.append((self.x - w / 2, self.y - h / 2, self.x + w / 2, self.y + h / 2))
        return (
            min(b[0] for b in boxes),
            min(b[1] for b in boxes),
            max(b[2] for b in boxes),
            max(b[3] for b in boxes),
        )


# kind → pads as (dx, dy, w, h) around the centre, drawn lying flat
_SIDE: list[float] = [-45, -27, -9, 9, 27, 45]
FOOTPRINTS: dict[str, list[Box]] = {
    "resistor": [(-20, 0, 16, 24), (20, 0, 16, 24)],
    "capacitor": [(-20, 0, 16, 26), (20, 0, 16, 26)],
    "led": [(-20, 0, 16, 24), (20, 0, 16, 24)],
    "inductor": [(-34, 0, 16, 44), (34, 0, 16, 44)],
    "crystal": [(-50, 0, 22, 24), (50, 0, 22, 24)],
    "electrolytic": [(-34, 0, 22, 16), (34, 0, 22, 16)],
    "soic": [(x, y, 11, 22) for y in (-44, 44) for x in (-33, -11, 11, 33)],
    "qfp": [(s, y, 9, 24) for y in (-78, 78) for s in _SIDE] + [(x, s, 24, 9) for x in (-78, 78) for s in _SIDE],
}
# bodies that reach beyond their pads
BODIES = {"inductor": (76, 68), "crystal": (112, 40), "electrolytic": (70, 70)}
HEADER_PITCH, JOINT = 44, 34
# where each design's name is printed
TITLES = {"A": (664, 538), "B": (508, 538)}

# One drawn design: (kind, ref, x, y, upright, text); a header's text is its number of joints.
_Row = tuple[str, str, float, float, bool, str]
_DESIGN_A: list[_Row] = [
    ("qfp", "U1", 404, 300, False, "MV32F4"),
    ("soic", "U2", 190, 214, True, "LM2904"),
    ("soic", "U3", 616, 372, True, "AT24C"),
    ("header", "J1", 400, 532, False, "9"),
    ("header", "J2", 742, 290, True, "5"),
    ("crystal", "Y1", 404, 132, False, "16.000"),
    ("electrolytic", "C1", 104, 370, False, "100"),
    ("electrolytic", "C2", 208, 402, False, "47"),
    ("inductor", "L1", 610, 180, False, "220"),
    ("led", "D1", 560, 66, False, ""),
    ("led", "D2", 650, 66, False, ""),
    *[("resistor", f"R{i + 1}", 140 + 62 * i, 78, True, "103") for i in range(4)],
    ("capacitor", "C3", 288, 200, True, ""),
    ("capacitor", "C4", 516, 208, True, ""),
    ("capacitor", "C5", 284, 452, False, ""),
    ("capacitor", "C6", 400, 446, False, ""),
    ("resistor", "R5", 520, 452, True, "472"),
    ("resistor", "R6", 690, 480, False, "331"),
    ("resistor", "R7", 672, 262, True, "220"),
    ("resistor", "R8", 96, 260, True, "100"),
    ("capacitor", "C7", 112, 478, False, ""),
]
_DESIGN_B: list[_Row] = [
    ("qfp", "U1", 290, 262, False, "MV16C8"),
    ("soic", "U2", 560, 180, False, "TL072"),
    ("soic", "U3", 510, 340, False, "MX25L"),
    ("soic", "U4", 640, 340, False, "74HC"),
    ("header", "J1", 330, 62, False, "8"),
    ("header", "J2", 300, 536, False, "7"),
    ("crystal", "Y1", 132, 410, True, "8.000"),
    ("electrolytic", "C1", 690, 130, False, "220"),
    ("inductor", "L1", 108, 176, True, "100"),
    ("led", "D1", 600, 540, False, ""),
    ("led", "D2", 680, 540, False, ""),
    *[("resistor", f"R{i + 1}", 470 + 60 * i, 474, True, "102") for i in range(5)],
    ("capacitor", "C2", 424, 200, True, ""),
    ("capacitor", "C3", 420, 304, True, ""),
    ("capacitor", "C4", 236, 420, False, ""),
    ("capacitor", "C5", 348, 420, False, ""),
    ("capacitor", "C6", 440, 128, False, ""),
    ("capacitor", "C7", 700, 232, True, ""),
    ("resistor", "R6", 190, 134, False, "473"),
    ("resistor", "R7", 560, 80, False, "331"),
    ("resistor", "R8", 90, 290, True, "100"),
]
DESIGNS: dict[str, list[_Row]] = {"A": _DESIGN_A, "B": _DESIGN_B}


def _pads(kind: str, x: float, y: float, upright: bool, text: str) -> tuple[Pad, ...]:
    if kind == "header":
        steps = [(i - (int(text) - 1) / 2) * HEADER_PITCH for i in range(int(text))]
        at = [(x, y + s) if upright else (x + s, y) for s in steps]
        return tuple(Pad(px, py, JOINT, JOINT, round=True) for px, py in at)
    shape = FOOTPRINTS[kind]
    if upright:
        return tuple(Pad(x - dy, y + dx, h, w) for dx, dy, w, h in shape)
    return tuple(Pad(x + dx, y + dy, w, h) for dx, dy, w, h in shape)


def parts_of(design: str, flip_x: bool, flip_y: bool) -> list[Part]:
    """The parts of one design (`A`, `B`), mirrored left to right and top to bottom as asked."""
    parts = []
    for kind, ref, x, y, upright, text in DESIGNS[design]:
        px, py = (WIDTH - x if flip_x else x), (HEIGHT - y if flip_y else y)
        parts.append(Part(kind, ref, px, py, upright, _pads(kind, px, py, upright, text), text))
    return parts


def overlaps(a: Box, b: Box, gap: float = 0) -> bool:
    return a[0] < b[2] + gap and b[0] < a[2] + gap and a[1] < b[3] + gap and b[1] < a[3] + gap


def free_points(parts: list[Part], rng: random.Random, count: int, margin: float = 16) -> list[Point]:
    """Up to `count` places for vias, away from pads, holes and each other, on the routing grid."""
    found: list[Point] = []
    taken = [pad.box for part in parts for pad in part.pads]
    taken += [(part.x - 16, part.box[1] - 24, part.x + 16, part.box[1]) for part in parts]
    taken += [(x - 30, y - 30, x + 30, y + 30) for x, y in HOLES]
    for _ in range(count * 12):
        x, y = rng.randrange(40, WIDTH - 40, 6), rng.randrange(40, HEIGHT - 40, 6)
        box = (x - margin, y - margin, x + margin, y + margin)
        if len(found) < count and not any(overlaps(box, other) for other in taken):
            found.append((x, y))
            taken.append(box)
    return found
