"""Which box or polygon of one expert is which of another's: by how far they cover each other. No database inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import shapely

from templates_app.shapes import outline_of
from workbench.canonical import canonical_json

# As in PASCAL VOC: Everingham and others, "The Pascal Visual Object Classes Challenge", IJCV 88 (2010), 4.2.
MIN_IOU = 0.5

Shape = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Match:
    """The shapes of two experts: how many each has, the overlap of those that are the same, and whether it is one picture."""

    first: int
    second: int
    ious: Sequence[float]
    one_picture: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether each shape of both has its partner; nothing marked by both is the same too."""
        return self.one_picture and len(self.ious) == self.first == self.second

    @property
    def f1(self) -> float:
        every = self.first + self.second
        return 2 * len(self.ious) / every if every else 1.0


def match_shapes(first: Mapping[str, Any], second: Mapping[str, Any], min_iou: float = MIN_IOU) -> Match:
    """Return the partners among the shapes of two values of the format `image-annotations`.

    Partners have the same label and an overlap of `min_iou` or more; the best covered find each other first, and each
    has one. Shapes on different pictures have none.
    """
    ones, others = first.get("shapes") or [], second.get("shapes") or []
    one_picture = not (first and second) or first.get("image") == second.get("image")
    if not one_picture:
        return Match(len(ones), len(others), (), one_picture=False)
    outlines = [polygon_of(shape) for shape in ones], [polygon_of(shape) for shape in others]
    found = []
    for (at, one), (to, other) in product(enumerate(ones), enumerate(others)):
        overlap = iou(outlines[0][at], outlines[1][to]) if one.get("label") == other.get("label") else 0.0
        if overlap >= min_iou:
            # What covers as well is taken in the order of what is drawn, so that swapping the experts changes nothing.
            drawn = sorted((canonical_json(one), canonical_json(other)))
            found.append((-overlap, drawn, at, to))
    taken: tuple[set[int], set[int]] = (set(), set())
    ious = []
    for overlap, _, at, to in sorted(found):
        if at not in taken[0] and to not in taken[1]:
            taken[0].add(at)
            taken[1].add(to)
            ious.append(-overlap)
    return Match(len(ones), len(others), ious)


def polygon_of(shape: Shape) -> Any:
    """Return the shape's area for `iou`; a polygon that crosses itself covers what lies inside its lines."""
    flat = outline_of(shape)
    return shapely.make_valid(shapely.Polygon(list(zip(flat[::2], flat[1::2], strict=True))))


def iou(one: Any, other: Any) -> float:
    """Return the shared area divided by the area of both together, from 0.0 to 1.0; of what has no area, whether it is the same."""
    shared = one.intersection(other).area
    together = one.area + other.area - shared
    return min(1.0, shared / together) if together else float(one.equals(other))
