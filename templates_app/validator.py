"""The validator of answers: JSON Schema with patterns that always end, and boxes and polygons as a format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator

from templates_app.annotations import FORMAT
from templates_app.patterns import found
from templates_app.shapes import value_faults


def _pattern(validator: Validator, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not found(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _format(validator: Validator, name: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if name == FORMAT:
        for path, words in value_faults(instance, schema):
            yield ValidationError(words, path=path)
    else:
        yield from Draft202012Validator.VALIDATORS["format"](validator, name, instance, schema)


AnswerValidator: type[Validator] = validators.extend(  # type: ignore[no-untyped-call]  # jsonschema has no types here
    Draft202012Validator, {"pattern": _pattern, "format": _format}
)
