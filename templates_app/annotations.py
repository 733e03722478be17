"""Boxes and polygons on an item's picture: the JSON Schema that asks for them, and where an answer has them.

A value is `{"image", "width", "height", "shapes"}`: a file's name, its size in pixels as it is seen upright, and shapes
of `{"label", "box": {"x", "y", "width", "height"}}` or `{"label", "polygon": [[x, y], …]}` in those pixels, from the
top left corner. No database and no HTTP inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from templates_app.plain_schema import DEEPEST, Schema, plain

FORMAT = "image-annotations"
KINDS = ("box", "polygon")
SIDES = ("x", "y", "width", "height")
PARTS = ("image", "width", "height", "shapes")
# How many there are in `sheets/static/sheets/viewer.css`.
COLOURS = 8


@dataclass(frozen=True, slots=True)
class Annotations:
    """The shapes of one field: its path in the answer (`board.defects`), its schema and its value."""

    path: str
    schema: Schema
    value: Mapping[str, Any]


def is_annotations(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("format") == FORMAT


def annotations_schema(labels: Sequence[str]) -> dict[str, Any]:
    """Return the whole JSON Schema of a field for boxes and polygons with these labels."""
    sides = {side: {"type": "number"} for side in SIDES}
    point = {"type": "array", "items": {"type": "number"}}
    shape = {
        "label": {"type": "string", "enum": list(labels)},
        "box": _object(sides, SIDES),
        "polygon": {"type": "array", "items": point},
    }
    parts = {
        "image": {"type": "string"},
        "width": {"type": "integer"},
        "height": {"type": "integer"},
        "shapes": {"type": "array", "items": _object(shape, ["label"])},
    }
    return {**_object(parts, PARTS), "format": FORMAT}


def _object(properties: Mapping[str, Any], required: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def schema_faults(schema: Schema) -> Iterator[str]:
    """Yield what keeps a schema of this format from being used."""
    if schema.get("type") != "object":
        yield f"output_schema: found the format {FORMAT!r} on type {schema.get('type')!r}; allowed is 'object'"
    labels = _of_shape(schema).get("label", {}).get("enum")
    if (
        not isinstance(labels, list)
        or not labels
        or not all(isinstance(label, str) and label.strip() and label.splitlines() == [label] for label in labels)
        or len(set(labels)) < len(labels)
    ):
        found = orjson.dumps(labels).decode() if labels is not None else "nothing"
        yield (
            f"output_schema: the format {FORMAT!r} needs the labels of its shapes as different texts, each on one line, at "
            f"properties.shapes.items.properties.label.enum; found {found}"
        )


def labels_of(schema: Schema) -> tuple[str, ...]:
    return tuple(_of_shape(schema).get("label", {}).get("enum", ()))


def colour_of(label: str, labels: Sequence[str]) -> int:
    """Return the number of a label's colour on screens, which follows its place in the schema: from 1, 0 for a stranger.

    Labels beyond the last colour begin anew; a screen always writes the label beside.
    """
    return labels.index(label) % COLOURS + 1 if label in labels else 0


def kinds_of(schema: Schema) -> tuple[str, ...]:
    """Return which of box and polygon may be drawn: those that the schema names, both where it names neither."""
    named = _of_shape(schema)
    return tuple(kind for kind in KINDS if kind in named) or KINDS


def _of_shape(schema: Any) -> Mapping[str, Any]:
    for step in ("properties", "shapes", "items", "properties"):
        schema = schema.get(step) if isinstance(schema, Mapping) else None
    found = schema if isinstance(schema, Mapping) else {}
    return {name: each if isinstance(each, Mapping) else {} for name, each in found.items()}


def annotations_in(output_schema: Schema, answer: Any) -> Iterator[Annotations]:
    """Yield the shapes that an answer holds, by the fields of its schema, with those of objects inside it."""
    yield from _inside(output_schema, output_schema, answer, "", 0)


def _inside(root: Schema, schema: Any, value: Any, path: str, depth: int) -> Iterator[Annotations]:
    schema, _ = plain(root, schema)
    if is_annotations(schema):
        if isinstance(value, Mapping):
            yield Annotations(path, schema, value)
    elif isinstance(value, Mapping) and depth <= DEEPEST:
        for name, member in schema.get("properties", {}).items():
            inner = f"{path}.{name}" if path else name
            yield from _inside(root, member, value.get(name), inner, depth + 1)


def asks_for_annotations(output_schema: Schema) -> bool:
    """Return whether an answer of the schema has shapes, so that its pictures matter."""
    return FORMAT.encode() in orjson.dumps(dict(output_schema))
