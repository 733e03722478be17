"""The statements over the items of a sheet, in Databricks SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import DataError, NotSupportedError, ProgrammingError, connections

from sheets.data_files import data_files_needed
from sheets.items import sample_key_sql
from sheets.models import Sheet
from sheets.names import quote
from sheets.sources import Plan
from sheets.wide_rows import within_memory
from workbench.problems import Invalid
from workbench.router import LAKEHOUSE

# Databricks SQL with `%s` markers, and its parameters.
Statement = tuple[str, Sequence[Any]]


class Query:
    """The statements over one sheet: Databricks SQL with `%s` markers, and their parameters."""

    def __init__(self, sheet: Sheet, plan: Plan) -> None:
        self.sheet, self.plan = sheet, plan
        self.ref = quote(plan.ref).replace("%", "%%")
        self.all_items = f"FROM ({plan.select}) AS item".replace("%", "%%")
        self.condition = f"({plan.condition})".replace("%", "%%") if plan.condition else "TRUE"
        # A text without characters names nothing, no more than NULL does.
        self.key = f"NULLIF({self.ref}, '')" if plan.ref_is_text else self.ref
        self.marker = "%s" if plan.ref_is_text else f"CAST(%s AS {plan.ref_type})"

    def page(self, after: str | None, limit: int, *, including: bool = False) -> tuple[str, list[Any]]:
        """The next items behind `after`, or from it on with `including`."""
        where, params = self._taken()
        if after is not None:
            where, params = f"{where} AND {self.ref} {'>=' if including else '>'} {self.marker}", [*params, after]
        return f"SELECT * {self.all_items} WHERE {where} ORDER BY {self.ref} LIMIT {limit:d}", params

    def one(self, item_ref: str) -> tuple[str, list[Any]]:
        where, params = self._taken()
        return f"SELECT * {self.all_items} WHERE {where} AND {self.ref} = {self.marker} LIMIT 2", [*params, item_ref]

    def some(self, item_refs: Sequence[str], up_to: str | None = None) -> tuple[str, list[Any]]:
        """The items of these names, which travel as one parameter whatever their number, as far as `up_to`."""
        where, params = self._taken()
        if up_to is not None:
            where, params = f"{where} AND {self.ref} <= {self.marker}", [*params, up_to]
        wanted = f"CAST({self.ref} AS STRING) IN (SELECT EXPLODE(CAST(%s AS ARRAY<STRING>)))"
        return f"SELECT * {self.all_items} WHERE {where} AND {wanted} ORDER BY {self.ref}", [*params, list(item_refs)]

    def count(self) -> tuple[str, list[Any]]:
        return f"SELECT COUNT(*) {self.all_items} WHERE {self.condition}", []

    def ref_at(self, place: int) -> tuple[str, list[Any]]:
        """The name of the item at a place, counted from 0."""
        where, params = self._taken()
        sql = f"SELECT CAST({self.ref} AS STRING) {self.all_items} WHERE {where}"
        return f"{sql} ORDER BY {self.ref} LIMIT 1 OFFSET {place:d}", params

    def count_before(self, item_ref: str) -> tuple[str, list[Any]]:
        where, params = self._taken()
        return f"SELECT COUNT(*) {self.all_items} WHERE {where} AND {self.ref} < {self.marker}", [*params, item_ref]

    def refs_before(self, item_ref: str, limit: int) -> tuple[str, list[Any]]:
        """The names of the nearest items before one, the nearest first."""
        where, params = self._taken()
        sql = f"SELECT CAST({self.ref} AS STRING) {self.all_items} WHERE {where} AND {self.ref} < {self.marker}"
        return f"{sql} ORDER BY {self.ref} DESC LIMIT {limit:d}", [*params, item_ref]

    def refs_without(self, known: Statement, after: str | None, limit: int) -> tuple[str, list[Any]]:
        """The names of the next items behind `after` that the statement `known`, of one column `ref`, does not give."""
        where, params = self._taken()
        if after is not None:
            where, params = f"{where} AND {self.ref} > {self.marker}", [*params, after]
        given, more = known
        # EXISTS, because NOT IN has Spark look for NULL among all that is known, in one task.
        unknown = f"NOT EXISTS (SELECT 1 FROM ({given}) AS known WHERE known.ref = CAST(item.{self.ref} AS STRING))"  # noqa: S608
        sql = f"SELECT CAST({self.ref} AS STRING) {self.all_items} WHERE {where} AND {unknown}"
        return f"{sql} ORDER BY {self.ref} LIMIT {limit:d}", [*params, *more]

    def keys(self) -> tuple[str, list[Any]]:
        """All items, those without a key, and distinct keys: before the sample is taken."""
        counts = f"COUNT(*), COUNT(*) - COUNT({self.key}), COUNT(DISTINCT {self.key})"
        return f"SELECT {counts} {self.all_items} WHERE {self.condition}", []

    def repeated(self, most: int) -> tuple[str, list[Any]]:
        """The first keys that several items have, each with the number of such keys."""
        groups = f"SELECT {self.ref} AS ref {self.all_items} WHERE {self.condition} AND {self.key} IS NOT NULL"
        groups += f" GROUP BY {self.ref} HAVING COUNT(*) > 1"
        return f"SELECT ref, COUNT(*) OVER () FROM ({groups}) AS repeated ORDER BY ref LIMIT {most:d}", []  # noqa: S608

    def volume_keys(self) -> tuple[str, list[Any]]:
        where, params = self._taken()
        keys = ", ".join(quote(each.key).replace("%", "%%") for each in self.plan.volumes)
        return f"SELECT {keys} {self.all_items} WHERE {where} ORDER BY {self.ref}", params

    def without_row(self, rows: str, most: int) -> tuple[str, list[Any]]:
        """The first items for which the query of a joined table's rows gives none, each with the number of such items."""
        where, params = self._taken()
        sql = f"SELECT CAST({self.ref} AS STRING), COUNT(*) OVER () {self.all_items}"
        rows = rows.replace("%", "%%")
        return f"{sql} WHERE {where} AND NOT EXISTS ({rows}) ORDER BY {self.ref} LIMIT {most:d}", params

    def _taken(self) -> tuple[str, list[Any]]:
        """The condition that leaves the items of the sheet: its filter, and its sample by hash."""
        if self.sheet.sample_size is None:
            return self.condition, []
        # Only keys are sorted by hash; the wide rows of the chosen ones are read afterwards, in their own order.
        chosen = f"SELECT {self.ref} {self.all_items} WHERE {self.condition} AND {self.key} IS NOT NULL"
        chosen += f" ORDER BY {sample_key_sql(self.ref, '%s')} LIMIT {self.sheet.sample_size:d}"
        # The table is the seed, so that another sheet over the same table takes the same items.
        return f"{self.condition} AND {self.ref} IN ({chosen})", [self.sheet.primary_table.casefold()]


def fetch(sheet: Sheet, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a statement that gives few; errors of `refusals`."""
    with refusals(sheet), connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


@contextmanager
def refusals(sheet: Sheet) -> Iterator[None]:
    """Turn what the lakehouse refuses in a filter, such as a number compared with text, into an Invalid.

    Conflict for a table whose data file is gone.
    """
    try:
        with within_memory(), data_files_needed():
            yield
    except (DataError, ProgrammingError, NotSupportedError) as error:
        if not sheet.filter_condition:
            raise
        words = f"The lakehouse cannot run the filter: {str(error).splitlines()[0]} Compare like with like, or cast."
        raise Invalid.of_fields(f"The sheet {sheet.name!r} cannot be read.", {"filter_condition": [words]}) from error
