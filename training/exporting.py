"""Reads a training sheet's pairs in windows, with what the gates ask of each.

Memory is constant: a window of pairs is read, judged and let go before the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
from django.db import connections
from django.db.models import Case, Count, F, Func, TextField, When

from governance.uses import Limit
from training.models import QAPair
from training.querysets import QAPairQuerySet
from workbench.router import LAKEHOUSE

# A window is held whole while the next one is read, so it has fewer pairs where those before it were long.
WINDOW, WINDOW_BYTES = 50_000, 48 << 20
FIRST = 10_000
# What is looked at together, as Python values.
BATCH_BYTES = 16 << 20
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
            named = batch.rename_columns([name.removeprefix("_") for name in read])
            step = _fitting([named], BATCH_BYTES)
            yield from (named.slice(at, step) for at in range(0, named.num_rows, step))


def read_ahead(
    pairs: QAPairQuerySet, more: Mapping[str, Any] | None = None
) -> Iterator[tuple[Window, Sequence[pa.RecordBatch]]]:
    """Yield each window with its batches, while another thread, with a connection of its own, reads the next one."""
    most = FIRST
    found = windows(pairs, lambda: most)
    window = next(found, None)
    ready = _read(pairs, window, more) if window else []
    with ThreadPoolExecutor(1, thread_name_prefix="reads ahead") as reader:
        try:
            while window:
                most = max(BLOCK, min(WINDOW, _fitting(ready, WINDOW_BYTES)))
                after = next(found, None)
                ahead = reader.submit(_read, pairs, after, more) if after else None
                yield window, ready
                window, ready = after, ahead.result() if ahead else []
        finally:
            reader.submit(connections.close_all)


def _fitting(batches: Sequence[pa.RecordBatch], size: int) -> int:
    """Return how many rows like these have that many bytes, one at least."""
    rows: int = sum(each.num_rows for each in batches)
    held: int = sum(each.nbytes for each in batches)
    return max(1, size * rows // max(1, held))


def _read(pairs: QAPairQuerySet, window: Window, more: Mapping[str, Any] | None) -> list[pa.RecordBatch]:
    return list(batches(pairs, window, more))


def windows(pairs: QAPairQuerySet, most: Callable[[], int] = lambda: WINDOW) -> Iterator[Window]:
    """Yield ranges of positions, each with as many pairs as `most` says then or a few more, however large the gaps."""
    blocks = pairs.order_by().annotate(block=F("position") - F("position") % BLOCK).values_list("block")
    start = end = held = 0
    for block, count in list(blocks.annotate(n=Count("pk")).order_by("block")):
        end, held = block + BLOCK, held + count
        if held >= most():
            yield start, end
            start, held = end, 0
    if held:
        yield start, end
