"""One real answer to a draft's question for one item, before anything is generated."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sheets.alike import alike_of
from sheets.item_limits import withdrawn
from sheets.models import Sheet
from sheets.reading import get_item
from templates_app.models import PromptTemplate
from templates_app.problems import TemplateProblem
from templates_app.rendering import render_messages
from templates_app.schemas import SchemaProblem
from training.actions.generate import draft_examples
from training.answerers import default_model, models
from training.models import TrainingSheet
from training.pairs import Answer, Question
from workbench.problems import Conflict, Invalid


@dataclass(frozen=True, slots=True)
class Trial:
    """The answer of the model for an item, and the seconds that it took."""

    item_ref: str
    answer: Answer
    seconds: float


def try_on_item(template: PromptTemplate, sheet: Sheet, item_ref: str) -> Trial:
    """Return what the default model answers; nothing is written, and the template may be a draft that is not saved.

    Invalid where the prompt or the output schema cannot be used, NotFound for an item that the sheet does not have,
    Conflict for one that is withdrawn.
    """
    item = get_item(sheet, item_ref)
    if limit := withdrawn(alike_of(sheet), [item.ref]).get(item.ref):
        raise Conflict(f"No model is asked about the item {item.ref}: {limit.reason}. Choose another.")
    started = time.perf_counter()
    try:
        messages = render_messages(template.system_prompt, template.user_prompt_template, template.examples, item.row)
        # Never saved: what drafting asks of a training sheet is its sheet and its template.
        training_sheet = TrainingSheet(sheet=sheet, template=template)
        # Its own label would make the drafter look better than it is on items that have none.
        others = lambda: (each for each in draft_examples(training_sheet) if each.item_ref != item.ref)  # noqa: E731
        answer = models()[default_model()](template, {}, others)
        (found,) = answer([Question(item.row, messages, item.files)])
    except TemplateProblem as problem:
        raise Invalid(f"The prompt cannot be filled: {problem}") from problem
    except SchemaProblem as problem:
        raise Invalid.of_fields("The output schema cannot be used.", {"output_schema": problem.faults}) from problem
    return Trial(item.ref, found, time.perf_counter() - started)
