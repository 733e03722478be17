"""Renders a template before there is data, to find what would fail on every row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from jinja2.exceptions import SecurityError

from templates_app.fields import field_schema
from templates_app.models import PromptTemplate
from templates_app.problems import TemplateLimitError, TemplateProblem
from templates_app.rendering import render

_BY_FORMAT: dict[str, Any] = {"date": date(2026, 1, 31), "date-time": datetime(2026, 1, 31, 12, tzinfo=UTC)}
# Lists have one element, so that the body of a loop over them is rendered.
_BY_TYPE: dict[str, Any] = {"integer": 1, "number": 1.5, "boolean": True, "array": ["text"], "object": {}}


def rehearsed(template: PromptTemplate) -> list[str]:
    """Return what fails whatever the data, each text beginning with its field: "system_prompt: line 2: …".

    Expects a template without other faults. On invented values only refusals of the sandbox and exceeded limits count,
    because other failures may come from the values; on the examples everything counts, as they are part of each prompt.
    """
    return list(_on_invented_values(template)) or list(_on_examples(template))


def _on_invented_values(template: PromptTemplate) -> Iterator[str]:
    row = {field["name"]: _invented(field) for field in template.input_schema}
    for prompt in ("system_prompt", "user_prompt_template"):
        try:
            render(getattr(template, prompt), row)
        except TemplateProblem as problem:
            if isinstance(problem, TemplateLimitError) or isinstance(problem.__cause__, SecurityError):
                yield f"{prompt}: {problem}"


def _on_examples(template: PromptTemplate) -> Iterator[str]:
    for at, example in enumerate(template.examples):
        if isinstance(example["input"], Mapping):
            try:
                render(template.user_prompt_template, example["input"])
            except TemplateProblem as problem:
                yield f"examples[{at}].input: the question cannot be filled from it: {problem}"


def _invented(field: Mapping[str, Any]) -> Any:
    schema = field_schema(field)
    return _BY_FORMAT.get(schema.get("format", "")) or _BY_TYPE.get(schema.get("type", ""), "text")
