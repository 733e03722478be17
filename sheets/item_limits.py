"""The limits on uses of single items of a sheet, which all made from such an item has, whenever it was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from governance.models import Withdrawal
from governance.uses import Limit

ItemLimits = Mapping[str, Sequence[Limit]]
Source = Callable[[str], Mapping[str, Limit]]

# What limits single items: the key of a sheet leads to the limit of each such item. Later apps add theirs.
SOURCES: list[Source] = [Withdrawal.objects.in_force]


def limits_of_items(sheet_id: str) -> ItemLimits:
    """Return the limits of those items of a sheet that have any, by item_ref: one query for each source."""
    found: dict[str, list[Limit]] = {}
    for source in SOURCES:
        for item_ref, limit in source(sheet_id).items():
            found.setdefault(item_ref, []).append(limit)
    return found
