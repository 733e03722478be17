"""Which sheets a user sees and may work on: all, but for those that are restricted to others.

One query a request, two where any sheet is restricted: what they find is remembered on the user's object, as Django remembers permissions there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)

SEES_ALL = "workbench.see_every_sheet"
LOOK_ONLY = "You may look at what belongs to this sheet, but not work on it: ask a platform lead, who grants rights on its page."


@dataclass(frozen=True)
class SheetRights:
    """The keys of the sheets that a user may not see, and of those where they may only look."""

    hidden: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()


class OfSheetQuerySet(QuerySet[M]):
    """Rows that belong to a sheet: the model names the lookup that leads to the sheet's key, as `of_sheet`."""

    def visible_to(self, user: Any) -> Self:
        """Return the rows of the sheets that the user sees."""
        return self._without(rights_of(user).hidden)

    def workable_by(self, user: Any) -> Self:
        """Return the rows of the sheets that the user may work on."""
        rights = rights_of(user)
        return self._without(rights.hidden | rights.read_only)

    def _without(self, sheet_ids: frozenset[str]) -> Self:
        return self.exclude(**{f"{self.model.of_sheet}__in": sheet_ids}) if sheet_ids else self  # type: ignore[attr-defined]


def visible_to(user: Any, rows: QuerySet[M]) -> QuerySet[M]:
    """Return the rows that the user sees; all where they belong to no sheet."""
    found: QuerySet[M] = rows.visible_to(user) if hasattr(rows, "visible_to") else rows
    return found


def workable_by(user: Any, rows: QuerySet[M]) -> QuerySet[M]:
    """Return the rows that the user may work on; all where they belong to no sheet."""
    found: QuerySet[M] = rows.workable_by(user) if hasattr(rows, "workable_by") else visible_to(user, rows)
    return found


def rights_of(user: Any) -> SheetRights:
    """Return what is kept from the user, asked once for this object."""
    known: SheetRights | None = getattr(user, "_sheet_rights", None)
    if known is None:
        known = user._sheet_rights = _rights(user)
    return known


def _rights(user: Any) -> SheetRights:
    from workbench.models import SheetGrant

    if user.has_perm(SEES_ALL):
        return SheetRights()
    restricted = frozenset(SheetGrant.objects.order_by().values_list("sheet_id", flat=True).distinct())
    if not restricted:
        return SheetRights()
    # Those of a scoped token, which may be none.
    groups = getattr(user, "group_ids", None)
    groups = user.groups.values("pk") if groups is None else groups
    mine = SheetGrant.objects.filter(Q(user_id=user.pk or 0) | Q(group__in=groups)).values_list("sheet_id", "level")
    levels = list(mine)
    worked_on = {key for key, level in levels if level == SheetGrant.Level.WORK}
    return SheetRights(restricted.difference(dict(levels)), frozenset(dict(levels)) - worked_on)


def sheet_key_of(row: object) -> str | None:
    """Return the key of the sheet that a row, or whatever names its lookup as `of_sheet`, belongs to; None for none."""
    found: Any = row
    for name in getattr(row, "of_sheet", "").split("__"):
        found = getattr(found, name, None) if name else None
    return None if found is None else str(found)


def sees(user: Any, row: object) -> bool:
    """Return whether the user sees what belongs to the row's sheet."""
    return sheet_key_of(row) not in rights_of(user).hidden


def may_work(user: Any, row: object) -> bool:
    """Return whether the user may do more than look at what belongs to the row's sheet."""
    rights = rights_of(user)
    return not (rights.hidden or rights.read_only) or sheet_key_of(row) not in rights.hidden | rights.read_only


def need_work_on(user: Any, rows: QuerySet[Any]) -> None:
    """Raise PermissionDenied where the user may only look at one of the rows; asks for them only if there can be one."""
    kept = rights_of(user).read_only
    if kept and rows.filter(**{f"{rows.model.of_sheet}__in": kept}).exists():
        raise PermissionDenied(LOOK_ONLY)


def need_work(user: Any, row: object) -> None:
    """Raise PermissionDenied where the user may only look."""
    if not may_work(user, row):
        raise PermissionDenied(LOOK_ONLY)
