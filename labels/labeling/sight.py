"""Whose sheets the labeling screens show, and who may label their items."""

from __future__ import annotations

from typing import Any

from django.http import Http404

from sheets.models import Sheet
from workbench.sheet_rights import may_work

LABEL = "labels.add_canonicallabel"
LOOK_ONLY = "You may look at these labels, but not change them: ask an owner for the right to add labels."


def expect_sheet(user: Any, sheet_id: str) -> Sheet:
    """Return the sheet; Http404 where there is none that the user sees."""
    found = Sheet.objects.visible_to(user).filter(pk=sheet_id).first()
    if found is None:
        raise Http404(f"There is no sheet {sheet_id}.")
    return found


def may_label(user: Any, sheet: Sheet) -> bool:
    """Return whether the user may record labels of the sheet's items."""
    return bool(user.has_perm(LABEL) and may_work(user, sheet))
