"""What a template takes and gives: input fields, the JSON Schema of an answer, and what publishing checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, EMPTY_REGISTRY

from templates_app.annotations import FORMAT, is_annotations, schema_faults
from templates_app.fields import field_faults, field_schema, shown
from templates_app.formats import FORMATS
from templates_app.patterns import pattern_faults
from templates_app.problems import TemplateProblem
from templates_app.rendering import variables
from templates_app.validator import AnswerValidator
from workbench.canonical import canonical_bytes, read_json
from workbench.near import listed, near_misses

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class SchemaProblem(ValueError):  # noqa: N818 - the name the API and the screens use
    """Everything wrong with a schema, one text each in `faults`."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = list(faults)


def normalise_output_schema(value: Any) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of an answer, from one or from a list of fields.

    A field is `{"name", "type", "description"?, "enum"?, "required"?, "items"?}`; without `required` it is required,
    since an answer that lacks it should be looked at, and no other fields are allowed. `items` is the type of an
    array's elements. An empty list or object is any answer, text too. Raises SchemaProblem.
    """
    if isinstance(value, Mapping):
        return dict(value)
    if not value and value is not False and value != 0:
        return {}
    if faults := field_faults(value, "output_schema"):
        raise SchemaProblem(faults)
    return {
        "type": "object",
        "properties": {field["name"]: field_schema(field) for field in value},
        "required": [field["name"] for field in value if field.get("required", True)],
        "additionalProperties": False,
    }


def check_input_schema(value: Any) -> None:
    """Raises SchemaProblem with every fault of a list of `{"name", "type", "description"?, "required"?}`."""
    if faults := field_faults(value, "input_schema"):
        raise SchemaProblem(faults)


def check_output_schema(value: Any) -> None:
    """Raises SchemaProblem with every fault of a JSON Schema or list of fields. References stay inside the schema."""
    schema = normalise_output_schema(value)
    if (dialect := schema.get("$schema", DIALECT)) != DIALECT:
        raise SchemaProblem([f"output_schema.$schema: found {dialect!r}; allowed is {DIALECT!r}"])
    meta = Draft202012Validator(Draft202012Validator.META_SCHEMA, format_checker=FORMATS)
    faults = [_words(error, "output_schema") for error in meta.iter_errors(schema)]
    for part in _subschemas(schema):
        faults += _subschema_faults(schema, part)
    if faults:
        raise SchemaProblem(faults)


def _subschema_faults(schema: dict[str, Any], part: Mapping[str, Any]) -> Iterator[str]:
    for keyword, value in part.items():
        yield from pattern_faults(keyword, value)
        if keyword in {"$ref", "$dynamicRef"} and isinstance(value, str) and not _resolves(schema, value):
            yield (
                f"output_schema: the reference {value!r} leads to nothing inside the schema; write it under $defs and "
                "refer to '#/$defs/…'"
            )
    if is_annotations(part):
        yield from schema_faults(part)
    if any(map(is_annotations, _subschemas(part.get("items")))):
        yield f"output_schema: found the format {FORMAT!r} inside an array; name one field for each picture instead"


def misfits(output_schema: Any, answer: Any) -> list[str]:
    """Why an answer does not fit, each with path, what was found and what is allowed; empty when it fits.

    Text is taken as it is where the schema allows text, else read as JSON, as a model's answers are. Formats (date,
    date-time, email, …) count. SchemaProblem if the schema itself cannot be used.
    """
    validator = _validator(canonical_bytes(normalise_output_schema(output_schema)))
    if not isinstance(answer, str):
        return _faults(validator, orjson.loads(canonical_bytes(answer)))
    faults = _faults(validator, answer)
    if not faults:
        return []
    try:
        value = read_json(answer)
    except orjson.JSONDecodeError:
        return [f"answer: found text that is not JSON ({shown(answer)}); allowed is {_allowed(validator.schema)}"]
    except ValueError as error:
        return [f"answer: {error}"]
    return faults if isinstance(value, str) else _faults(validator, value)


def checker(output_schema: Any, part: Mapping[str, Any] | None = None) -> Callable[[Any], bool]:
    """A function that says whether a plain JSON value fits the schema, or a part of it, for asking often."""
    validator = _validator(canonical_bytes(normalise_output_schema(output_schema)))
    return (validator if part is None else validator.evolve(schema=part)).is_valid


def check_template(template: Mapping[str, Any]) -> list[str]:
    """Every fault that keeps a template from being published; empty when it may be.

    Reads `system_prompt`, `user_prompt_template`, `input_schema`, `output_schema` and `examples`: both prompts parse,
    every variable is in the input schema, both schemas are valid, and each example fits them.
    """
    faults: list[str] = []
    fields = _checked(faults, check_input_schema, template.get("input_schema") or [])
    schema = _checked(faults, check_output_schema, template.get("output_schema") or {})
    if not str(template.get("user_prompt_template") or "").strip():
        faults.append("user_prompt_template: found nothing; write the question, with columns as {{ column }}")
    names = None if fields is None else [field["name"] for field in fields]
    for prompt in ("system_prompt", "user_prompt_template"):
        faults += _prompt_faults(prompt, str(template.get(prompt) or ""), names)
    for at, example in enumerate(template.get("examples") or []):
        faults += _example_faults(f"examples[{at}]", example, fields, schema)
    return faults


def _checked(faults: list[str], check: Any, value: Any) -> Any:
    """The value if it passes, else None with its faults added."""
    try:
        check(value)
    except SchemaProblem as problem:
        faults += problem.faults
        return None
    return value


def _prompt_faults(prompt: str, text: str, names: list[str] | None) -> Iterator[str]:
    try:
        wanted = variables(text)
    except TemplateProblem as problem:
        yield f"{prompt}: {problem}"
        return
    for name, lines in wanted.items():
        if names is not None and name not in names:
            where = ", ".join(map(str, lines))
            yield (
                f"{prompt}: line {where}: the variable '{name}' is not in input_schema, which has {listed(names)}."
                f"{near_misses(name, names)} Add it there or take it out."
            )


def _example_faults(path: str, example: Any, fields: Any, schema: Any) -> Iterator[str]:
    if not isinstance(example, Mapping) or not {"input", "output"} <= set(example):
        yield f"{path}: found {shown(example)}; allowed is an object with 'input' and 'output'"
        return
    if fields is not None and isinstance(example["input"], Mapping):
        given = example["input"]
        for field in fields:
            if field.get("required", True) and field["name"] not in given:
                yield f"{path}.input.{field['name']}: found nothing; it is a required input"
        for name in given:
            if name not in {field["name"] for field in fields}:
                known = [field["name"] for field in fields]
                yield f"{path}.input.{name}: not in input_schema.{near_misses(name, known)}"
        for field in fields:
            if given.get(field["name"]) is not None:
                yield from _renamed(misfits(field_schema(field), given[field["name"]]), f"{path}.input.{field['name']}")
    elif not isinstance(example["input"], Mapping | str):
        yield f"{path}.input: found {shown(example['input'])}; allowed is an object of the input fields, or text"
    if schema is not None:
        yield from _renamed(misfits(schema, example["output"]), f"{path}.output")


def _renamed(faults: Sequence[str], path: str) -> list[str]:
    return [path + fault.removeprefix("answer") for fault in faults]


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Validator:
    # The registry is empty and cannot retrieve, so a reference to anywhere else is never fetched.
    return AnswerValidator(orjson.loads(schema), registry=EMPTY_REGISTRY, format_checker=FORMATS)


def _faults(validator: Validator, value: Any) -> list[str]:
    try:
        errors = sorted(validator.iter_errors(value), key=lambda error: [str(part) for part in error.absolute_path])
    except Unresolvable as error:
        return [f"output_schema: the reference {error.ref!r} leads nowhere; write it under $defs"]
    except RecursionError:
        return ["output_schema: it refers to itself without end"]
    # A schema may say itself what its format says too.
    return list(dict.fromkeys(_words(error, "answer") for error in errors))


def _words(error: ValidationError, root: str) -> str:
    path = root + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    limit: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "required":
            missing = next((name for name in limit if f"'{name}'" in error.message), "")
            return f"{path}.{missing}: found nothing; it is required"
        case "additionalProperties" if limit is False:
            known = list(schema.get("properties", {}))
            found: Any = error.instance
            extra = sorted(set(found) - set(known))
            close = near_misses(extra[0], known) if extra else ""
            return f"{path}: found {listed(extra)}; allowed are {listed(known)}.{close}"
        case "type":
            return f"{path}: found {shown(error.instance)}; allowed is {_either(limit)}"
        case "enum":
            return f"{path}: found {shown(error.instance)}; allowed are {', '.join(map(shown, limit))}"
        case "format" if limit == FORMAT:
            return f"{path}: {error.message}"
        case "format":
            return f"{path}: found {shown(error.instance)}; allowed is a {limit}, as {_FORMATS.get(limit, limit)}"
    return f"{path}: found {shown(error.instance)}; allowed is {error.validator} {shown(limit)}"


_FORMATS = {"date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z", "email": "a@b.org"}


def _allowed(schema: Any) -> str:
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    return f"JSON of {_either(kind)}" if kind else "JSON that fits the schema"


def _either(kind: Any) -> str:
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _resolves(schema: dict[str, Any], reference: str) -> bool:
    registry = EMPTY_REGISTRY.with_resource("urn:answer", DRAFT202012.create_resource(schema))
    try:
        registry.resolver("urn:answer").lookup(reference)
    except Unresolvable:
        return False
    return True


def _subschemas(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Every schema in a schema, itself first; what is data, not schema, is left out."""
    if isinstance(schema, Mapping):
        yield schema
        for keyword, value in schema.items():
            if keyword in _BY_NAME and isinstance(value, Mapping):
                yield from _subschemas(list(value.values()))
            elif keyword not in _DATA:
                yield from _subschemas(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _subschemas(item)


_BY_NAME = frozenset({"properties", "$defs", "dependentSchemas", "patternProperties"})
_DATA = frozenset({"enum", "const", "default", "examples"})
