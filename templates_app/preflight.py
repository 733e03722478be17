"""What generating would do and cost, before it is started."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from statistics import fmean

from django.conf import settings

from sheets.models import Sheet
from sheets.reading import count_items, ref_at, rows_of
from templates_app.models import PromptTemplate
from templates_app.preview import PreviewItem, preview
from templates_app.prices import cost_of
from templates_app.rendering import PICTURE_TOKENS, text_tokens
from templates_app.schemas import SchemaProblem, misfits
from workbench.canonical import canonical_json
from workbench.problems import Invalid

# The default of generation; it drafts on this machine, so tokens cost nothing.
OFFLINE_MODEL = "offline-nearest"
SAMPLE = 20
CHUNK = 2_000
# Items a minute that the offline drafter drafts on a slow machine, prompts and writing included.
OFFLINE_PACE = 6_000
RUNS = 5  # that are looked through for the pace of a model


@dataclass(frozen=True, slots=True)
class Preflight:
    """Counts of items by where their answer would come from, and estimates for those to draft.

    `to_draft` are the items without a label. Where no model is asked, tokens, cost and minutes are 0 and `model` is empty.

    `tokens` are those of the prompts with their files, `completion_tokens` of the answers. `cost` is in US dollars, None
    where a price is not set. `minutes` is None where nothing tells; `based_on` says what it comes from, in words.
    """

    items: int
    pre_approved: int
    incompatible_labels: int
    to_draft: int
    sampled: int
    sampled_with_problems: int
    tokens: int
    completion_tokens: int
    model: str
    cost: float | None
    minutes: float | None
    based_on: str


def preflight(
    template: PromptTemplate, sheet: Sheet, *, limit: int | None = None, asks_model: bool = True
) -> Preflight:
    """Return what generating with the template would do; Invalid where sheet or output schema cannot be used.

    `limit` takes only so many items from the first one on, as generating does. `asks_model` is False where answers are
    left to a person or taken from a column.
    """
    total = count_items(sheet)
    items = min(total, limit or total)
    pre_approved, incompatible = _labels(template, sheet, ref_at(sheet, items - 1) if items < total else None)
    to_draft = items - pre_approved - incompatible
    sample = preview(template, sheet, min(SAMPLE, items))
    model = _model() if asks_model else ""
    rendered = [_prompt_tokens(item, model) for item in sample if not item.problems]
    asked = to_draft if asks_model else 0
    tokens = round(asked * fmean(rendered)) if rendered else 0
    answers = round(asked * _answer_tokens(template, sheet)) if asked else 0
    cost = 0 if model in ("", OFFLINE_MODEL) else cost_of(tokens, answers)
    minutes, based_on = _minutes(template, model, asked, tokens + answers)
    return Preflight(
        items=items,
        pre_approved=pre_approved,
        incompatible_labels=incompatible,
        to_draft=to_draft,
        sampled=len(sample),
        sampled_with_problems=len(sample) - len(rendered),
        tokens=tokens,
        completion_tokens=answers,
        model=model,
        cost=None if cost is None else float(cost),
        minutes=minutes,
        based_on=based_on,
    )


def _model() -> str:
    return settings.LLM_MODEL if settings.LLM_URL else OFFLINE_MODEL


def _prompt_tokens(item: PreviewItem, model: str) -> int:
    """Return the tokens of an item's prompt; a document counts as a picture does, since its pages are not known."""
    shown = model != OFFLINE_MODEL and settings.LLM_VISION != "no"
    return item.tokens + (item.files * PICTURE_TOKENS if shown else 0)


def _answer_tokens(template: PromptTemplate, sheet: Sheet) -> float:
    """Return the tokens of an answer as long as the sheet's labels, else the template's examples, else as is allowed."""
    labels = sheet.labels.filter(label_type=template.label_type).values_list("label_data", flat=True)[:SAMPLE]
    known = [*labels] or [example["output"] for example in template.examples]
    return fmean(text_tokens(canonical_json(each)) for each in known) if known else template.max_tokens


def _minutes(template: PromptTemplate, model: str, to_draft: int, tokens: int) -> tuple[float | None, str]:
    """Return the minutes that drafting takes, as far as it is known, and what they come from."""
    if not to_draft:
        return 0.0, "nothing is to be drafted"
    found: list[tuple[float, str]] = []
    if pace := _pace(template, model):
        found.append((to_draft / pace, "as fast as the latest run of this template with the model"))
    elif model == OFFLINE_MODEL:
        found.append((to_draft / OFFLINE_PACE, "at the usual pace of the offline drafter"))
    if model != OFFLINE_MODEL and settings.LLM_RPM:
        found.append((to_draft / settings.LLM_RPM, f"at the most: {settings.LLM_RPM:,} calls a minute"))
    if model != OFFLINE_MODEL and settings.LLM_TPM:
        found.append((tokens / settings.LLM_TPM, f"at the most: {settings.LLM_TPM:,} tokens a minute"))
    return max(found, default=(None, "not known until the model has answered"))


def _pace(template: PromptTemplate, model: str) -> float:
    """Return how many items a minute the model drafted in the latest finished run of the template; 0 without one."""
    runs = template.training_sheets.filter(labeling_mode="ai_generated", status__in=("review", "approved", "trained"))
    for run in runs.order_by("-id")[:RUNS]:
        drafted, started, ended = (
            run.statistics.get("generated", 0),
            run.generation_started_at,
            run.generation_completed_at,
        )
        if drafted and started and ended and run.generation_config.get("model") == model:
            return float(60 * drafted / max((ended - started).total_seconds(), 0.001))
    return 0.0


def _labels(template: PromptTemplate, sheet: Sheet, up_to: str | None) -> tuple[int, int]:
    """How many items, as far as `up_to`, have a label that fits the output schema, and how many one that does not."""
    labels = sheet.labels.filter(label_type=template.label_type).values_list("item_ref", "label_data").iterator()
    fitting = total = 0
    try:
        while chunk := dict(islice(labels, CHUNK)):
            # A label may outlive its item, or lie outside a filter or sample that came later.
            present = rows_of(sheet, list(chunk), up_to=up_to)
            total += len(present)
            fitting += sum(not misfits(template.output_schema, chunk[ref]) for ref in present)
    except SchemaProblem as problem:
        words = f"The template {template} cannot be used."
        raise Invalid.of_fields(words, {"output_schema": problem.faults}) from problem
    return fitting, total - fitting
