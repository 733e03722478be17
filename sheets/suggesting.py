"""Which columns of a sheet look like sensitive data, as suggestions to tag them, and setting such a tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from governance import audit
from governance.sensitive.detectors import KINDS
from governance.sensitive.scanning import scan_field, texts_in
from sheets.catalog import browser, describe
from sheets.models import Sheet
from sheets.names import TableName
from sheets.reading import iter_items
from sheets.tagged import Place
from sheets.tagging import TagChange, write_tag
from workbench.near import listed
from workbench.problems import Invalid

LOOKED_AT = 200
# A column in which one value of five holds sensitive data is no accident.
SHARE = 0.2
TAG, SECRETS = "PII", {"key", "secret"}
SET_TAGS = "governance.change_tagpolicy"


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
    def words(self) -> str:
        found = ", ".join(f"{KINDS[kind]} in {count} of {self.values}" for kind, count in self.kinds)
        return f"Column {self.column}: {found}"


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


def tag_column(sheet: Sheet, column: str, tag: str, reason: str, *, actor: str) -> None:
    """Set the tag on the column of the sheet's table; it holds at the next use. Invalid for a column not suggested."""
    offered = {each.column: each for each in suggestions(sheet)}
    faults = {
        "column": []
        if column in offered
        else [f"Found {column!r}: use {listed(offered) or 'none, nothing is suggested'}."],
        "tag": []
        if column not in offered or tag == offered[column].tag
        else [f"Found {tag!r}: {offered[column].tag}."],
        "reason": [] if reason.strip() else ["Say why; it is kept in the audit."],
    }
    if found := {name: words for name, words in faults.items() if words}:
        raise Invalid.of_fields("The tag was not set.", found)
    place = _place(TableName.parse(offered[column].table), column)
    # The audit comes first: what it says and what then was not done is better than the reverse.
    change = TagChange(place, tag)
    words = f"{change.words}: {reason.strip()}"
    audit.append([audit.entry("tag_rule", f"sheet {sheet.pk}", reason=words, actor=actor)])
    write_tag(change)


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
