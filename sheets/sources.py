"""A sheet resolved against the lakehouse: its sources, the columns of an item, and the SELECT that joins them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sheets.catalog import describe
from sheets.filters import FilterProblem, parse_filter
from sheets.models import Sheet
from sheets.names import TableName, VolumeName, quote
from sheets.own import refuse_own
from sheets.volume import Volume
from sheets.volumes import volume
from workbench.near import listed, near_misses
from workbench.problems import Invalid, Problem

Fields = dict[str, list[str]]
# Types whose values read back from their text as themselves, so that an item_ref can stand in a URL and a cursor.
WHOLE_NUMBERS = {"TINYINT": 8, "SMALLINT": 16, "INT": 32, "BIGINT": 64}
WHOLE_NUMBER = re.compile(r"0|-?[1-9]\d{0,37}", re.ASCII)
REF_TYPES = re.compile(r"STRING|(VAR)?CHAR\(\d+\)|TINYINT|SMALLINT|INT|BIGINT|DECIMAL\(\d+,\s*0\)", re.IGNORECASE)
# Kinds of types whose values `=` compares by what they are, each with all others of its kind.
NUMBER = re.compile(r"TINYINT|SMALLINT|INT|BIGINT|FLOAT|DOUBLE|DECIMAL\(.+\)", re.IGNORECASE)
TIME = re.compile(r"DATE|TIMESTAMP|TIMESTAMP_NTZ", re.IGNORECASE)
SOURCE_KEYS = {"table": {"type", "table", "join_key"}, "volume": {"type", "path", "join_key"}}


@dataclass(frozen=True, slots=True)
class JoinedTable:
    """A secondary table: its columns by name with their types, and the keys it is joined on."""

    name: TableName
    types: Mapping[str, str]
    keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class JoinedVolume:
    """A volume whose files belong to the item whose `key` column holds their name or stem."""

    volume: Volume
    key: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How the items of a sheet are read: `select` is a query of Databricks SQL without filter, `ref` names an item.

    `tables` are the joined ones by name, each with the query of its rows for one `item`.
    """

    columns: Mapping[str, str]
    select: str
    condition: str
    ref: str
    volumes: Sequence[JoinedVolume]
    tables: Sequence[tuple[str, str]]

    @property
    def ref_type(self) -> str:
        return self.columns[self.ref].upper()

    @property
    def ref_is_text(self) -> bool:
        return self.ref_type.startswith(("STRING", "VARCHAR", "CHAR"))

    def may_name(self, text: str) -> bool:
        """Return whether the text can be an item_ref at all: any text, or a whole number that its type holds."""
        if self.ref_is_text:
            return True
        if not WHOLE_NUMBER.fullmatch(text):
            return False
        if bits := WHOLE_NUMBERS.get(self.ref_type):
            return -(1 << bits - 1) <= int(text) < 1 << bits - 1
        return len(text.lstrip("-")) <= int(self.ref_type.removeprefix("DECIMAL(").split(",")[0])


@dataclass
class _Problems:
    """Collects what is wrong with each field, so that the user hears of everything at once."""

    fields: Fields = field(default_factory=dict)

    def add(self, name: str, message: str) -> None:
        self.fields.setdefault(name, []).append(message)

    @contextmanager
    def of(self, name: str, where: str = "") -> Iterator[None]:
        """Note a Problem raised inside as one of the field."""
        try:
            yield
        except Problem as problem:
            self.add(name, where + problem.message)


def resolve(sheet: Sheet) -> Plan:
    """Return the plan of a sheet; Invalid with `fields` for everything that the lakehouse does not have."""
    problems = _Problems()
    plan = _resolved(sheet, problems)
    if plan is None or problems.fields:
        raise Invalid.of_fields(f"The sheet {sheet.name!r} does not fit the lakehouse.", problems.fields)
    return plan


def _resolved(sheet: Sheet, problems: _Problems) -> Plan | None:
    primary: dict[str, str] = {}
    with problems.of("primary_table"):
        name = TableName.parse(sheet.primary_table)
        primary = _types(name)
    sources = list(_shaped(sheet, problems))
    if not primary:
        for at, source in sources:
            _joined(at, source, {}, sheet, problems)
        return None
    ref = _ref(sheet, primary, problems)
    joined = [found for at, source in sources if (found := _joined(at, source, primary, sheet, problems))]
    tables = [each for each in joined if isinstance(each, JoinedTable)]
    columns, select = joined_select(name, primary, tables)
    # Columns of a source that was refused would only look unknown.
    condition = "" if "secondary_sources" in problems.fields else _condition(sheet, columns, problems)
    volumes = [each for each in joined if isinstance(each, JoinedVolume)]
    rows = [(str(table.name), _rows_of_item(table, primary)) for table in tables]
    return Plan(columns, select, condition, ref, volumes, rows)


def _types(name: TableName) -> dict[str, str]:
    return {row["name"]: row["type"] for row in describe(name)}


def _ref(sheet: Sheet, primary: Mapping[str, str], problems: _Problems) -> str:
    for key in sheet.join_keys:
        if _column(key, primary) is None:
            problems.add("join_keys", _no_column(key, sheet.primary_table, primary))
    if not sheet.item_ref_name:
        problems.add("join_keys", "Nothing names an item: give join_keys, or an item_ref_column.")
        return ""
    ref = _column(sheet.item_ref_name, primary)
    if ref is None:
        if sheet.item_ref_column:
            problems.add("item_ref_column", _no_column(sheet.item_ref_column, sheet.primary_table, primary))
        return ""
    if not REF_TYPES.fullmatch(primary[ref]):
        at = "item_ref_column" if sheet.item_ref_column else "join_keys"
        problems.add(
            at, f"The column {ref!r} is {primary[ref]}, which cannot name an item: use one of text or whole numbers."
        )
    return ref


def _shaped(sheet: Sheet, problems: _Problems) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each secondary source that has the right shape, with where it stands, "source 1: "."""
    if not isinstance(sheet.secondary_sources, list):
        problems.add("secondary_sources", "Give a list of sources, [] for none.")
        return
    for number, source in enumerate(sheet.secondary_sources, 1):
        at = f"source {number}: "
        kind = source.get("type") if isinstance(source, dict) else None
        if not isinstance(kind, str) or kind not in SOURCE_KEYS:
            problems.add("secondary_sources", f'{at}found {source!r}: its "type" is "table" or "volume".')
        elif unknown := set(source) - SOURCE_KEYS[kind]:
            known = listed(SOURCE_KEYS[kind])
            problems.add("secondary_sources", f"{at}{listed(unknown)} is not a key of a {kind}: known are {known}.")
        else:
            yield at, source


def _joined(
    at: str, source: Mapping[str, Any], primary: Mapping[str, str], sheet: Sheet, problems: _Problems
) -> JoinedTable | JoinedVolume | None:
    with problems.of("secondary_sources", at):
        keys = _keys(source, sheet)
        if missing := [key for key in keys if primary and _column(key, primary) is None]:
            raise Invalid(_no_column(missing[0], sheet.primary_table, primary))
        return _KINDS[source["type"]](source, [_column(key, primary) or key for key in keys])
    return None


def _keys(source: Mapping[str, Any], sheet: Sheet) -> list[str]:
    found = source.get("join_key") or sheet.join_keys
    keys = [found] if isinstance(found, str) else found
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) and key for key in keys):
        raise Invalid(f'found the join_key {found!r}: give a column of both sides, such as "id", or a list of them.')
    return keys


def _joined_table(source: Mapping[str, Any], keys: Sequence[str]) -> JoinedTable:
    name = TableName.parse(str(source.get("table", "")))
    types = _types(name)
    for key in keys:
        if _column(key, types) is None:
            raise Invalid(_no_column(key, str(name), types))
    return JoinedTable(name, types, keys)


def _joined_volume(source: Mapping[str, Any], keys: Sequence[str]) -> JoinedVolume:
    if len(keys) > 1:
        raise Invalid(f"a volume is matched by one column, found {listed(keys)}: give one join_key.")
    name = VolumeName.parse(str(source.get("path", "")))
    refuse_own(name.catalog, name.schema)
    return JoinedVolume(volume(name), keys[0])


_KINDS: dict[str, Callable[[Mapping[str, Any], Sequence[str]], JoinedTable | JoinedVolume]] = {
    "table": _joined_table,
    "volume": _joined_volume,
}


def _condition(sheet: Sheet, columns: Mapping[str, str], problems: _Problems) -> str:
    if not (sheet.filter_condition or "").strip():
        return ""
    try:
        return parse_filter(str(sheet.filter_condition), columns)
    except FilterProblem as problem:
        problems.add("filter_condition", str(problem))
        return ""


def _column(name: str, columns: Mapping[str, str]) -> str | None:
    """Return the column as the table spells it: Databricks compares names without case."""
    return next((column for column in columns if column.casefold() == name.casefold()), None)


def _no_column(name: str, table: str, columns: Mapping[str, str]) -> str:
    return f"{table} has no column {name!r}.{near_misses(name, columns)} Columns: {listed(columns)}."


def joined_select(
    name: TableName, primary: Mapping[str, str], tables: Sequence[JoinedTable]
) -> tuple[dict[str, str], str]:
    """Return the columns of an item with their types, and the LEFT JOIN that gives them.

    Columns of the primary table keep their names; one of another table that clashes becomes `table_column`.
    """
    columns = dict(primary)
    chosen = [f"p.{quote(column)} AS {quote(column)}" for column in primary]
    joins = [f"{name.sql} AS p"]
    taken = Counter(
        column.casefold() for each in [primary, *(_beside_keys(table) for table in tables)] for column in each
    )
    for number, table in enumerate(tables, 1):
        joins.append(f"LEFT JOIN {table.name.sql} AS s{number} ON {_on(table, primary, 'p', f's{number}')}")
        for column in _beside_keys(table):
            label = column if taken[column.casefold()] == 1 else f"{table.name.table}_{column}"
            label = _free(label, columns)
            columns[label] = table.types[column]
            chosen.append(f"s{number}.{quote(column)} AS {quote(label)}")
    return columns, f"SELECT {', '.join(chosen)} FROM {' '.join(joins)}"  # noqa: S608 - quoted names only


def _beside_keys(table: JoinedTable) -> list[str]:
    keys = {key.casefold() for key in table.keys}
    return [column for column in table.types if column.casefold() not in keys]


def _rows_of_item(table: JoinedTable, primary: Mapping[str, str]) -> str:
    return f"SELECT 1 FROM {table.name.sql} AS s WHERE {_on(table, primary, 'item', 's')}"  # noqa: S608 - quoted names only


def _on(table: JoinedTable, primary: Mapping[str, str], us: str, them: str) -> str:
    pairs = [(key, str(_column(key, table.types))) for key in table.keys]
    return " AND ".join(
        _equal(f"{us}.{quote(key)}", primary[key], f"{them}.{quote(theirs)}", table.types[theirs])
        for key, theirs in pairs
    )


def _equal(ours: str, kind: str, theirs: str, their_kind: str) -> str:
    if kind.upper() == their_kind.upper() or any(
        of.fullmatch(kind) and of.fullmatch(their_kind) for of in (NUMBER, TIME)
    ):
        return f"{ours} = {theirs}"
    # 7 and '7' are the same key; as numbers, a text that is none would stop the whole query.
    return f"CAST({ours} AS STRING) = CAST({theirs} AS STRING)"


def _free(label: str, taken: Mapping[str, str]) -> str:
    used, number, found = {name.casefold() for name in taken}, 2, label
    while found.casefold() in used:
        found, number = f"{label}_{number}", number + 1
    return found
