"""Fields as people write them: `{"name", "type", "description"?, "required"?, "enum"?, "items"?}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from templates_app.annotations import annotations_schema
from workbench.near import near_misses

# A field's type → the JSON Schema of its value.
TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "text": {"type": "string"},
    "image": {"type": "string"},
    "file": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "decimal": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "array": {"type": "array"},
    "object": {"type": "object"},
    "image_annotations": {"type": "object"},
    "any": {},
}
_ALIASES = {"str": "string", "int": "integer", "bigint": "integer", "float": "number", "double": "number"}
_ALIASES |= {"bool": "boolean", "timestamp": "datetime", "date-time": "datetime", "list": "array", "struct": "object"}
_FIELD_KEYS = ("name", "type", "description", "required", "enum", "items")


def field_faults(value: Any, path: str) -> list[str]:
    """Everything wrong with a list of fields, each text beginning with `path`."""
    if not isinstance(value, list):
        return [f"{path}: found {shown(value)}; allowed is a list of fields, as [{{'name': 'x', 'type': 'string'}}]"]
    names = [str(field.get("name")) for field in value if isinstance(field, Mapping)]
    faults = [fault for at, field in enumerate(value) for fault in _one_field(field, f"{path}[{at}]")]
    return faults + [f"{path}: the field '{name}' stands twice" for name in sorted(set(names)) if names.count(name) > 1]


def _one_field(field: Any, path: str) -> Iterator[str]:
    if not isinstance(field, Mapping):
        yield f"{path}: found {shown(field)}; allowed is an object with name and type"
        return
    for key in sorted(set(field) - set(_FIELD_KEYS)):
        yield f"{path}: found the key '{key}'; allowed are {', '.join(_FIELD_KEYS)}.{near_misses(key, _FIELD_KEYS)}"
    if not isinstance(field.get("name"), str) or not field["name"]:
        yield f"{path}.name: found {shown(field.get('name'))}; allowed is the name of a column or field"
    for key in ("type", "items"):
        kind = field.get(key, "any" if key == "items" else None)
        if not isinstance(kind, Mapping if key == "items" else ()) and _kind(kind) not in TYPES:
            yield f"{path}.{key}: found {shown(kind)}; allowed are {', '.join(TYPES)}.{near_misses(str(kind), TYPES)}"
    if "enum" in field and (not isinstance(field["enum"], list) or not field["enum"]):
        yield f"{path}.enum: found {shown(field['enum'])}; allowed is a list of the possible values"
    if _kind(field.get("type")) == "image_annotations" and not isinstance(field.get("enum"), list):
        yield f"{path}.enum: found nothing; image_annotations needs the labels of its boxes and polygons here"
    if not isinstance(field.get("required", True), bool):
        yield f"{path}.required: found {shown(field['required'])}; allowed are true and false"


def _kind(name: Any) -> str:
    folded = str(name).casefold()
    return _ALIASES.get(folded, folded)


def field_schema(field: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of one field's value."""
    if _kind(field["type"]) == "image_annotations":
        words = {"description": field["description"]} if field.get("description") else {}
        return annotations_schema(field["enum"]) | words
    made = dict(TYPES[_kind(field["type"])])
    if "items" in field:
        made["items"] = dict(field["items"]) if isinstance(field["items"], Mapping) else TYPES[_kind(field["items"])]
    return made | {key: field[key] for key in ("description", "enum") if field.get(key)}


def shown(value: Any) -> str:
    """The value as an error shows it: JSON, cut at 80 characters."""
    text = orjson.dumps(value, default=str).decode() if value is not None else "nothing"
    return text if len(text) <= 80 else text[:79] + "…"
