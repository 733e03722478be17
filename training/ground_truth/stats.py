"""How much ground truth there is, and which fields reviewers correct most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from django.db.models import Count, Q

from training.ground_truth.history import by_people, corrections, field_name, first_row, standing
from training.ground_truth.reading import ALWAYS, Span, events_by_pair
from training.models import QAPair, ReviewEvent, TrainingSheet
from training.review.applying import settle, sheets_that_wait

TOP = 20


def stats_of(training_sheets: Sequence[TrainingSheet] | None, span: Span = ALWAYS) -> dict[str, Any]:
    """Return the counts of pairs and corrections; of all training sheets where none are named.

    `top_corrected_fields` counts a field of every row of a list under its first row, `top_corrected_names` by name alone; each
    counts once an action, because a row that is taken away moves all behind it.
    """
    keys = None if training_sheets is None else [each.pk for each in training_sheets]
    for key in sheets_that_wait():
        if keys is None or key in keys:
            settle(key)
    only = {} if keys is None else {"training_sheet_id__in": keys}
    counted = QAPair.objects.filter(**only, **span.conditions()).aggregate(
        total_jobs=Count("pk"), approved_jobs=Count("pk", filter=Q(status="labeled") & ~Q(reviewed_by=""))
    )
    fields: Counter[str] = Counter()
    names: Counter[str] = Counter()
    corrected = 0
    for events in events_by_pair(ReviewEvent.objects.filter(**only, **span.conditions("qa_pair__"))):
        made = list(corrections(standing(events)))
        if not made or by_people(events[0]["labeling_mode"], [change for change, _ in made]):
            continue
        corrected += 1
        for _, together in groupby(made, key=lambda each: id(each[1])):
            paths = {first_row(change["field_path"]) for change, _ in together}
            fields.update(paths)
            names.update(map(field_name, paths))
    return {
        **counted,
        "total_corrections": fields.total(),
        "jobs_with_corrections": corrected,
        "top_corrected_fields": [{"field_path": path, "count": count} for path, count in _top(fields)],
        "top_corrected_names": [{"name": name, "count": count} for name, count in _top(names)],
    }


def _top(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:TOP]
