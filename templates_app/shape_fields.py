"""The fields of boxes and polygons: a row of numbers for each shape, which a script draws on the picture as well."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from sheets.pictures import Picture
from templates_app.annotations import PARTS, SIDES, colour_of, kinds_of, labels_of
from templates_app.form_fields import DIGITS, MISSING, FormField, Option, as_value, words_of
from templates_app.plain_schema import Schema

_POINTS = re.compile(r"[\s,;()\[\]]*(?:-?\d+(?:\.\d+)?[\s,;()\[\]]+)*-?\d+(?:\.\d+)?[\s,;()\[\]]*", re.ASCII)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)


def can_be_drawn(value: Any, schema: Schema) -> bool:
    """Return whether the fields can hold the value whole, right or wrong: else it is shown as JSON."""
    shapes = value.get("shapes") if isinstance(value, Mapping) else None
    return (
        isinstance(shapes, list)
        and set(value) <= set(PARTS)
        and all(isinstance(shape, Mapping) and _is_row(shape, kinds_of(schema)) for shape in shapes)
    )


def _is_row(shape: Mapping[str, Any], kinds: Sequence[str]) -> bool:
    kind = next((kind for kind in kinds if kind in shape), None)
    if kind is None or not set(shape) <= {"label", kind} or not isinstance(shape.get("label", ""), str):
        return False
    if kind == "box":
        box = shape["box"]
        return isinstance(box, Mapping) and set(box) <= set(SIDES) and all(map(_is_number, box.values()))
    points = shape["polygon"]
    return isinstance(points, list) and all(
        isinstance(point, list) and len(point) == 2 and all(map(_is_number, point)) for point in points
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def with_shapes(made: FormField, schema: Schema, value: Any, pictures: Sequence[Picture]) -> FormField:
    """Return the field with a row for each shape of the value, empty rows to fill in, and the pictures to choose from."""
    value = value if isinstance(value, Mapping) else {}
    shapes = value.get("shapes", [])
    kinds, labels = kinds_of(schema), labels_of(schema)
    rows = [_row(f"{made.name}.shapes[{at}]", shape, _kind(shape), labels) for at, shape in enumerate(shapes)]
    spares = [_row(f"{made.name}.shapes[{len(rows) + at}]", {}, kind, labels) for at, kind in enumerate(kinds)]
    return replace(
        made,
        options=list(_pictures(value, pictures)),
        children=rows,
        blanks=spares,
        is_empty=value.get("shapes") == [],
    )


def _kind(shape: Mapping[str, Any]) -> str:
    return "box" if "box" in shape else "polygon"


def _row(name: str, shape: Mapping[str, Any], kind: str, labels: Sequence[str]) -> FormField:
    box = shape.get("box", {})
    chosen = shape.get("label") or (labels[0] if len(labels) == 1 else "")
    options = [
        Option(
            label, words_of(label, upper=False), at if at <= DIGITS else 0, label == chosen, colour_of(label, labels)
        )
        for at, label in enumerate(labels, 1)
    ]
    if chosen and chosen not in labels:
        options.append(Option(chosen, chosen, 0, True))
    return FormField(
        name,
        "",
        kind,
        label=kind.capitalize(),
        options=options,
        numbers={side: orjson.dumps(box[side]).decode() if side in box else "" for side in SIDES},
        text=" ".join(",".join(orjson.dumps(each).decode() for each in point) for point in shape.get("polygon", [])),
    )


def _pictures(value: Mapping[str, Any], pictures: Sequence[Picture]) -> Iterator[Option]:
    """Yield what the shapes may lie on: the item's pictures, and what the value names if that is another."""
    known = [{"image": each.name, "width": each.width, "height": each.height} for each in pictures]
    named = {part: value[part] for part in PARTS[:3] if part in value}
    chosen = named or (known[0] if known else None)
    if named and named not in known:
        known.append(named)
    for each in known:
        size = f"{each.get('width', '?')} × {each.get('height', '?')}"
        yield Option(orjson.dumps(each).decode(), f"{each.get('image', '?')}, {size}", 0, each == chosen)


def read_shapes(schema: Schema, name: str, posted: Mapping[str, str]) -> Any:
    """Return the value that the rows hold; a row without coordinates is none.

    MISSING where nobody drew a shape nor said that there is nothing to mark.
    """
    shapes, at = [], 0
    while kind := posted.get(f"{name}.shapes[{at}].kind"):
        if (shape := _read_row(f"{name}.shapes[{at}]", kind, posted)) is not None:
            shapes.append(shape)
        at += 1
    if not shapes and not posted.get(f"{name}.nothing"):
        return MISSING
    picture = as_value("json", posted.get(f"{name}.picture", ""))
    return {**(picture if isinstance(picture, dict) else {}), "shapes": shapes}


def _read_row(name: str, kind: str, posted: Mapping[str, str]) -> dict[str, Any] | None:
    if kind == "box":
        typed = {side: posted.get(f"{name}.{side}", "").strip() for side in SIDES}
        drawn: Any = {side: as_value("number", text) for side, text in typed.items() if text}
    else:
        drawn = points_of(posted.get(f"{name}.points", ""))
    if not drawn:
        return None
    label = posted.get(f"{name}.label", "")
    return {**({"label": label} if label else {}), kind: drawn}


def points_of(text: str) -> Any:
    """Return the points in a text such as `10,20 30,40`; a text that is none stays as it is, for the check to refuse."""
    if not text.strip():
        return []
    numbers = [as_value("number", each) for each in _NUMBER.findall(text)] if _POINTS.fullmatch(text) else []
    if not numbers or len(numbers) % 2:
        return text
    return [list(pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]
