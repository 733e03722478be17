"""Labels whose item has changed since: found by reading the sheet, because a source row has no version."""

from __future__ import annotations

from collections.abc import Iterator

from labels.models import CanonicalLabel
from sheets.models import Sheet
from sheets.reading import get_item, iter_items
from workbench.problems import Problem


def stale_labels(sheet: Sheet) -> Iterator[CanonicalLabel]:
    """Yield the labels of the sheet whose item has other content than when it was labeled, or is gone.

    Reads every item of the sheet once and holds one hash for each label. A label without a hash is not judged.
    """
    labels = CanonicalLabel.objects.filter(sheet_id=sheet.pk).exclude(item_hash="")
    hashes = dict.fromkeys(labels.values_list("item_ref", flat=True), "")
    if not hashes:
        return
    for item in iter_items(sheet):
        if item.ref in hashes:
            hashes[item.ref] = item.hash
    for label in labels:
        if label.item_hash != hashes[label.item_ref]:
            yield label


def is_stale(label: CanonicalLabel) -> bool:
    """Return whether the label's item has other content than when it was labeled, or is gone; reads that item."""
    try:
        return get_item(label.sheet, label.item_ref).hash != label.item_hash
    except Problem:
        return True
