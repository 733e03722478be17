"""Reads pairs beside their review events: two streams of the lakehouse in one order, joined as they come.

Past the model layer, so that memory is that of two batches whatever the number of pairs and events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections
from django.db.models import F, Func, QuerySet, TextField

from training.exporting import LISTS, TEXTS, windows
from training.ground_truth.history import Event
from training.models import QAPair, ReviewEvent
from training.querysets import QAPairQuerySet
from workbench.router import LAKEHOUSE

SLICE = 2_000
COLUMNS = (
    "id", "training_sheet_id", "item_ref", "position", "labeling_mode", "messages", "ai_confidence", "error",
    "reviewed_by", "reviewed_at", "version", "created_at", "updated_at", "canonical_label_version",
)  # fmt: skip
PAIR = {name: name for name in COLUMNS} | TEXTS | {"label_latest": "canonical_label__version"}
PAIR_LISTS = LISTS | {"misfits": "misfits"}
EVENT = {
    name: name
    for name in (
        "qa_pair_id",
        "training_sheet_id",
        "action",
        "changes",
        "reason",
        "actor",
        "created_at",
        "pair_version",
    )
}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Span:
    """Pairs last written in the half-open time from `since` to `until`; None is without that end."""

    since: datetime | None = None
    until: datetime | None = None

    def conditions(self, prefix: str = "") -> dict[str, datetime]:
        ends = {"updated_at__gte": self.since, "updated_at__lt": self.until}
        return {f"{prefix}{name}": at for name, at in ends.items() if at is not None}


ALWAYS = Span()


def pairs_with_events(training_sheet_id: str, span: Span) -> Iterator[tuple[Row, list[Event]]]:
    """Yield the pairs of a training sheet in the order of their items, each with its events, oldest first."""
    pairs = QAPair.objects.of(training_sheet_id).filter(**span.conditions())
    for start, end in windows(pairs):
        yield from _joined(pairs.filter(position__gte=start, position__lt=end), training_sheet_id, start, end, span)


def events_by_pair(events: QuerySet[ReviewEvent]) -> Iterator[list[Event]]:
    """Yield the events of each pair that has any, oldest first, with its `labeling_mode`."""
    group: list[Event] = []
    read = EVENT | {"labeling_mode": "qa_pair__labeling_mode"}
    for event in _rows(events.order_by("training_sheet_id", "qa_pair_id", "pair_version", "created_at"), read, {}):
        if group and group[-1]["qa_pair_id"] != event["qa_pair_id"]:
            yield group
            group = []
        group.append(event)
    if group:
        yield group


def _joined(
    pairs: QAPairQuerySet, training_sheet_id: str, start: int, end: int, span: Span
) -> Iterator[tuple[Row, list[Event]]]:
    happened = ReviewEvent.objects.filter(
        training_sheet_id=training_sheet_id,
        qa_pair__training_sheet_id=training_sheet_id,
        qa_pair__position__gte=start,
        qa_pair__position__lt=end,
        **span.conditions("qa_pair__"),
    ).order_by("qa_pair__position", "qa_pair_id", "pair_version", "created_at")
    place = {"position": "qa_pair__position"}
    events = _rows(happened, EVENT | place, {})
    event = next(events, None)
    for pair in _rows(pairs, PAIR, PAIR_LISTS):
        here = (pair["position"], pair["id"])
        found: list[Event] = []
        while event and (event["position"], event["qa_pair_id"]) <= here:
            # A version after the pair's was written while this was read.
            if event["qa_pair_id"] == pair["id"] and event["pair_version"] <= pair["version"]:
                found.append(event)
            event = next(events, None)
        yield pair, found


def _rows(rows: QuerySet[Any], texts: Mapping[str, str], lists: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield rows with the names of `texts`, and of `lists` as JSON text."""
    read: dict[str, Any] = {f"_{name}": F(path) for name, path in texts.items()}
    read |= {f"_{name}": Func(F(path), function="TO_JSON", output_field=TextField()) for name, path in lists.items()}
    names = [name.removeprefix("_") for name in read]
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(*rows.annotate(**read).values_list(*read).query.get_compiler(LAKEHOUSE).as_sql())
        for batch in cursor.fetch_arrow_batches():
            named = batch.rename_columns(names)
            for at in range(0, named.num_rows, SLICE):
                yield from named.slice(at, SLICE).to_pylist()
