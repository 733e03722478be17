"""What may be wrong with a template: what no draft may have, and what a draft may have but not be published with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.core.exceptions import ValidationError

from templates_app import versions
from templates_app.fields import shown
from templates_app.models import PromptTemplate
from templates_app.problems import TemplateProblem
from templates_app.rehearsal import rehearsed
from templates_app.rendering import compiled
from templates_app.schemas import SchemaProblem, check_input_schema, check_output_schema, check_template

LABEL_TYPE = re.compile(r"[a-z0-9_]+")
PROMPTS = ("system_prompt", "user_prompt_template")
MOST_TOKENS = 1_000_000

Fields = dict[str, list[str]]


def draft_faults(template: PromptTemplate) -> Fields:
    """Return the messages for each field that is wrong in itself; what is merely missing may wait for publishing."""
    try:
        template.clean_fields(exclude=["user_prompt_template"])
        faults: Fields = {}
    except ValidationError as error:
        faults = error.message_dict
    for name, check in _CHECKS.items():
        if name not in faults and (found := list(check(getattr(template, name)))):
            faults[name] = [words.removeprefix(f"{name}: ") for words in found]
    return faults


def publishing_faults(template: PromptTemplate) -> Fields:
    """Return the messages for each field that keeps the template from being published; empty when it may be."""
    if faults := draft_faults(template):
        return faults
    parts = (*PROMPTS, "input_schema", "output_schema", "examples")
    texts = check_template({name: getattr(template, name) for name in parts}) or rehearsed(template)
    for text in texts:
        path, _, words = text.partition(": ")
        field = re.split(r"[.\[]", path)[0]
        faults.setdefault(field, []).append(words if path == field else text)
    return faults


def label_type_faults(value: str) -> list[str]:
    """Return what is wrong with the name of a task, if anything."""
    if LABEL_TYPE.fullmatch(value):
        return []
    return [f"Found {value!r}: use lower-case letters, digits and underscores, as in entity_extraction."]


def _version(value: str) -> Iterator[str]:
    if versions.parsed(value) is None:
        yield f"Found {value!r}: use a semantic version of three numbers, such as 1.0.0."


def _temperature(value: float) -> Iterator[str]:
    if not 0 <= value <= 2:
        yield f"Found {value}: use a number from 0 to 2."


def _max_tokens(value: int) -> Iterator[str]:
    if not 1 <= value <= MOST_TOKENS:
        yield f"Found {value}: use a whole number from 1 to {MOST_TOKENS:,}."


def _prompt(value: str) -> Iterator[str]:
    try:
        compiled(value)
    except TemplateProblem as problem:
        yield str(problem)


def _schema(check: Callable[[Any], None]) -> Callable[[Any], list[str]]:
    def faults(value: Any) -> list[str]:
        try:
            check(value)
        except SchemaProblem as problem:
            return problem.faults
        return []

    return faults


def _examples(value: Any) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"Found {shown(value)}: use a list of objects with 'input' and 'output'."
        return
    for at, example in enumerate(value):
        if not isinstance(example, Mapping) or not {"input", "output"} <= set(example):
            yield f"examples[{at}]: found {shown(example)}; use an object with 'input' and 'output'."


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "version": _version,
    "label_type": label_type_faults,
    "temperature": _temperature,
    "max_tokens": _max_tokens,
    "system_prompt": _prompt,
    "user_prompt_template": _prompt,
    "input_schema": _schema(check_input_schema),
    "output_schema": _schema(check_output_schema),
    "examples": _examples,
}
