"""A schema as a form reads it: behind its references, and without the null that it allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

DEEPEST = 6

Schema = Mapping[str, Any]


def plain(root: Schema, schema: Any) -> tuple[Schema, bool]:
    """Return the schema behind references into `root`, and whether null is allowed beside it."""
    nullable = False
    for _ in range(DEEPEST):
        if not isinstance(schema, Mapping):
            return {}, nullable
        if isinstance(reference := schema.get("$ref"), str) and reference.startswith("#/"):
            target = _at(root, reference[2:].split("/"))
            schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
        elif rest := _without_null(schema):
            schema, nullable = rest, True
        else:
            break
    return schema, nullable


def _without_null(schema: Schema) -> Schema | None:
    """Return the schema without null where it allows null and something else, else None."""
    kinds = schema.get("type")
    if isinstance(kinds, list) and "null" in kinds and len(kinds) == 2:
        (other,) = (kind for kind in kinds if kind != "null")
        return {**schema, "type": other}
    several = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(several, list) and len(several) == 2 and {"type": "null"} in several:
        (one,) = (each for each in several if each != {"type": "null"})
        return {**{key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}, **one}
    return None


def _at(root: Any, steps: Sequence[str]) -> Schema:
    for step in steps:
        name = step.replace("~1", "/").replace("~0", "~")
        root = root.get(name, {}) if isinstance(root, Mapping) else {}
    return root if isinstance(root, Mapping) else {}
