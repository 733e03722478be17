"""Where in the texts of a draft something is wrong: the line, the variable, and what to do."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from templates_app.drafts import PROMPTS
from templates_app.models import PromptTemplate
from templates_app.preview import PreviewItem
from templates_app.problems import TemplateProblem
from templates_app.rendering import variables
from workbench.near import near_misses


@dataclass(frozen=True, slots=True)
class Mark:
    """A fault of a text at its line from 1 (0 where none is known); `variable` is the word to look for there."""

    field: str
    line: int
    words: str
    variable: str = ""


def prompt_marks(
    template: PromptTemplate, columns: Collection[str] | None, items: Collection[PreviewItem] = ()
) -> list[Mark]:
    """Return what is wrong in both prompts, by line; `columns` are those of the sheet that it is tried on, if any."""
    marks = [mark for prompt in PROMPTS for mark in _of_variables(template, prompt, columns)]
    marked = {(mark.field, mark.line) for mark in marks}
    for item in items:
        for problem in item.problems:
            at = (problem.prompt, problem.line or 0)
            if at not in marked and problem.prompt in PROMPTS:
                marked.add(at)
                marks.append(Mark(*at, problem.message, problem.variable or ""))
    return sorted(marks, key=lambda mark: (PROMPTS.index(mark.field), mark.line))


def _of_variables(template: PromptTemplate, prompt: str, columns: Collection[str] | None) -> Iterator[Mark]:
    schema = template.input_schema if isinstance(template.input_schema, list) else []
    named = {field.get("name") for field in schema if isinstance(field, dict)}
    try:
        wanted = variables(getattr(template, prompt))
    except TemplateProblem as problem:
        yield Mark(prompt, problem.line or 0, problem.message)
        return
    for name, lines in wanted.items():
        if columns is not None and name not in columns:
            words = f"The variable '{name}' is missing: the sheet has no such column.{near_misses(name, columns)}"
        elif name not in named:
            words = f"The variable '{name}' is not in the input schema: publishing needs it there."
        else:
            continue
        yield from (Mark(prompt, line, words, name) for line in lines or [0])


def json_mark(field: str, text: str) -> Mark | None:
    """Return where a text stops being JSON, or None where it is JSON or empty."""
    try:
        json.loads(text or "null")
    except json.JSONDecodeError as error:
        return Mark(field, error.lineno, f"Not JSON: {error.msg} (column {error.colno}).")
    except (ValueError, RecursionError) as error:
        return Mark(field, 0, f"Not JSON: {error}")
    return None
