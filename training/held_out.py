"""What pairs have to do with held-out items: they can reserve some, and leave the training data with others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Count

from governance.held_out import reserving
from labels.held_out import Reserving
from sheets.alike import Alike, items_by_any_name
from training.models import QAPair


def reserving_pairs(sheet_ids: Sequence[str], only: Mapping[str, Any]) -> Reserving:
    """Return the pairs that may only be used to evaluate or test."""
    pairs = QAPair.objects.filter(reserving(), training_sheet__sheet_id__in=list(sheet_ids), **only)
    return Reserving(pairs, "a pair of the training sheet", "training_sheet__name")


def leaving(alike: Alike, item_refs: Sequence[str]) -> Iterable[tuple[str, str, int]]:
    """Return how many approved pairs of the items may be trained on, by sheet and training sheet."""
    held = QAPair.objects.filter(items_by_any_name(alike, item_refs, "training_sheet__sheet_id"), status="labeled")
    by_sheet = held.permitted("training").order_by().values_list("training_sheet__sheet_id", "training_sheet__name")
    return by_sheet.annotate(n=Count("pk"))
