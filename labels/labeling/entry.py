"""Where labeling begins: each sheet with its label types, and how far each is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from labels.labeling.progress import COUNTED, counts_of
from labels.labeling.sight import expect_sheet, may_label
from labels.labeling.templates_of import by_table
from labels.opinions.due import due_items
from labels.opinions.reporting import opinions_of
from labels.opinions.views import DECIDE
from sheets.models import Sheet
from templates_app.drafts import label_type_faults
from templates_app.models import PromptTemplate
from workbench.csp import strict

SHEETS = 100

Counts = dict[tuple[str, str], tuple[int, int]]
# All second opinions, those to be adjudicated by the reader, and the items that wait for the reader's.
Opinions = dict[tuple[str, str], tuple[int, int, int]]


@dataclass(frozen=True)
class TaskRow:
    """A label type of a sheet: its labels, the reader's own, and the share of the items; no share where unknown.

    `opinions` are second ones, of which the reader may adjudicate `waiting`; `due` items wait for one of the reader's.
    """

    label_type: str
    has_form: bool
    labels: int
    mine: int
    items: int | None
    opinions: int
    waiting: int
    due: int

    @property
    def gaps(self) -> int | None:
        return max(0, self.items - self.labels) if self.items is not None else None

    @property
    def percent(self) -> float:
        return min(100.0, round(100 * self.labels / self.items, 1)) if self.items else 0


@strict
@never_cache
@login_required
@require_GET
def entry(request: HttpRequest) -> HttpResponse:
    """Return the sheets with their label types, or one `?sheet=`; with `?label_type=` too go to the screen of that task."""
    sheet_id, label_type = request.GET.get("sheet"), request.GET.get("label_type")
    if sheet_id and label_type:
        if label_type_faults(label_type):
            raise Http404(f"There is no label type {label_type}.")
        return redirect("label", sheet_id=expect_sheet(request.user, sheet_id).pk, label_type=label_type)
    seen = Sheet.objects.visible_to(request.user)
    sheets = list((seen.filter(pk=sheet_id) if sheet_id else seen).order_by("name")[:SHEETS])
    published = list(PromptTemplate.objects.filter(status=PromptTemplate.Status.PUBLISHED))
    counts = counts_of([sheet.pk for sheet in sheets], actor=request.user.get_username())
    opinions = _opinions(request.user, sheets)
    context = {
        "sheets": [
            (sheet, list(_rows(sheet, published, counts, opinions)), may_label(request.user, sheet)) for sheet in sheets
        ],
        "label_types": sorted({template.label_type for template in published}),
        "chosen": sheet_id,
    }
    return render(request, "labels/entry.html", context)


def _opinions(user: Any, sheets: list[Sheet]) -> Opinions:
    keys = [sheet.pk for sheet in sheets]
    given = opinions_of(keys, actor=user.get_username())
    # Which wait for somebody takes reading every label.
    due = due_items([sheet.pk for sheet in sheets if (sheet.row_count or 0) <= COUNTED], user)
    decides = user.has_perm(DECIDE)
    return {
        task: (made, waiting if decides else 0, len(due.get(task, ())))
        for task in {*given, *due}
        for made, waiting in [given.get(task, (0, 0))]
    }


def _rows(sheet: Sheet, published: list[PromptTemplate], counts: Counts, opinions: Opinions) -> Iterator[TaskRow]:
    """Yield the label types that the sheet has labels of, and those of templates made for its table."""
    made_for = by_table(published).get(sheet.primary_table, set())
    forms = {template.label_type for template in published}
    for label_type in sorted(made_for | {kind for sheet_id, kind in counts if sheet_id == sheet.pk}):
        labels, mine = counts.get((sheet.pk, label_type), (0, 0))
        given = opinions.get((sheet.pk, label_type), (0, 0, 0))
        yield TaskRow(label_type, label_type in forms, labels, mine, sheet.row_count, *given)
