"""Which rows of the audit are about sheets, their items and what they read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Q

from sheets.models import Sheet


def about_hidden(sheet_ids: Collection[str], user: Any) -> Q:
    """Return the rows about these sheets and their items, and about sources that only sheets read which the user may not see."""
    about = Q(subject__in=[f"sheet {key}" for key in sheet_ids])
    for key in sheet_ids:
        about |= Q(subject__startswith=f"sheet {key} item ")
    for source in Sheet.objects.sources_hidden_from(user):
        place = ".".join(source.removeprefix("/volumes/").split("/")) if source.startswith("/") else source
        about |= Q(subject__in=[f"table {place}", f"volume {place}"]) | Q(subject__startswith=f"column {place}.")
    return about
