"""Reads a training sheet's pairs in windows, with what the gates ask of each.

Memory is constant: a window of pairs is read, judged and let go before the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connections
from django.db.models import Case, Count, F, Func, QuerySet, TextField, When

from governance.uses import Limit
from labels.models import CanonicalLabel
from training.models import QAPair
from training.querysets import QAPairQuerySet
from workbench.router import LAKEHOUSE

# Positions to count pairs by.
BLOCK = 1_024
# A window is held whole while the next one is read, so it has fewer pairs where those before it were long. It has as many
# blocks as two groups of rows in a file of the local engine: each statement opens every group that it touches.
WINDOW, WINDOW_BYTES = 40 * BLOCK, 24 << 20
# Until it is known how long they are.
FIRST = 2 * BLOCK
# What is judged and written together.
BATCH_BYTES = 1 << 20
TEXTS = {
    "status": "status",
    "usage_reason": "usage_reason",
    "data_classification": "data_classification",
    "label_reason": "canonical_label__usage_reason",
    "label_classification": "canonical_label__data_classification",
}
# What is read of the labels by themselves.
LABEL = "canonical_label__"
LISTS = {
    "allowed_uses": "allowed_uses",
    "prohibited_uses": "prohibited_uses",
    "label_allowed": "canonical_label__allowed_uses",
    "label_prohibited": "canonical_label__prohibited_uses",
}
# Which pair a line was made from, and from which versions: a label may have a later one than the pair was made from.
IDENTITY = {
    name: name for name in ("id", "version", "position", "item_ref", "canonical_label_id", "canonical_label_version")
} | {"label_latest": "canonical_label__version"}

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
) -> list[pa.Table]:
    """Return the pairs of a window in the order of their items, past the model layer, in slices of bounded size.

    The columns are the gates', those of IDENTITY, the messages of labeled pairs unless these are left out, and `more`
    from names to paths or expressions.
    """
    labeled = When(status=QAPair.Status.LABELED, then=F("messages"))  # no other pair passes the first gate
    asked: dict[str, Any] = {"messages": Case(labeled, output_field=TextField())} if messages else {}
    asked |= TEXTS | IDENTITY | LISTS | dict(more or {})
    of_label = {
        name: path.removeprefix(LABEL)
        for name, path in asked.items()
        if isinstance(path, str) and path.startswith(LABEL)
    }
    start, end = window
    rows = pairs.filter(position__gte=start, position__lt=end).order_by()
    table = _read(rows, {name: path for name, path in asked.items() if name not in of_label})
    order = _order(table)
    table = _with_labels(table, rows, of_label)
    step = _fitting([table], BATCH_BYTES)
    return [
        table.slice(at, step) if order is None else table.take(order.slice(at, step))
        for at in range(0, table.num_rows, step)
    ]


def read_ahead(
    pairs: QAPairQuerySet,
    more: Mapping[str, Any] | None = None,
    then: Callable[[list[pa.Table]], list[pa.Table]] = list,
) -> Iterator[tuple[Window, list[pa.Table]]]:
    """Yield each window with its slices, while another thread, with a connection of its own, reads the next one.

    What is yielded is what `then` returns of the slices; that thread calls it.
    """

    def read(window: Window) -> list[pa.Table]:
        return then(batches(pairs, window, more))

    size = Size()
    found = windows(pairs, size)
    window = next(found, None)
    ready = read(window) if window else []
    with ThreadPoolExecutor(1, thread_name_prefix="reads ahead") as reader:
        try:
            while window:
                size.learn(ready)
                after = next(found, None)
                ahead = reader.submit(read, after) if after else None
                yield window, ready
                window, ready = after, ahead.result() if ahead else []
        finally:
            reader.submit(connections.close_all)


def let_go(tables: list[pa.Table]) -> Iterator[pa.Table]:
    """Yield the tables and empty the list as it goes, so that each can be freed after use."""
    tables.reverse()
    while tables:
        yield tables.pop()


class Size:
    """How many pairs the next window may have: fewer where those of the window before were long."""

    def __init__(self) -> None:
        self.pairs = FIRST

    def __call__(self) -> int:
        return self.pairs

    def learn(self, ready: Sequence[pa.Table]) -> None:
        self.pairs = max(BLOCK, min(WINDOW, _fitting(ready, WINDOW_BYTES)))


def _fitting(tables: Sequence[pa.Table], size: int) -> int:
    """Return how many rows like these have that many bytes, one at least."""
    rows: int = sum(each.num_rows for each in tables)
    held: int = sum(each.nbytes for each in tables)
    return max(1, size * rows // max(1, held))


def _read(rows: QuerySet[Any], columns: Mapping[str, Any]) -> pa.Table:
    """Return columns, from names to paths or expressions, past the model layer; those of LISTS as JSON text."""
    read = {f"_{name}": F(path) if isinstance(path, str) else path for name, path in columns.items()}
    for name in LISTS.keys() & columns.keys():
        # Arrow tells equal texts from others, but not equal lists.
        read[f"_{name}"] = Func(read[f"_{name}"], function="TO_JSON", output_field=TextField())
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(*rows.annotate(**read).values_list(*read).query.get_compiler(LAKEHOUSE).as_sql())
        found = list(cursor.fetch_arrow_batches())
    if not found:
        return pa.table({name: pa.nulls(0, pa.string()) for name in columns})
    return pa.Table.from_batches(found).rename_columns(list(columns))


def _with_labels(table: pa.Table, rows: QAPairQuerySet, columns: Mapping[str, str]) -> pa.Table:
    """Return pairs with columns of the canonical labels that they link to, and nulls where there is none.

    A statement of its own reads these labels: a join would hold all labels of the lakehouse, once for each window.
    """
    linked = table["canonical_label_id"]
    if linked.null_count == table.num_rows:
        for name in columns:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
        return table
    asked = {"linked": "pk", **columns}
    ends = pc.min_max(linked).as_py()
    # Ids are given in the order of time, so their range leaves out most files, and mostly it has few other labels: where it
    # has more than pairs could link to, the linked ones alone are asked for, which reads the pairs once more.
    labels = CanonicalLabel.objects.filter(pk__gte=ends["min"], pk__lte=ends["max"]).order_by()
    most = table.num_rows + BLOCK
    found = _read(labels[:most], asked)
    if found.num_rows == most:
        found = _read(labels.filter(pk__in=rows.values("canonical_label_id")), asked)
    at = pc.index_in(linked, value_set=found["linked"].combine_chunks())
    missing = linked.filter(pc.and_(pc.is_valid(linked), pc.is_null(at)))
    if len(missing):
        # Linked since the pairs were read; whoever links a pair has written its label before.
        found = pa.concat_tables([found, _read(labels.filter(pk__among=missing.unique().to_pylist()), asked)])
        at = pc.index_in(linked, value_set=found["linked"].combine_chunks())
    for name in columns:
        table = table.append_column(name, found[name].take(at))
    return table


def _order(table: pa.Table) -> pa.Array | None:
    """Return where the rows are found in the order of their items; None where they are in it, as they mostly are.

    A database sorts messages with their positions, which takes as long as all the rest of reading them.
    """
    positions = table["position"].combine_chunks()
    if len(positions) < 2 or pc.min(pc.pairwise_diff(positions)).as_py() > 0:
        return None
    return pc.sort_indices(table.select(["position", "id"]), [("position", "ascending"), ("id", "ascending")])


def windows(pairs: QAPairQuerySet, most: Callable[[], int] = lambda: WINDOW) -> Iterator[Window]:
    """Yield ranges of positions, each with at least `most()` pairs if so many are left, rounded up to a block.

    Where pairs lie in the order of their items, a range that ends at a multiple of WINDOW ends with its group of rows, so half
    as many are enough there.
    """
    blocks = pairs.order_by().annotate(block=F("position") - F("position") % BLOCK).values_list("block")
    start = end = held = 0
    for block, count in list(blocks.annotate(n=Count("pk")).order_by("block")):
        end, held = block + BLOCK, held + count
        if held >= most() / (1 if end % WINDOW else 2):
            yield start, end
            start, held = end, 0
    if held:
        yield start, end
