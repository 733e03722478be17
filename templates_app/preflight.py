"""What generating would do and cost, before it is started."""

from __future__ import annotations

from dataclasses import dataclass

from sheets.models import Sheet
from sheets.reading import count_items
from templates_app.models import PromptTemplate
from templates_app.preview import preview
from templates_app.schemas import SchemaProblem, misfits
from workbench.problems import Invalid

# The default of generation; it drafts on this machine, so tokens cost nothing.
OFFLINE_MODEL = "offline-nearest"
SAMPLE = 20


@dataclass(frozen=True, slots=True)
class Preflight:
    """Counts of items by where their answer would come from; tokens are an estimate over the prompts to draft."""

    items: int
    pre_approved: int
    incompatible_labels: int
    to_draft: int
    sampled: int
    sampled_with_problems: int
    tokens: int
    model: str
    cost: float


def preflight(template: PromptTemplate, sheet: Sheet) -> Preflight:
    """Return what generating with the template would do; Invalid where sheet or output schema cannot be used."""
    items = count_items(sheet)
    pre_approved, incompatible = _labels(template, sheet)
    # A label may outlive its item; the sheet cannot pre-approve more items than it has.
    pre_approved = min(pre_approved, items)
    incompatible = min(incompatible, items - pre_approved)
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
        model=OFFLINE_MODEL,
        cost=0.0,
    )


def _labels(template: PromptTemplate, sheet: Sheet) -> tuple[int, int]:
    """How many labels of the template's type fit its output schema, and how many do not."""
    fitting = total = 0
    try:
        for data in sheet.labels.filter(label_type=template.label_type).values_list("label_data", flat=True).iterator():
            total += 1
            fitting += not misfits(template.output_schema, data)
    except SchemaProblem as problem:
        raise Invalid.of_fields(
            f"The template {template} cannot be used.", {"output_schema": problem.faults}
        ) from problem
    return fitting, total - fitting
