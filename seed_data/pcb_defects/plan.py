"""Which board shows which defect, how bad it is and where. The same for every run."""

# ruff: noqa: S311 (seeded chance makes the same data each time; nothing here is secret)
from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

from floorplan import HEIGHT, HOLES, WIDTH, Box, Pad, Part, Point, overlaps, parts_of

# One letter a board, in order: scratch, (solder) bridge, missing, (mis)alignment, cold joint, none.
_ORDER = "sbmacn" + "nsbmac" + "ncsbma" + "nacsbm" + "nmacsb" + "nbmacs" + "nnsbma" + "cnsbma" + "nn"
DEFECTS = {
    "s": "scratch",
    "b": "solder_bridge",
    "m": "missing_component",
    "a": "misalignment",
    "c": "cold_joint",
    "n": "none",
}
SEVERITIES = ("minor", "major", "critical")


@dataclass
class Board:
    """One picture to draw: its parts and what is wrong with it.

    `box` is the defect's place on the whole board, `view` the left, top and width of what the camera sees of it.
    """

    number: int
    defect: str
    severity: str
    design: tuple[str, bool, bool]
    parts: list[Part]
    box: Box | None = None
    view: tuple[float, float, float] = (0, 0, WIDTH)
    scratches: list[list[Point]] = field(default_factory=list)
    bridges: list[tuple[Pad, ...]] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    moved: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    cold: list[Pad] = field(default_factory=list)

    @property
    def image_id(self) -> str:
        return f"pcb_{self.number:03d}_{self.defect}.jpg"

    @property
    def serial(self) -> str:
        return f"SN {7000 + self.number * 617 % 900}-{self.number:03d}"

    @property
    def seen(self) -> Box | None:
        """The defect's place in the finished picture, in pixels."""
        if self.box is None:
            return None
        left, top, width = self.view
        x0, y0, x1, y1 = self.box
        zoom = WIDTH / width
        return ((x0 - left) * zoom, (y0 - top) * zoom, (x1 - left) * zoom, (y1 - top) * zoom)

    @property
    def location(self) -> str:
        """The quadrant of the picture that the middle of the defect lies in, `none` for a good board."""
        if self.seen is None:
            return "none"
        x, y = (self.seen[0] + self.seen[2]) / 2, (self.seen[1] + self.seen[3]) / 2
        return f"{'top' if y < HEIGHT / 2 else 'bottom'}_{'left' if x < WIDTH / 2 else 'right'}_quadrant"


def boards() -> list[Board]:
    """All fifty boards, planned but not drawn."""
    return [plan(number) for number in range(1, len(_ORDER) + 1)]


def plan(number: int) -> Board:
    """Board `number` (from 1): its design, its defect, and the place of it."""
    rng = random.Random(f"pcb {number}")
    defect = DEFECTS[_ORDER[number - 1]]
    severity = "none" if defect == "none" else rng.choices(SEVERITIES, (4, 4, 2))[0]
    design = (rng.choice("AB"), rng.random() < 0.5, rng.random() < 0.5)
    board = Board(number, defect, severity, design, parts_of(*design))
    if defect != "none":
        _PLACE[defect](board, rng)
    _aim(board, rng)
    return board


def _aim(board: Board, rng: random.Random) -> None:
    """Point the camera so that the whole defect is in the picture and clearly in one quadrant."""
    for _ in range(2000):
        width = rng.uniform(520, 660)
        board.view = (rng.uniform(0, WIDTH - width), rng.uniform(0, (WIDTH - width) * HEIGHT / WIDTH), width)
        if board.seen is None or _well_seen(board.seen):
            return
    raise RuntimeError(f"No view shows the whole defect of board {board.number}; give it another place.")


def _well_seen(seen: Box) -> bool:
    x, y = (seen[0] + seen[2]) / 2, (seen[1] + seen[3]) / 2
    inside = seen[0] > 20 and seen[1] > 20 and seen[2] < WIDTH - 20 and seen[3] < HEIGHT - 20
    return inside and abs(x - WIDTH / 2) > 40 and abs(y - HEIGHT / 2) > 30


def _rank(board: Board) -> int:
    return SEVERITIES.index(board.severity)


def _around(boxes: list[Box], gap: float) -> Box:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return (min(x0) - gap, min(y0) - gap, max(x1) + gap, max(y1) + gap)


def _scratch(board: Board, rng: random.Random) -> None:
    length = (150, 210, 270)[_rank(board)] + rng.uniform(-15, 15)
    tries = 0
    while board.box is None:
        tries += 1
        x, y, angle = rng.uniform(70, 730), rng.uniform(70, 530), rng.uniform(0, math.tau)
        line = _wander(x, y, angle, length, rng)
        box = _around([(px, py, px, py) for px, py in line], 6)
        if _on_board(box) and not _crosses(line, _keep_off(board, tries)):
            board.box = box
            board.scratches = [line, *_hairlines(line, _rank(board) + 2, rng)]


def _keep_off(board: Board, tries: int) -> list[Box]:
    """Holes and bodies a scratch goes around; after many tries it may cross small parts."""
    holes = [(x - 28.0, y - 28.0, x + 28.0, y + 28.0) for x, y in HOLES]
    small = ("resistor", "capacitor", "led") if tries > 3000 else ()
    return holes + [part.box for part in board.parts if part.kind not in small]


def _crosses(line: list[Point], boxes: list[Box]) -> bool:
    return any(overlaps((x, y, x, y), box, 6) for x, y in line for box in boxes)


def _on_board(box: Box) -> bool:
    return box[0] > 30 and box[1] > 30 and box[2] < WIDTH - 30 and box[3] < HEIGHT - 30


def _wander(x: float, y: float, angle: float, length: float, rng: random.Random) -> list[Point]:
    line, bend = [(x, y)], rng.uniform(-0.005, 0.005)
    for _ in range(round(length / 2)):
        angle += bend + rng.uniform(-0.012, 0.012)
        x, y = x + 2 * math.cos(angle), y + 2 * math.sin(angle)
        line.append((x, y))
    return line


def _hairlines(line: list[Point], count: int, rng: random.Random) -> list[list[Point]]:
    found = []
    for _ in range(count):
        first, last = rng.randrange(0, len(line) // 3), rng.randrange(len(line) // 2, len(line))
        dx, dy = rng.choice((-1, 1)) * rng.uniform(3, 9), rng.choice((-1, 1)) * rng.uniform(3, 9)
        found.append([(x + dx, y + dy) for x, y in line[first:last]])
    return found


def _bridge(board: Board, rng: random.Random) -> None:
    part = rng.choice([p for p in board.parts if p.kind in ("qfp", "soic")])
    rows = _rows(part)
    row = rng.choice(rows)
    count = 2 if _rank(board) == 0 else 3 if _rank(board) == 1 else 4
    first = rng.randrange(0, len(row) - count + 1)
    pads = tuple(row[first : first + count])
    board.bridges = [pads]
    board.box = _around([pad.box for pad in pads], 4)


def _rows(part: Part) -> list[list[Pad]]:
    """The pads of an IC, side by side, one list for each side."""
    rows: dict[tuple[bool, float], list[Pad]] = {}
    for pad in part.pads:
        tall = pad.h > pad.w
        rows.setdefault((tall, pad.y if tall else pad.x), []).append(pad)
    return [sorted(row, key=lambda p: (p.x, p.y)) for row in rows.values()]


def _missing(board: Board, rng: random.Random) -> None:
    kinds = (("resistor", "capacitor"), ("electrolytic", "inductor", "crystal"), ("soic",))[_rank(board)]
    part = rng.choice([p for p in board.parts if p.kind in kinds])
    board.missing, board.box = {part.ref}, _around([part.box], 6)


def _misaligned(board: Board, rng: random.Random) -> None:
    kinds = (("resistor", "capacitor"), ("soic", "inductor"), ("soic", "qfp"))[_rank(board)]
    part = rng.choice([p for p in board.parts if p.kind in kinds])
    turn = {"qfp": 9, "soic": 15, "inductor": 24}.get(part.kind, 32) * rng.choice((-1, 1)) * rng.uniform(0.9, 1.15)
    away = {"resistor": 9, "capacitor": 9}.get(part.kind, 12)
    shift = (rng.choice((-1, 1)) * away, rng.choice((-1, 1)) * away)
    board.moved, board.box = {part.ref: (*shift, turn)}, _around([part.box], 14)


def _cold(board: Board, rng: random.Random) -> None:
    header = rng.choice([p for p in board.parts if p.kind == "header"])
    count = _rank(board) + 1
    first = rng.randrange(0, len(header.pads) - count + 1)
    board.cold = list(header.pads[first : first + count])
    board.box = _around([pad.box for pad in board.cold], 4)


_PLACE = {
    "scratch": _scratch,
    "solder_bridge": _bridge,
    "missing_component": _missing,
    "misalignment": _misaligned,
    "cold_joint": _cold,
}
