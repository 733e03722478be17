"""What generating would do and cost, before it is started."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from django.conf import settings

from sheets.models import Sheet
from sheets.reading import count_items, rows_of
from templates_app.models import PromptTemplate
from templates_app.preview import preview
from templates_app.schemas import SchemaProblem, misfits
from workbench.problems import Invalid

# The default of generation; it drafts on this machine, so tokens cost nothing.
OFFLINE_MODEL = "offline-nearest"
SAMPLE = 20
CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Preflight:
    """Counts of items by where their answer would come from; tokens are an estimate over the prompts to draft.

    `cost` is None for an endpoint, whose price is not known here.
    """

    items: int
    pre_approved: int
    incompatible_labels: int
    to_draft: int
    sampled: int
    sampled_with_problems: int
    tokens: int
    model: str
    cost: float | None


def preflight(template: PromptTemplate, sheet: Sheet) -> Preflight:
    """Return what generating with the template would do; Invalid where sheet or output schema cannot be used."""
    items = count_items(sheet)
    pre_approved, incompatible = _labels(template, sheet)
    to_draft = items - pre_approved - incompatible
    sample = preview(template, sheet, SAMPLE)
    rendered = [item.tokens for item in sample if not item.problems]
    return Preflight(
        items=items,
        pre_approved=pre_approved,
        incompatible_labels=incompatible,
        to_draft=to_draft,
        sampled=len(sample),
        sampled_with_problems=len(sample) - len(rendered),
        tokens=round(to_draft * sum(rendered) / len(rendered)) if rendered else 0,
        model=settings.LLM_MODEL or OFFLINE_MODEL,
        cost=None if settings.LLM_MODEL else 0.0,
    )


def _labels(template: PromptTemplate, sheet: Sheet) -> tuple[int, int]:
    """How many items of the sheet have a label that fits the output schema, and how many one that does not."""
    labels = sheet.labels.filter(label_type=template.label_type).values_list("item_ref", "label_data").iterator()
    fitting = total = 0
    try:
        while chunk := dict(islice(labels, CHUNK)):
            # A label may outlive its item, or lie outside a filter or sample that came later.
            present = rows_of(sheet, list(chunk))
            total += len(present)
            fitting += sum(not misfits(template.output_schema, chunk[ref]) for ref in present)
    except SchemaProblem as problem:
        words = f"The template {template} cannot be used."
        raise Invalid.of_fields(words, {"output_schema": problem.faults}) from problem
    return fitting, total - fitting
