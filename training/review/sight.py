"""Whether one who reviews sees a training sheet or pairs that are named by key; asks the lakehouse only where sheets are restricted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training.models import QAPair, TrainingSheet
from workbench.problems import NotFound
from workbench.sheet_rights import need_work, rights_of


def need_training_sheet(user: Any, training_sheet_id: str, *, to_work: bool = False) -> None:
    """Raise NotFound where the user does not see the training sheet, PermissionDenied where they may only look."""
    rights = rights_of(user)
    if not (rights.hidden or rights.read_only):
        return
    found = TrainingSheet.objects.visible_to(user).filter(pk=training_sheet_id).first()
    if found is None:
        raise NotFound(f"There is no training sheet {training_sheet_id}.")
    if to_work:
        need_work(user, found)


def need_pairs(user: Any, ids: Sequence[str]) -> None:
    """Raise NotFound where the user does not see one of the pairs, PermissionDenied where they may only look at it.

    So what is asked for many is refused as a whole, and nothing changes.
    """
    rights = rights_of(user)
    if not (rights.hidden or rights.read_only):
        return
    hidden = QAPair.objects.filter(pk__in=ids, training_sheet__sheet_id__in=rights.hidden)
    if key := hidden.values_list("pk", flat=True).first():
        raise NotFound(f"There is no pair {key}.")
    kept = QAPair.objects.filter(pk__in=ids, training_sheet__sheet_id__in=rights.read_only)
    if found := kept.select_related("training_sheet").first():
        need_work(user, found)
