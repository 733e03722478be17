"""Reads a training sheet's pairs in windows, with what the gates ask of each.

Memory is constant: a window of pairs is read, judged and let go before the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from typing import Any

import pyarrow as pa
from django.db import connections
from django.db.models import Case, Count, F, Func, TextField, When

from governance.uses import Limit
from training.models import QAPair
from training.querysets import QAPairQuerySet
from workbench.router import LAKEHOUSE

WINDOW = 50_000
BLOCK = 1_000
TEXTS = {
    "status": "status",
    "usage_reason": "usage_reason",
    "data_classification": "data_classification",
    "label_reason": "canonical_label__usage_reason",
    "label_classification": "canonical_label__data_classification",
}
LISTS = {
    "allowed_uses": "allowed_uses",
    "prohibited_uses": "prohibited_uses",
    "label_allowed": "canonical_label__allowed_uses",
    "label_prohibited": "canonical_label__prohibited_uses",
}
# Which pair a line was made from, and from which versions.
IDENTITY = {
    name: name for name in ("id", "version", "position", "item_ref", "canonical_label_id", "canonical_label_version")
}

Row = Mapping[str, Any]
Window = tuple[int, int]


def limits_of(row: Row) -> list[Limit]:
    """Return the rules that a pair and its canonical label carry; the label's is asked again at every use."""
    limits = [
        _limit("pair", row["allowed_uses"], row["prohibited_uses"], row["usage_reason"], row["data_classification"])
    ]
    if row["label_allowed"] is not None:
        limits.append(
            _limit(
                "canonical label",
                row["label_allowed"],
                row["label_prohibited"],
                row["label_reason"],
                row["label_classification"],
            )
        )
    return limits


def _limit(source: str, allowed: Sequence[str], prohibited: Sequence[str], reason: str, classification: str) -> Limit:
    return Limit(source, reason, frozenset(allowed), frozenset(prohibited), classification)


def batches(
    pairs: QAPairQuerySet, window: Window, more: Mapping[str, Any] | None = None, *, messages: bool = True
) -> Iterator[pa.RecordBatch]:
    """Yield the pairs of a window in the order of their items, past the model layer.

    The columns are the gates', those of IDENTITY, the messages of labeled pairs unless these are left out, and `more`
    from names to paths or expressions.
    """
    # Lists travel as JSON text, because Arrow groups rows by text but not by lists.
    lists = {f"_{name}": Func(F(path), function="TO_JSON", output_field=TextField()) for name, path in LISTS.items()}
    labeled = When(status=QAPair.Status.LABELED, then=F("messages"))  # no other pair passes the first gate
    read: dict[str, Any] = {"_messages": Case(labeled, output_field=TextField())} if messages else {}
    plain = TEXTS | IDENTITY | dict(more or {})
    read |= {f"_{name}": F(path) if isinstance(path, str) else path for name, path in plain.items()} | lists
    start, end = window
    rows = pairs.filter(position__gte=start, position__lt=end).annotate(**read).values_list(*read)
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(*rows.query.get_compiler(LAKEHOUSE).as_sql())
        for batch in cursor.fetch_arrow_batches():
            yield batch.rename_columns([name.removeprefix("_") for name in read])


def read_ahead(
    pairs: QAPairQuerySet, found: Sequence[Window], more: Mapping[str, Any] | None = None
) -> Iterator[tuple[Window, Sequence[pa.RecordBatch]]]:
    """Yield each window with its batches, while another thread, with a connection of its own, reads the next one."""
    if len(found) < 2:
        yield from ((window, _read(pairs, window, more)) for window in found)
        return
    with ThreadPoolExecutor(1, thread_name_prefix="reads ahead") as reader:
        try:
            ahead = [reader.submit(_read, pairs, window, more) for window in found[:1]]
            for window, after in zip_longest(found, found[1:]):
                ready = ahead.pop().result()
                if after:
                    ahead.append(reader.submit(_read, pairs, after, more))
                yield window, ready
        finally:
            reader.submit(connections.close_all)


def _read(pairs: QAPairQuerySet, window: Window, more: Mapping[str, Any] | None) -> list[pa.RecordBatch]:
    return list(batches(pairs, window, more))


def windows(pairs: QAPairQuerySet) -> list[Window]:
    """Return ranges of positions, each with WINDOW pairs or a few more, however large the gaps between positions."""
    blocks = pairs.order_by().annotate(block=F("position") - F("position") % BLOCK).values_list("block")
    found: list[Window] = []
    start = end = held = 0
    for block, count in blocks.annotate(n=Count("pk")).order_by("block"):
        end, held = block + BLOCK, held + count
        if held >= WINDOW:
            found.append((start, end))
            start, held = end, 0
    return [*found, (start, end)] if held else found
