"""Reads and writes the sides of stratified splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
from django.db.models import Count, Max, OuterRef, Subquery

from training.exporting import Size, batches, windows
from training.exports.splits import Split, Strata, stratum_of
from training.ledger import Exclusion, answer_in
from training.models import QAPair, SplitItem, TrainingSheet
from workbench.lakehouse.bulk import append_arrow
from workbench.lakehouse.ids import uuid5_of

# The column that says whose side is not decided yet.
FORESEEN = "foreseen"


def side_column(sheet_id: str) -> Subquery:
    """Return the side of a pair's item, to be read beside the pair; NULL where it was not decided."""
    items = SplitItem.objects.filter(sheet_id=sheet_id, item_ref=OuterRef("item_ref")).order_by().values("item_ref")
    return Subquery(items.annotate(found=Max("side")).values("found"))


class Sides:
    """The sides of items, in the order in which they are decided; nothing is kept."""

    def __init__(self, sheet_id: str, split: Split) -> None:
        self.split = split
        self._strata = Strata(sheet_id, split, _counts(sheet_id))

    def decide(self, table: pa.Table) -> dict[str, tuple[str, str]]:
        """Return side and stratum of each labeled item of a batch that has no side yet."""
        new: dict[str, tuple[str, str]] = {}
        columns = (table[name].to_pylist() for name in ("item_ref", "status", "messages", "side"))
        for item_ref, status, text, side in zip(*columns, strict=True):
            if side is None and status == QAPair.Status.LABELED:
                stratum = stratum_of(_answer(text), self.split.stratify_by)
                new[item_ref] = (self._strata.decide(stratum, item_ref), stratum)
        return new

    def foresee(self, table: pa.Table) -> pa.Table:
        """Return a batch in which each labeled item has the side that it would be put on."""
        new = self.decide(table)
        items = table["item_ref"].to_pylist()
        kept = zip(items, table["side"].to_pylist(), strict=True)
        sides = [new[item_ref][0] if item_ref in new else side for item_ref, side in kept]
        foreseen = pa.array([item_ref in new for item_ref in items], pa.bool_())
        table = table.set_column(table.column_names.index("side"), "side", pa.array(sides, pa.string()))
        return table.append_column(FORESEEN, foreseen)


def decide_sides(training_sheet: TrainingSheet, split: Split) -> int:
    """Decide the side of each labeled item that has none, for good, and return how many those were."""
    sheet_id = training_sheet.sheet_id
    sides, decided = Sides(sheet_id, split), 0
    for tables in _labeled(training_sheet, {"side": side_column(sheet_id)}):
        new: dict[str, tuple[str, str]] = {}
        for table in tables:
            new |= sides.decide(table)
        decided += _keep(sheet_id, new)
    return decided


def strata_of(training_sheet: TrainingSheet, stratify_by: str) -> Iterator[str]:
    """Yield the stratum of each labeled pair, "" where its answer has none, in the order of the items."""
    for tables in _labeled(training_sheet, {}):
        for table in tables:
            yield from (stratum_of(_answer(text), stratify_by) for text in table["messages"].to_pylist())


def _labeled(training_sheet: TrainingSheet, more: Mapping[str, Any]) -> Iterator[list[pa.Table]]:
    """Yield the labeled pairs of each window, in batches."""
    pairs, size = QAPair.objects.of(training_sheet.pk).filter(status=QAPair.Status.LABELED), Size()
    for window in windows(pairs, size):
        ready = batches(pairs, window, more)
        size.learn(ready)
        yield ready


def _counts(sheet_id: str) -> Counter[tuple[str, str]]:
    rows = SplitItem.objects.filter(sheet_id=sheet_id).order_by().values_list("stratum", "side").annotate(n=Count("pk"))
    return Counter({(stratum, side): n for stratum, side, n in rows})


def _answer(messages: str) -> str:
    answer = answer_in(messages)
    return "" if answer is None or isinstance(answer, Exclusion) else answer


def _keep(sheet_id: str, new: dict[str, tuple[str, str]]) -> int:
    """Write the sides; of two who decide at once the first one's stand."""
    if not new:
        return 0
    columns: dict[str, Any] = {
        "id": [uuid5_of("split_item", sheet_id, item_ref) for item_ref in new],
        "sheet_id": [sheet_id] * len(new),
        "item_ref": list(new),
        "side": [side for side, _ in new.values()],
        "stratum": [stratum for _, stratum in new.values()],
    }
    return append_arrow(SplitItem, pa.table(columns), on_conflict="ignore")
