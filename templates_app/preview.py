"""A template on sample rows of a sheet, before anything is generated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sheets.models import Sheet
from sheets.reading import iter_items
from templates_app.models import PromptTemplate
from templates_app.problems import TemplateProblem
from templates_app.rendering import render, render_messages, token_estimate, variables
from workbench.near import listed, near_misses

PROMPTS = ("system_prompt", "user_prompt_template")


@dataclass(frozen=True, slots=True)
class Missing:
    """A variable of a prompt that the sheet has no column for, with the lines that use it."""

    prompt: str
    variable: str
    lines: list[int]


@dataclass(frozen=True, slots=True)
class PromptProblem:
    """Why a prompt cannot be rendered; line and variable where they are known."""

    prompt: str
    message: str
    line: int | None = None
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class PreviewItem:
    """An item's messages with their estimated tokens, none where there are problems, and how many files it has."""

    item_ref: str
    messages: list[dict[str, str]]
    problems: list[PromptProblem]
    tokens: int
    files: int = 0


def preview(template: PromptTemplate, sheet: Sheet, limit: int) -> list[PreviewItem]:
    """Return the first `limit` items with their messages; a row that cannot be rendered never fails the others.

    Raises Invalid where the sheet does not resolve.
    """
    items = iter_items(sheet, limit=limit)
    return [replace(_previewed(template, item.ref, item.row), files=len(item.files)) for item in items]


def missing_variables(template: PromptTemplate, columns: Iterable[str]) -> list[Missing]:
    """Return the variables without a column, of all prompts, by name."""
    known = set(columns)
    return [
        Missing(prompt, name, lines)
        for prompt in PROMPTS
        for name, lines in _wanted(getattr(template, prompt)).items()
        if name not in known
    ]


def _previewed(template: PromptTemplate, item_ref: str, row: Mapping[str, Any]) -> PreviewItem:
    problems = [problem for prompt in PROMPTS for problem in _problems(prompt, getattr(template, prompt), row)]
    messages: list[dict[str, str]] = []
    if not problems:
        try:
            messages = render_messages(template.system_prompt, template.user_prompt_template, template.examples, row)
        except TemplateProblem as problem:  # both prompts can be filled from the row, so it is an example's input
            problems = [PromptProblem("examples", problem.message, problem.line, problem.variable)]
    return PreviewItem(item_ref, messages, problems, token_estimate(messages) if messages else 0)


def _problems(prompt: str, text: str, row: Mapping[str, Any]) -> Iterator[PromptProblem]:
    """What stopped the rendering, then every other variable that the row lacks."""
    try:
        render(text, row)
    except TemplateProblem as problem:
        yield PromptProblem(prompt, problem.message, problem.line, problem.variable)
        for name, lines in _wanted(text).items():
            if name not in row and name != problem.variable:
                words = f"The variable '{name}' is missing. The row has {listed(row)}.{near_misses(name, row)}"
                yield PromptProblem(prompt, words, lines[0] if lines else None, name)


def _wanted(text: str) -> dict[str, list[int]]:
    try:
        return variables(text)
    except TemplateProblem:
        return {}
