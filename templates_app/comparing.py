"""Two versions of a template side by side: texts line by line, schemas field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from templates_app.models import PromptTemplate
from templates_app.schemas import SchemaProblem, normalise_output_schema

TEXTS = ("system_prompt", "user_prompt_template", "guidelines", "description")
SCHEMAS = ("input_schema", "output_schema")
VALUES = ("label_type", "base_model", "temperature", "max_tokens", "examples")


@dataclass(frozen=True, slots=True)
class Line:
    """A line on both sides with its numbers from 1; `change` is "", "added", "removed" or "changed"."""

    change: str
    old_number: int | None
    old: str
    new_number: int | None
    new: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a schema as it is on both sides, "" where it is not there."""

    name: str
    change: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A part of two templates: `lines` of a text, or the `fields` of a schema or value that differ."""

    part: str
    lines: list[Line]
    fields: list[FieldChange]

    @property
    def is_same(self) -> bool:
        return not self.fields and not any(line.change for line in self.lines)


def compare(old: PromptTemplate, new: PromptTemplate) -> list[Comparison]:
    """Return every part of the two templates, those that are the same too."""
    texts = [Comparison(name, list(lines(getattr(old, name), getattr(new, name))), []) for name in TEXTS]
    schemas = [Comparison(name, [], list(_fields(getattr(old, name), getattr(new, name)))) for name in SCHEMAS]
    values = [Comparison(name, [], list(_value(name, getattr(old, name), getattr(new, name)))) for name in VALUES]
    return [*texts, *schemas, *values]


def lines(old: str, new: str) -> Iterator[Line]:
    """Yield the lines of two texts beside each other; a changed line stands beside what it became."""
    left, right = old.splitlines(), new.splitlines()
    for kind, a, a_end, b, b_end in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for at in range(max(a_end - a, b_end - b)):
            has_old, has_new = a + at < a_end, b + at < b_end
            yield Line(
                "" if kind == "equal" else "changed" if has_old and has_new else "removed" if has_old else "added",
                a + at + 1 if has_old else None,
                left[a + at] if has_old else "",
                b + at + 1 if has_new else None,
                right[b + at] if has_new else "",
            )


def _fields(old: Any, new: Any) -> Iterator[FieldChange]:
    yield from _changes(_by_name(old), _by_name(new))


def _value(name: str, old: Any, new: Any) -> Iterator[FieldChange]:
    yield from _changes({name: old}, {name: new})


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name in [*old, *(name for name in new if name not in old)]:
        before, after = _shown(old, name), _shown(new, name)
        if before != after:
            change = "added" if name not in old else "removed" if name not in new else "changed"
            yield FieldChange(name, change, before, after)


def _by_name(schema: Any) -> dict[str, Any]:
    """The fields of a schema by name, each with whether it is required; what is beside the fields under its keyword."""
    if isinstance(schema, list):
        return {str(field.get("name")): field for field in schema if isinstance(field, Mapping)}
    try:
        given = normalise_output_schema(schema)
    except SchemaProblem:
        return {"schema": schema}
    required = given.get("required", [])
    properties = given.get("properties", {})
    if not isinstance(properties, Mapping) or not isinstance(required, list):
        return {"schema": schema}
    fields = {name: {"schema": each, "required": name in required} for name, each in properties.items()}
    return fields | {f"({key})": each for key, each in given.items() if key not in ("properties", "required")}


def _shown(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        return ""
    value = values[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
