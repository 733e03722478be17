"""Reads and writes the sides of stratified splits."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
from django.db.models import Count, Max, OuterRef, Subquery

from training.exporting import Size, batches, windows
from training.exports.splits import Split, Strata, stratum_of
from training.ledger import Exclusion, answer_in
from training.models import QAPair, SplitItem, TrainingSheet
from workbench.lakehouse.bulk import append_arrow
from workbench.lakehouse.ids import uuid5_of


def side_column(sheet_id: str) -> Subquery:
    """Return the side of a pair's item, to be read beside the pair; NULL where it was not decided."""
    items = SplitItem.objects.filter(sheet_id=sheet_id, item_ref=OuterRef("item_ref")).order_by().values("item_ref")
    return Subquery(items.annotate(found=Max("side")).values("found"))


def decide_sides(training_sheet: TrainingSheet, split: Split) -> int:
    """Decide the side of each labeled item that has none, for good, and return how many those were."""
    sheet_id = training_sheet.sheet_id
    strata = Strata(sheet_id, split, _counts(sheet_id))
    decided = 0
    pairs = QAPair.objects.of(training_sheet.pk).filter(status=QAPair.Status.LABELED)
    size = Size()
    for window in windows(pairs, size):
        new: dict[str, tuple[str, str]] = {}
        ready = batches(pairs, window, {"side": side_column(sheet_id)})
        size.learn(ready)
        for table in ready:
            for item_ref, text, side in zip(
                *(table[name].to_pylist() for name in ("item_ref", "messages", "side")), strict=True
            ):
                if side is None and item_ref not in new:
                    stratum = stratum_of(_answer(text), split.stratify_by)
                    new[item_ref] = (strata.decide(stratum, item_ref), stratum)
        decided += _keep(sheet_id, new)
    return decided


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
