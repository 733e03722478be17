"""Two answers made into one: where they differ, and what was chosen there. No database inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from labels.opinions.comparing import CATEGORY, OTHER, TEXT, Path, Rule, compare
from templates_app.annotations import is_annotations, labels_of
from templates_app.changes import as_stored, written
from templates_app.form_fields import MISSING, as_value
from templates_app.plain_schema import Schema, plain
from workbench.canonical import canonical_bytes

FIRST, SECOND, OWN = "first", "second", "other"
# The kind of a list of texts, which is typed one a line.
LINES = "lines"
CHOICES = (FIRST, SECOND, OWN)


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of the answer that differs; MISSING where it is not there. `options` are those of an enum, `labels` of shapes."""

    path: Path
    kind: str
    first: Any
    second: Any
    options: Sequence[Any] = ()
    labels: Sequence[str] = ()

    @property
    def name(self) -> str:
        return written(self.path)


def differences(output_schema: Schema, first: Any, second: Any, rule: Rule) -> list[Difference]:
    """Return the parts that differ, each as large as it must be to be taken alone.

    A list of another length is one part: its rows cannot be told apart by their position.
    """
    parts: dict[Path, Difference] = {}
    for unit in compare(output_schema, first, second, rule):
        path = () if unit.is_same else _whole(unit.path, first, second)
        if unit.is_same or path in parts:
            continue
        schema = _schema_at(output_schema, path)
        kind = unit.kind if path == unit.path else LINES if _lists_texts(output_schema, schema) else OTHER
        options = schema.get("enum", [True, False] if schema.get("type") == "boolean" else ())
        both = _at(first, path), _at(second, path)
        labels = labels_of(schema) if is_annotations(schema) else ()
        parts[path] = Difference(path, kind, *both, options if kind == CATEGORY else (), labels)
    return list(parts.values())


def merged(first: Any, found: Sequence[Difference], chosen: Mapping[str, str], typed: Mapping[str, Any]) -> Any:
    """Return the first answer with what was chosen for each difference by its name; `typed` is for those of `OWN`."""
    answer = deepcopy(first)
    for each in found:
        value = {FIRST: each.first, SECOND: each.second, OWN: typed.get(each.name)}[chosen[each.name]]
        answer = _put(answer, each.path, value)
    return answer


def value_of(difference: Difference, text: str) -> Any:
    """Return what was typed instead of both; MISSING for nothing. What cannot be read stays text, for the check to refuse."""
    if not text.strip():
        return MISSING
    if difference.kind == LINES:
        return [line.strip() for line in text.splitlines() if line.strip()]
    kind = "text" if difference.kind == TEXT else "json"
    return as_value(kind, text)


def taken_from(output_schema: Schema, first: Any, second: Any, answer: Any, rule: Rule) -> dict[str, str]:
    """Return whose the answer is at each difference of both, by its name; `OWN` too where both say otherwise than the answer."""
    found = differences(output_schema, first, second, rule)
    taken, base = {}, deepcopy(first)
    for each in found:
        said = _at(answer, each.path)
        taken[each.name] = FIRST if _says(said, each.first) else SECOND if _says(said, each.second) else OWN
        base = _put(base, each.path, deepcopy(said))
    return taken | {
        each.name: OWN for each in differences(output_schema, base, answer, Rule()) if each.name not in taken
    }


def in_words(chosen: Mapping[str, str], first: str, second: str) -> str:
    """Return from whom the answer is: "defect from ana, severity from ben, location another"."""
    names = {FIRST: f"from {first}", SECOND: f"from {second}", OWN: "another answer"}
    if len(chosen) > 1 and len(set(chosen.values())) == 1:
        return f"all {names[next(iter(chosen.values()))]}"
    return ", ".join(f"{name} {names[choice]}" for name, choice in chosen.items())


def _says(said: Any, wanted: Any) -> bool:
    said, wanted = (None if value is MISSING else value for value in (said, wanted))
    return canonical_bytes(as_stored(said, wanted)) == canonical_bytes(wanted)


def _whole(path: Path, first: Any, second: Any) -> Path:
    """Return the longest beginning of the path whose containers both answers have alike."""
    for at, step in enumerate(path):
        both_lists = isinstance(first, list) and isinstance(second, list) and len(first) == len(second)
        both_objects = isinstance(first, Mapping) and isinstance(second, Mapping)
        if not (both_lists if isinstance(step, int) else both_objects):
            return path[:at]
        first, second = _member(first, step), _member(second, step)
    return path


def _at(answer: Any, path: Path) -> Any:
    for step in path:
        answer = _member(answer, step)
    return answer


def _member(holder: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return holder[step] if isinstance(holder, list) and step < len(holder) else MISSING
    return holder.get(step, MISSING) if isinstance(holder, Mapping) else MISSING


def _put(answer: Any, path: Path, value: Any) -> Any:
    if not path:
        return None if value is MISSING else value
    *above, last = path
    holder = _at(answer, tuple(above))
    if value is not MISSING:
        holder[last] = value
    elif isinstance(last, int):
        holder[last] = None
    else:
        holder.pop(last, None)
    return answer


def _lists_texts(root: Schema, schema: Schema) -> bool:
    items, _ = plain(root, schema.get("items", {}))
    return schema.get("type") == "array" and items.get("type") == "string"


def _schema_at(root: Schema, path: Path) -> Schema:
    schema, _ = plain(root, root)
    for step in path:
        if is_annotations(schema):
            return {}
        inner = schema.get("items", {}) if isinstance(step, int) else schema.get("properties", {}).get(step, {})
        schema, _ = plain(root, inner)
    return schema
