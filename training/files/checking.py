"""The JSON schemas of what comes in and of what is written, each part checked by itself so that none is held whole."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match

SCHEMAS = Path(__file__).parent / "schemas"


def first_problem(part: str, value: Any) -> str:
    """Return where and why the value does not fit a part of the training file's schema, "" where it does.

    Parts are the names of its `$defs`: metadata, profile, conversation, line, meta_line.
    """
    error = best_match(_validator("training_file", part).iter_errors(value))
    return _words(error) if error else ""


def import_problems(document: Any, most: int = 5) -> list[str]:
    """Return the first problems of an enriched conversation; empty where it can be imported."""
    found = _validator("enriched_conversation").iter_errors(document)
    return [_words(error) for _, error in zip(range(most), found, strict=False)]


@lru_cache(maxsize=16)
def _validator(schema: str, part: str = "") -> Draft202012Validator:
    whole = orjson.loads((SCHEMAS / f"{schema}.json").read_bytes())
    chosen = whole["$defs"][part] if part else whole
    return Draft202012Validator(_spelled_out(chosen, whole["$defs"]), format_checker=FormatChecker())


def _spelled_out(schema: Any, parts: dict[str, Any]) -> Any:
    """Return the schema with each reference replaced by what it names, which is looked up anew for every value else."""
    if isinstance(schema, list):
        return [_spelled_out(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        schema = parts[schema["$ref"].removeprefix("#/$defs/")]
    return {name: _spelled_out(each, parts) for name, each in schema.items() if name != "$defs"}


def _words(error: ValidationError) -> str:
    # A value may be a whole conversation: its beginning tells which.
    path = error.json_path.removeprefix("$")
    message = error.message if len(error.message) <= 200 else f"…{error.message[-199:]}"
    return f"{path}: {message}" if path else f": {message}"
