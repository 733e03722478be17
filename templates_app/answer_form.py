"""The form of an answer, made from its JSON Schema: what a person fills in, and the answer that a posted form holds.

No database and no HTTP inside. A field's name is its path as the faults of `templates_app.schemas` write it
(`answer.codes[0]`), so that a fault finds its field. What the form cannot show as fields is JSON text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from sheets.pictures import Picture
from templates_app.annotations import is_annotations
from templates_app.form_fields import DIGITS, MISSING, FormField, Option, as_value, words_of
from templates_app.plain_schema import DEEPEST, Schema, plain
from templates_app.shape_fields import can_be_drawn, read_shapes, with_shapes

__all__ = ["MISSING", "FormField", "answer_of", "form_of"]

ROOT = "answer"
_TYPES = {"object": "object", "array": "array", "string": "text", "integer": "integer", "number": "number"}
_FORMATS = {"date": "date", "date-time": "datetime"}
_LIMITS = ("minimum", "maximum", "minLength", "maxLength", "pattern")


def form_of(
    output_schema: Schema,
    answer: Any = MISSING,
    faults: Sequence[str] = (),
    *,
    pictures: Sequence[Picture] = (),
    notes: Sequence[tuple[str, str]] = (),
) -> FormField:
    """Return the form of a schema, filled with an answer; each fault stands at its field, or at the nearest above it.

    An empty schema is one text. Faults are those of `templates_app.schemas.misfits`; `pictures` are those of the item,
    for boxes and polygons; `notes` are fields, each with words to show below it, as faults do.
    """
    made = _Maker(output_schema, pictures).field(output_schema, ROOT, "", answer, label="Answer", required=True)
    return _with_notes(_with_faults(made, list(faults)), list(notes))


def answer_of(output_schema: Schema, posted: Mapping[str, str]) -> Any:
    """Return the answer that a posted form holds; what cannot be read as its type stays text, for the check to refuse."""
    found = _Maker(output_schema).read(output_schema, ROOT, posted, required=True)
    return "" if found is MISSING else found


class _Maker:
    def __init__(self, root: Schema, pictures: Sequence[Picture] = ()) -> None:
        self.root, self.pictures = root, pictures

    def field(
        self, schema: Schema, name: str, key: str, value: Any, *, label: str, required: bool, depth: int = 0
    ) -> FormField:
        schema, nullable = plain(self.root, schema)
        kind = _kind(schema, value, depth)
        made = FormField(
            name,
            key,
            kind,
            label=str(schema.get("title") or label),
            help=str(schema.get("description") or ""),
            required=required,
            nullable=nullable,
            limits={limit: schema[limit] for limit in _LIMITS if limit in schema},
        )
        if kind == "shapes":
            return with_shapes(made, schema, value, self.pictures)
        if kind == "object":
            return replace(made, children=list(self._members(schema, made, value, depth)))
        if kind == "array":
            rows = value if isinstance(value, list) else []
            row = schema["items"]
            return replace(
                made,
                children=[self._row(row, made, f"[{at}]", each, depth) for at, each in enumerate(rows)],
                blank=self._row(row, made, "[new]", MISSING, depth),
                spare=self._row(row, made, f"[{len(rows)}]", MISSING, depth),
            )
        if kind == "choice":
            return replace(made, options=_options(schema, value, required and not nullable))
        return replace(made, text=_text(kind, value))

    def read(self, schema: Schema, name: str, posted: Mapping[str, str], *, required: bool, depth: int = 0) -> Any:
        schema, nullable = plain(self.root, schema)
        match _kind(schema, MISSING, depth) if name not in posted else "":
            case "object":
                return self._read_members(schema, name, posted, required, depth)
            case "array":
                return self._read_rows(schema, name, posted, required, depth)
            case "shapes":
                found = read_shapes(schema, name, posted)
                return None if found is MISSING and nullable else found
        text = posted.get(name, "").replace("\r\n", "\n")
        kind = _kind(schema, MISSING, depth)
        if text.strip():
            return as_value(kind, text)
        if nullable:
            return None
        may_be_empty = kind == "text" and not any(limit in schema for limit in ("minLength", "pattern"))
        return "" if required and may_be_empty else MISSING

    def _members(self, schema: Schema, made: FormField, value: Any, depth: int) -> Iterator[FormField]:
        values = value if isinstance(value, Mapping) else {}
        needed = schema.get("required", [])
        # The lakehouse keeps JSON with sorted keys; `required` is a list, and so still in its author's order.
        for key in sorted(schema["properties"], key=lambda name: needed.index(name) if name in needed else len(needed)):
            member = schema["properties"][key]
            yield self.field(
                member,
                f"{made.name}.{key}",
                key,
                values.get(key, MISSING),
                label=words_of(key),
                required=key in needed,
                depth=depth + 1,
            )
        if schema.get("additionalProperties", True) is not False:
            more = {key: item for key, item in values.items() if key not in schema["properties"]}
            yield FormField(
                f"{made.name}.*",
                "*",
                "other",
                label="Other fields",
                help="JSON",
                required=False,
                text=_pretty(more) if more else "",
            )

    def _row(self, schema: Schema, made: FormField, at: str, value: Any, depth: int) -> FormField:
        row = self.field(schema, made.name + at, at, value, label=made.label, required=False, depth=depth + 1)
        return replace(row, help="")

    def _read_members(self, schema: Schema, name: str, posted: Mapping[str, str], required: bool, depth: int) -> Any:
        found = {}
        for key, member in schema["properties"].items():
            needed = key in schema.get("required", [])
            value = self.read(member, f"{name}.{key}", posted, required=needed, depth=depth + 1)
            if value is not MISSING:
                found[key] = value
        if more := posted.get(f"{name}.*", "").strip():
            others = as_value("json", more)
            found |= others if isinstance(others, dict) else {"*": others}
        said = any(value not in ("", None, [], {}) for value in found.values())
        return found if required or said else MISSING

    def _read_rows(self, schema: Schema, name: str, posted: Mapping[str, str], required: bool, depth: int) -> Any:
        rows, at = [], 0
        while any(key.startswith(f"{name}[{at}]") for key in posted):
            value = self.read(schema["items"], f"{name}[{at}]", posted, required=False, depth=depth + 1)
            if value not in (MISSING, None):
                rows.append(value)
            at += 1
        return rows if rows or required else MISSING


def _kind(schema: Schema, value: Any, depth: int) -> str:
    """Return how to show a schema; a value that its fields could not hold makes it JSON."""
    if "enum" in schema or "const" in schema or schema.get("type") == "boolean":
        return "choice"
    if not schema:
        return "text" if depth == 0 and (value is MISSING or isinstance(value, str)) else "json"
    if is_annotations(schema):
        return "shapes" if value in (MISSING, None) or can_be_drawn(value, schema) else "json"
    kind = _TYPES.get(str(schema.get("type", "object" if "properties" in schema else "")), "json")
    if any(word in schema for word in ("anyOf", "oneOf", "prefixItems")) or depth > DEEPEST:
        return "json"
    if kind == "object":
        return kind if schema.get("properties") and (value is MISSING or isinstance(value, Mapping)) else "json"
    if kind == "array":
        return kind if schema.get("items") and (value is MISSING or isinstance(value, list)) else "json"
    if kind == "text" and not (value is MISSING or value is None or isinstance(value, str)):
        return "json"
    return _FORMATS.get(str(schema.get("format")), kind) if kind == "text" else kind


def _options(schema: Schema, value: Any, needed: bool) -> list[Option]:
    values = schema.get("enum") or ([schema["const"]] if "const" in schema else [True, False])
    told = {True: "yes", False: "no"} if schema.get("type") == "boolean" and "enum" not in schema else {}
    made = [
        Option(
            orjson.dumps(each).decode(),
            told.get(each) or (words_of(each, upper=False) if isinstance(each, str) else orjson.dumps(each).decode()),
            at if at <= DIGITS else 0,
            value is not MISSING and value == each and type(value) is type(each),
        )
        for at, each in enumerate(values, 1)
        if each is not None
    ]
    if not needed:
        made.append(Option("", "nothing", 0, not any(option.chosen for option in made)))
    return made


def _text(kind: str, value: Any) -> str:
    if value is MISSING or value is None:
        return ""
    if kind in ("json", "other"):
        return _pretty(value)
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _inside(fault: str, name: str) -> str:
    """Return the fault without the path of the field at which it stands; what lies inside that keeps its own."""
    return fault.removeprefix(f"{name}: ").removeprefix(f"{name}.")


def _with_faults(made: FormField, faults: list[str]) -> FormField:
    """Return the form with each fault at the deepest field whose name it begins with; takes them from the list."""
    children = [_with_faults(child, faults) for child in made.children]
    mine = [fault for fault in faults if _belongs(fault, made.name) or made.name == ROOT]
    faults[:] = [fault for fault in faults if fault not in mine]
    return replace(made, children=children, faults=[_inside(fault, made.name) for fault in mine])


def _with_notes(made: FormField, notes: list[tuple[str, str]]) -> FormField:
    """Return the form with each note at the deepest field whose name it begins with; takes them from the list."""
    if not notes:
        return made
    children = [_with_notes(child, notes) for child in made.children]
    mine = [(name, words) for name, words in notes if name == made.name or _belongs(name, made.name)]
    notes[:] = [note for note in notes if note not in mine]
    return replace(made, children=children, notes=[words for _, words in mine])


def _belongs(fault: str, name: str) -> bool:
    return fault.startswith(name) and fault[len(name) : len(name) + 1] in (":", ".", "[")
