"""Copper traces: shortest paths on a grid in steps of 45 degrees that keep clear of each other."""

from __future__ import annotations

import heapq
import math
import random

from floorplan import HEIGHT, HOLES, WIDTH, Pad, Part, Point, free_points

GRID = 6
COLUMNS, ROWS = WIDTH // GRID, HEIGHT // GRID
Cell = tuple[int, int]
_STEPS = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)]


def _cell(x: float, y: float) -> Cell:
    return round(x / GRID), round(y / GRID)


def _disc(cell: Cell, reach: int) -> set[Cell]:
    return {(cell[0] + i, cell[1] + j) for i in range(-reach, reach + 1) for j in range(-reach, reach + 1)}


def _pad_cells(pad: Pad, gap: float) -> set[Cell]:
    x0, y0, x1, y1 = pad.box
    left, top = _cell(x0 - gap, y0 - gap)
    right, bottom = _cell(x1 + gap, y1 + gap)
    return {(i, j) for i in range(left, right + 1) for j in range(top, bottom + 1)}


def _blocked_at_start(parts: list[Part]) -> set[Cell]:
    blocked = {cell for x, y in HOLES for cell in _disc(_cell(x, y), 5)}
    blocked |= {(i, j) for i in range(COLUMNS) for j in range(ROWS) if not _on_board(i, j)}
    for part in parts:
        for pad in part.pads:
            blocked |= _pad_cells(pad, 3)
    return blocked


def _on_board(i: int, j: int) -> bool:
    return 5 <= i <= COLUMNS - 5 and 5 <= j <= ROWS - 5


def _path(start: Cell, goal: Cell, blocked: set[Cell]) -> list[Cell]:
    """The cheapest way from start to goal, empty when there is none; a bend costs a little."""
    queue: list[tuple[float, float, Cell, Cell]] = [(0.0, 0.0, start, (0, 0))]
    came: dict[Cell, Cell] = {}
    cost = {start: 0.0}
    while queue:
        _, spent, here, heading = heapq.heappop(queue)
        if here == goal:
            return _walk_back(came, goal)
        if spent > cost[here]:
            continue
        for step in _STEPS:
            there = (here[0] + step[0], here[1] + step[1])
            if there in blocked or not _on_board(*there):
                continue
            total = spent + math.hypot(*step) + (0.6 if heading not in ((0, 0), step) else 0)
            if total < cost.get(there, math.inf):
                cost[there], came[there] = total, here
                left = math.hypot(goal[0] - there[0], goal[1] - there[1])
                heapq.heappush(queue, (total + left, total, there, step))
    return []


def _walk_back(came: dict[Cell, Cell], goal: Cell) -> list[Cell]:
    path = [goal]
    while path[-1] in came:
        path.append(came[path[-1]])
    return path[::-1]


def _corners(path: list[Cell]) -> list[Point]:
    """Only the bends of a path, in pixels."""
    kept = [path[0]]
    for before, here, after in zip(path, path[1:], path[2:], strict=False):
        if (here[0] - before[0], here[1] - before[1]) != (after[0] - here[0], after[1] - here[1]):
            kept.append(here)
    return [(x * GRID, y * GRID) for x, y in [*kept, path[-1]]]


def route(parts: list[Part], rng: random.Random) -> tuple[list[list[Point]], list[Point]]:
    """The traces of a board as corner lists, and its vias. Nets are drawn by chance, near pads first."""
    blocked = _blocked_at_start(parts)
    vias = free_points(parts, rng, 46)
    ends = [(pad, part.ref) for part in parts for pad in part.pads]
    rng.shuffle(ends)
    traces: list[list[Point]] = []
    used: set[Pad] = set()
    spare = list(vias)
    for pad, ref in ends:
        if pad in used:
            continue
        target = _partner(pad, ref, ends, used, spare, rng)
        if target is None:
            continue
        goal = (target.x, target.y) if isinstance(target, Pad) else target
        own = _pad_cells(pad, 3) | (_pad_cells(target, 3) if isinstance(target, Pad) else _disc(_cell(*goal), 1))
        path = _path(_cell(pad.x, pad.y), _cell(*goal), blocked - own)
        if path:
            traces.append([(pad.x, pad.y), *_corners(path), goal])
            used.add(pad)
            if isinstance(target, Pad):
                used.add(target)
            else:
                spare.remove(target)
            blocked |= {cell for step in path for cell in _disc(step, 1)}
    return traces, vias


def _partner(
    pad: Pad, ref: str, ends: list[tuple[Pad, str]], used: set[Pad], spare: list[Point], rng: random.Random
) -> Pad | Point | None:
    """Another part's pad within reach, or now and then the nearest free via."""
    pads = [p for p, other in ends if other != ref and p not in used]
    pads.sort(key=lambda p: math.hypot(p.x - pad.x, p.y - pad.y))
    near = sorted(spare, key=lambda v: math.hypot(v[0] - pad.x, v[1] - pad.y))
    if near and (rng.random() < 0.4 or not pads):
        return near[0]
    return rng.choice(pads[:5]) if pads else None
