"""Sheets over the same items: rows of the same table. What limits an item holds in all of them, however they name it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from django.db import DataError, NotSupportedError, ProgrammingError, connections
from django.db.models import Q

from sheets.models import Sheet
from sheets.names import TableName, quote
from workbench.models import SheetGrant
from workbench.problems import Conflict
from workbench.router import LAKEHOUSE

ELSEWHERE = "another sheet"
T = TypeVar("T")


@dataclass(frozen=True)
class Alike:
    """The sheets over a table that name its rows by `column`, as one sheet does: its key first.

    `renamed` are those that name the same rows by other columns. Of those that are `restricted` nothing is named: what
    limits an item is kept in words with exports, for everybody who sees the one sheet.
    """

    sheet_ids: Sequence[str]
    restricted: frozenset[str] = frozenset()
    table: str = ""
    column: str = ""
    renamed: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def over_the_table(self) -> list[str]:
        """Return the keys of all sheets over the table."""
        return [*self.sheet_ids, *(key for keys in self.renamed.values() for key in keys)]


def alike_of(sheet: Sheet) -> Alike:
    """Return the sheets whose items are the same, by one query of the lakehouse."""
    there = Sheet.objects.filter(primary_table__iexact=sheet.primary_table)
    others = [each for each in there if each.pk != sheet.pk]
    column = sheet.item_ref_name.casefold()
    if not others:
        return Alike([sheet.pk], table=sheet.primary_table, column=column)
    by_column: dict[str, list[str]] = {column: [sheet.pk]}
    for each in others:
        by_column.setdefault(each.item_ref_name.casefold(), []).append(each.pk)
    grants = SheetGrant.objects.filter(sheet_id__in=[each.pk for each in others]).order_by()
    restricted = frozenset(grants.values_list("sheet_id", flat=True))
    return Alike(by_column.pop(column), restricted, sheet.primary_table, column, by_column)


def by_any_name(
    read: Callable[[Alike, Sequence[str] | None], Mapping[str, T]], alike: Alike, item_refs: Sequence[str] | None = None
) -> dict[str, T]:
    """Return what `read` finds for the items in all sheets over the table, by the names that the items have here.

    The table is asked which row has which name only where a sheet with another name column has something.
    """
    found = dict(read(alike, item_refs))
    for column, sheet_ids in alike.renamed.items():
        said = read(replace(alike, sheet_ids=sheet_ids), None)
        for name, here in _names(alike, column, list(said), item_refs):
            found.setdefault(here, said[name])
    return found


def items_by_any_name(alike: Alike, item_refs: Sequence[str], path: str = "sheet_id") -> Q:
    """Return the filter that finds what was made of the items in any sheet over the table; `path` leads to the sheet."""
    found = Q(**{f"{path}__in": list(alike.sheet_ids), "item_ref__in": list(item_refs)})
    for column, sheet_ids in alike.renamed.items():
        names = {name for _, name in _names(replace(alike, column=column), alike.column, item_refs, None)}
        found |= Q(**{f"{path}__in": list(sheet_ids), "item_ref__in": sorted(names)})
    return found


def _names(alike: Alike, other: str, names: Sequence[str], item_refs: Sequence[str] | None) -> list[tuple[str, str]]:
    """Return the names that rows have by the column `other`, of those in `names`, each with the one of `alike`."""
    if not names:
        return []
    theirs, ours = (f"CAST({quote(column).replace('%', '%%')} AS STRING)" for column in (other, alike.column))
    wanted = "IN (SELECT EXPLODE(CAST(%s AS ARRAY<STRING>)))"
    sql = f"SELECT DISTINCT {theirs}, {ours} FROM {TableName.parse(alike.table).sql.replace('%', '%%')} "  # noqa: S608
    sql += f"WHERE {theirs} {wanted} AND " + (f"{ours} IS NOT NULL" if item_refs is None else f"{ours} {wanted}")
    params = [list(names)] if item_refs is None else [list(names), list(item_refs)]
    try:
        with connections[LAKEHOUSE].cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())
    except (DataError, ProgrammingError, NotSupportedError) as error:
        raise Conflict(
            f"A sheet over {alike.table} limits items by their {other!r}, and the table does not tell any more which those "
            f"are ({str(error).splitlines()[0]}): bring the columns {other!r} and {alike.column!r} back, or release them."
        ) from error
