"""The shapes of an answer: what a box or polygon must be, and how large it is. Coordinates are pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sheets.pictures import Picture
from templates_app.annotations import PARTS, SIDES, annotations_in, kinds_of, labels_of
from templates_app.fields import shown
from templates_app.plain_schema import Schema
from workbench.near import listed, near_misses

# Sums of decimals miss by a hair.
HAIR = 1e-6

Path = tuple[str | int, ...]
Fault = tuple[Path, str]


def picture_faults(output_schema: Schema, answer: Any, pictures: Sequence[Picture]) -> list[str]:
    """Return why the shapes of an answer do not belong to the item's pictures, each with its path."""
    return [
        f"answer{'.' if found.path else ''}{found.path}.{name}: {words}"
        for found in annotations_in(output_schema, answer)
        for name, words in _of_picture(found.value, pictures)
    ]


def _of_picture(value: Mapping[str, Any], pictures: Sequence[Picture]) -> Iterator[tuple[str, str]]:
    image = value.get("image")
    picture = next((each for each in pictures if each.name == image), None)
    if picture is None:
        yield "image", f"found {image!r}; the pictures of the item are {listed([each.name for each in pictures])}"
    elif (found := (value.get("width"), value.get("height"))) != (picture.width, picture.height):
        yield "width", f"found {found[0]} × {found[1]}; the picture has {picture.width} × {picture.height} pixels"


def value_faults(value: Any, schema: Schema) -> Iterator[Fault]:
    """Yield what is wrong with a value of this format, each with the path inside it."""
    if not isinstance(value, Mapping):
        return  # `type` says so
    yield from (((name,), "found nothing; it is required") for name in PARTS if name not in value)
    yield from _strangers((), value, PARTS)
    if "image" in value and not (isinstance(value["image"], str) and value["image"].strip()):
        yield ("image",), f"found {shown(value['image'])}; allowed is the name of a picture of the item"
    for side in ("width", "height"):
        if side in value and not (_is_number(value[side]) and value[side] >= 1 and value[side] == int(value[side])):
            yield (side,), f"found {shown(value[side])}; allowed is a whole number of pixels"
    shapes = value.get("shapes", [])
    if not isinstance(shapes, list):
        yield ("shapes",), f"found {shown(shapes)}; allowed is array"
        return
    size = (value.get("width"), value.get("height"))
    for at, shape in enumerate(shapes):
        for path, words in _shape_faults(shape, schema, size):
            yield ("shapes", at, *path), words


def _shape_faults(shape: Any, schema: Schema, size: tuple[Any, Any]) -> Iterator[Fault]:
    if not isinstance(shape, Mapping):
        yield (), f"found {shown(shape)}; allowed is object"
        return
    kinds, labels = kinds_of(schema), labels_of(schema)
    if "label" not in shape:
        yield ("label",), "found nothing; it is required"
    elif shape["label"] not in labels:
        allowed = ", ".join(map(shown, labels))
        yield ("label",), f"found {shown(shape['label'])}; allowed are {allowed}"
    yield from _strangers((), shape, ("label", *kinds))
    drawn = [kind for kind in kinds if kind in shape]
    if len(drawn) != 1:
        yield (), f"found {' and '.join(drawn) or 'no shape'}; allowed is {' or '.join(kinds)}"
    elif drawn == ["box"]:
        yield from _box_faults(shape["box"], size)
    else:
        yield from _polygon_faults(shape["polygon"], size)


def _box_faults(box: Any, size: tuple[Any, Any]) -> Iterator[Fault]:
    if not isinstance(box, Mapping):
        yield ("box",), f"found {shown(box)}; allowed is object"
        return
    yield from _strangers(("box",), box, SIDES)
    for side in SIDES:
        if side not in box:
            yield ("box", side), "found nothing; it is required"
        elif not _is_number(box[side]):
            yield ("box", side), f"found {shown(box[side])}; allowed is number"
    if not all(_is_number(box.get(side)) for side in SIDES):
        return
    for start, side, most in (("x", "width", size[0]), ("y", "height", size[1])):
        if box[start] < 0:
            yield ("box", start), f"found {shown(box[start])}; allowed is 0 or more"
        if box[side] <= 0:
            yield ("box", side), f"found {shown(box[side])}; allowed is more than 0"
        elif _is_number(most) and box[start] + box[side] > most + HAIR:
            end = shown(box[start] + box[side])
            yield ("box", side), f"found {start} + {side} = {end}; the picture's {side} is {most}"


def _polygon_faults(points: Any, size: tuple[Any, Any]) -> Iterator[Fault]:
    if not isinstance(points, list) or not all(
        isinstance(point, list) and len(point) == 2 and all(map(_is_number, point)) for point in points
    ):
        yield ("polygon",), f"found {shown(points)}; allowed is a list of points, as [[10, 20], [30, 20], [20, 40]]"
        return
    if len(points) < 3:
        yield ("polygon",), f"found {len(points)} points; allowed are 3 or more"
        return
    for at, point in enumerate(points):
        for found, most in zip(point, size, strict=True):
            if found < 0 or (_is_number(most) and found > most + HAIR):
                yield ("polygon", at), f"found {shown(point)}; the picture has {size[0]} × {size[1]} pixels"
                break
    if area_of({"polygon": points}) <= 0:
        yield (
            ("polygon",),
            "found points on one line, or a line that crosses itself and leaves no area; allowed is a polygon with an area",
        )


def bounds_of(shape: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Return x, y, width and height of the smallest upright box around a shape, in pixels."""
    if "box" in shape:
        x, y, width, height = (shape["box"][side] for side in SIDES)
        return x, y, width, height
    xs, ys = zip(*shape["polygon"], strict=True)
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def area_of(shape: Mapping[str, Any]) -> float:
    """Return the area in square pixels; of a polygon by the shoelace formula."""
    if "box" in shape:
        return float(shape["box"]["width"] * shape["box"]["height"])
    points = shape["polygon"]
    ahead = [*points[1:], points[0]]
    twice = sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in zip(points, ahead, strict=True))
    return float(abs(twice) / 2)


def outline_of(shape: Mapping[str, Any]) -> list[float]:
    """Return the corners one after the other, as x, y, x, y, …"""
    if "polygon" in shape:
        return [value for point in shape["polygon"] for value in point]
    x, y, width, height = bounds_of(shape)
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def _strangers(path: Path, found: Mapping[str, Any], known: Sequence[str]) -> Iterator[Fault]:
    if extra := sorted(set(found) - set(known)):
        yield path, f"found {listed(extra)}; allowed are {listed(known)}.{near_misses(extra[0], known)}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
