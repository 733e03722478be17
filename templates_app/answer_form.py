"""The form of an answer, made from its JSON Schema: what a person fills in, and the answer that a posted form holds.

No database and no HTTP inside. A field's name is its path as the faults of `templates_app.schemas` write it
(`answer.codes[0]`), so that a fault finds its field. What the form cannot show as fields is JSON text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

ROOT = "answer"
DEEPEST = 6
DIGITS = 9
MISSING: Any = object()
_TYPES = {"object": "object", "array": "array", "string": "text", "integer": "integer", "number": "number"}
_FORMATS = {"date": "date", "date-time": "datetime"}
_LIMITS = ("minimum", "maximum", "minLength", "maxLength", "pattern")

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: its value as JSON, the words for it, and the digit that picks it (0 for none)."""

    value: str
    words: str
    digit: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class FormField:
    """One field. `kind` is object, array, choice, text, integer, number, date, datetime, json or other.

    `other` is JSON text for the members of an object that its schema does not name. `blank` is what a new row of an
    array looks like, `spare` an empty one to fill in without a script; `text` is the value as its input shows it.
    """

    name: str
    key: str
    kind: str
    label: str
    help: str = ""
    required: bool = True
    nullable: bool = False
    text: str = ""
    limits: dict[str, Any] = field(default_factory=dict)
    options: list[Option] = field(default_factory=list)
    children: list[FormField] = field(default_factory=list)
    blank: FormField | None = None
    spare: FormField | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return "f-" + "".join(letter if letter.isalnum() else "-" for letter in self.name)

    @property
    def is_select(self) -> bool:
        return len(self.options) > DIGITS

    @property
    def is_group(self) -> bool:
        return self.kind in ("object", "array") or (self.kind == "choice" and not self.is_select)


def form_of(output_schema: Schema, answer: Any = MISSING, faults: Sequence[str] = ()) -> FormField:
    """Return the form of a schema, filled with an answer; each fault stands at its field, or at the nearest above it.

    An empty schema is one text. Faults are those of `templates_app.schemas.misfits`.
    """
    made = _Maker(output_schema).field(output_schema, ROOT, "", answer, label="Answer", required=True)
    return _with_faults(made, list(faults))


def answer_of(output_schema: Schema, posted: Mapping[str, str]) -> Any:
    """Return the answer that a posted form holds; what cannot be read as its type stays text, for the check to refuse."""
    found = _Maker(output_schema).read(output_schema, ROOT, posted, required=True)
    return "" if found is MISSING else found


class _Maker:
    def __init__(self, root: Schema) -> None:
        self.root = root

    def field(
        self, schema: Schema, name: str, key: str, value: Any, *, label: str, required: bool, depth: int = 0
    ) -> FormField:
        schema, nullable = self._plain(schema)
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
        schema, nullable = self._plain(schema)
        match _kind(schema, MISSING, depth) if name not in posted else "":
            case "object":
                return self._read_members(schema, name, posted, required, depth)
            case "array":
                return self._read_rows(schema, name, posted, required, depth)
        text = posted.get(name, "").replace("\r\n", "\n")
        kind = _kind(schema, MISSING, depth)
        if text.strip():
            return _value(kind, text)
        if nullable:
            return None
        plain = kind == "text" and not any(limit in schema for limit in ("minLength", "pattern"))
        return "" if required and plain else MISSING

    def _plain(self, schema: Any) -> tuple[Schema, bool]:
        """Return the schema behind references, and whether null is allowed beside it."""
        nullable = False
        for _ in range(DEEPEST):
            if not isinstance(schema, Mapping):
                return {}, nullable
            if isinstance(reference := schema.get("$ref"), str) and reference.startswith("#/"):
                target = _at(self.root, reference[2:].split("/"))
                schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
            elif rest := _without_null(schema):
                schema, nullable = rest, True
            else:
                break
        return schema, nullable

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
                label=_words(key),
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
            others = _value("json", more)
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
            told.get(each) or (_words(each, upper=False) if isinstance(each, str) else orjson.dumps(each).decode()),
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


def _value(kind: str, text: str) -> Any:
    if kind not in ("text", "date", "datetime"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text


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


def _words(key: str, *, upper: bool = True) -> str:
    words = key.replace("_", " ").strip()
    return words[:1].upper() + words[1:] if upper else words


def _with_faults(made: FormField, faults: list[str]) -> FormField:
    """Return the form with each fault at the deepest field whose name it begins with; takes them from the list."""
    children = [_with_faults(child, faults) for child in made.children]
    mine = [fault for fault in faults if _belongs(fault, made.name) or made.name == ROOT]
    faults[:] = [fault for fault in faults if fault not in mine]
    return replace(made, children=children, faults=[fault.removeprefix(f"{made.name}: ") for fault in mine])


def _belongs(fault: str, name: str) -> bool:
    return fault.startswith(name) and fault[len(name) : len(name) + 1] in (":", ".", "[")
