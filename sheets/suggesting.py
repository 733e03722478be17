"""Which columns of a sheet look like sensitive data, as suggestions to tag them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from governance.sensitive.detectors import KINDS
from governance.sensitive.scanning import scan_field, texts_in
from sheets.catalog import browser, describe
from sheets.models import Sheet
from sheets.names import TableName
from sheets.reading import iter_items
from sheets.tagged import Place

LOOKED_AT = 200
# A column in which one value of five holds sensitive data is no accident.
SHARE = 0.2
TAG, SECRETS = "PII", {"key", "secret"}


@dataclass(frozen=True)
class Suggestion:
    """A column, in how many of its values what was found, and the tag that it should have; `tagged` says that it has one."""

    table: str
    column: str
    kinds: tuple[tuple[str, int], ...]
    values: int
    tag: str
    tagged: bool

    @property
    def found(self) -> str:
        return ", ".join(f"{KINDS[kind]} in {count} of {self.values}" for kind, count in self.kinds)

    @property
    def words(self) -> str:
        return f"Column {self.column}: {self.found}"

    @property
    def tag_form(self) -> str:
        """The query of the form that sets the tag, after it has shown what that does."""
        place = f"{self.table}.{self.column}"
        return urlencode({"level": "column", "place": place, "key": self.tag, "reason": self.words})


def suggestions(sheet: Sheet) -> list[Suggestion]:
    """Return the columns among the first items' that hold sensitive data, by table and column; secrets are CONFIDENTIAL."""
    values: Counter[str] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    for item in iter_items(sheet, limit=LOOKED_AT):
        for column, value in item.row.items():
            texts = list(texts_in(value, column))
            values[column] += any(text.strip() for _, text in texts)
            found.update({(column, each.kind) for path, text in texts for each in scan_field(path, text)})
    tables = _tables(sheet)
    often: dict[str, list[tuple[str, int]]] = {}
    for (column, kind), count in found.most_common():
        if column in tables and count >= SHARE * values[column]:
            often.setdefault(column, []).append((kind, count))
    places = [_place(tables[column], column) for column in often]
    tagged = {each.name: bool(each.tags) for each in browser().tags(places)} if places else {}
    return [
        Suggestion(
            str(tables[column]), column, tuple(kinds), values[column],
            "CONFIDENTIAL" if SECRETS.issuperset(kind for kind, _ in kinds) else TAG,
            tagged.get(f"{tables[column]}.{column}", False),
        )
        for column, kinds in sorted(often.items())
    ]  # fmt: skip


def _place(table: TableName, column: str) -> Place:
    return Place("column", (table.catalog, table.schema, table.table, column))


def _tables(sheet: Sheet) -> dict[str, TableName]:
    """Return the table of each column, the first one where several have it, as the join takes it."""
    named: Iterable[str] = [
        sheet.primary_table,
        *(source["table"] for source in sheet.secondary_sources or () if source.get("type") == "table"),
    ]
    found: dict[str, TableName] = {}
    for table in map(TableName.parse, named):
        for column in describe(table):
            found.setdefault(column["name"], table)
    return found
