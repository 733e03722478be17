"""The items of a sheet: rows by key, never by offset, with their files and a hash of what they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connections

from sheets.items import FileStamp, content_hash
from sheets.models import Sheet
from sheets.queries import Query, Statement, fetch, refusals
from sheets.sources import JoinedVolume, Plan, resolve
from sheets.volume import FilesByKey
from sheets.wide_rows import text_size
from workbench.problems import Invalid, NotFound
from workbench.router import LAKEHOUSE

BATCH = 1_000
# The lakehouse sorts so many items at once, whatever the number of all: a sort of ten million would fill its memory, and so
# would one of a few thousand long documents. One row of some in the window before tells how wide they are; the first has
# room for the longest page of the API and the item behind it.
WINDOW, FIRST, WINDOW_SIZE, MEASURED = 20_000, 512, 32 << 20, 16
FEW = 5

Indexes = Sequence[tuple[JoinedVolume, FilesByKey]]


@dataclass(frozen=True, slots=True)
class VolumeFile:
    """A file of a volume: its name there with the directories that it is in, its volume path, its size in bytes, its change in nanoseconds since 1970."""

    name: str
    path: str
    size: int
    modified_ns: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One item: what names it, its place in the sheet's order from 0, its joined row and files, and their hash.

    `missing` are the volume paths, perhaps without ending, that its row names and where no file is.
    """

    ref: str
    position: int
    row: dict[str, Any]
    files: list[VolumeFile]
    hash: str
    missing: tuple[str, ...] = ()


def columns_of(sheet: Sheet) -> dict[str, str]:
    """Return the columns of an item with their types in Databricks SQL; Invalid where the sheet does not resolve."""
    return dict(resolve(sheet).columns)


def iter_items(
    sheet: Sheet, *, after: str | None = None, limit: int | None = None, first_position: int = 0
) -> Iterator[Item]:
    """Yield the items in the order of their item_ref (text by its bytes, numbers by value), at constant memory.

    `after` starts behind that item_ref and `limit` ends after so many; `first_position` is the place of the first one.
    Raises Invalid where the sheet does not resolve, and at the first null or repeated item_ref.
    """
    plan = resolve(sheet)
    _expect_name(sheet, plan, after)
    query, indexes = Query(sheet, plan), _indexes(plan)
    previous, position, left, window = after, first_position, limit, min(FIRST, WINDOW)
    while left is None or left > 0:
        most = window if left is None else min(window, left)
        found = size = 0
        for row in _window(query, previous, most, again=position > first_position):
            ref = _named(sheet, plan, row[plan.ref], previous)
            yield item_of(ref, position, row, indexes)
            size += 0 if found % MEASURED else text_size(row)
            previous, position, found = ref, position + 1, found + 1
        if found < most:
            return
        left = None if left is None else left - found
        window = min(WINDOW, max(1, WINDOW_SIZE * found // max(size * MEASURED, 1)))


def refs_without(sheet: Sheet, known: Statement, *, after: str | None, limit: int) -> list[str]:
    """Return the names of up to `limit` next items behind `after` that the statement `known` does not give, in one statement.

    `known` has one column, `ref`. Raises Invalid as `iter_items` does.
    """
    plan = resolve(sheet)
    _expect_name(sheet, plan, after)
    found: list[str] = []
    for (ref,) in fetch(sheet, *Query(sheet, plan).refs_without(known, after, limit)):
        found.append(_named(sheet, plan, ref, found[-1] if found else after))
    return found


def _expect_name(sheet: Sheet, plan: Plan, after: str | None) -> None:
    if after is not None and not plan.may_name(after):
        raise Invalid(f"Found {after!r} to start behind, which names no item of the sheet {sheet.name!r}: start over.")


def _window(query: Query, after: str | None, most: int, *, again: bool) -> Iterator[dict[str, Any]]:
    """Yield the rows of the next `most` items behind `after`.

    `again`: the row of `after` was given before. It is read once more and left out, so that another row with the same
    item_ref is seen, which a comparison alone would step over.
    """
    sql, params = query.page(after, most + again, including=again)
    with refusals(query.sheet), connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(sql, params)
        while batch := cursor.fetchmany(BATCH):
            for values in batch:
                row = dict(zip(query.plan.columns, values, strict=True))
                if again and str(row[query.plan.ref]) == after:
                    again = False
                    continue
                yield row


def get_item(sheet: Sheet, item_ref: str) -> Item:
    """Return one item; NotFound for an item_ref that the sheet does not have, Invalid for one that it has twice."""
    plan = resolve(sheet)
    query = Query(sheet, plan)
    unknown = NotFound(f"The sheet {sheet.name!r} has no item {item_ref!r}: list its items to see their names.")
    if not plan.may_name(item_ref):
        raise unknown
    found = fetch(sheet, *query.one(item_ref))
    if not found:
        raise unknown
    if len(found) > 1:
        raise _repeated(sheet, plan, item_ref)
    ((position,),) = fetch(sheet, *query.count_before(item_ref))
    return item_of(item_ref, position, dict(zip(plan.columns, found[0], strict=True)), _indexes(plan))


def ref_before(sheet: Sheet, item_ref: str, steps: int) -> str | None:
    """Return the name of the item that stands `steps` before one, or None where there are not so many."""
    plan = resolve(sheet)
    found = fetch(sheet, *Query(sheet, plan).refs_before(item_ref, steps)) if plan.may_name(item_ref) else []
    return str(found[-1][0]) if len(found) == steps else None


def rows_of(sheet: Sheet, item_refs: Sequence[str], *, up_to: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the joined rows of these items by item_ref, in one query; names that the sheet lacks are left out.

    So are those that come after `up_to`.
    """
    plan = resolve(sheet)
    fetched = fetch(sheet, *Query(sheet, plan).some(item_refs, up_to))
    found = (dict(zip(plan.columns, values, strict=True)) for values in fetched)
    return {str(row[plan.ref]): row for row in found}


def items_of(sheet: Sheet, positions: Mapping[str, int]) -> list[Item]:
    """Return these items by item_ref, each at the place given for it, in one query; those the sheet lacks are left out."""
    plan = resolve(sheet)
    indexes = _indexes(plan)
    found = fetch(sheet, *Query(sheet, plan).some(list(positions)))
    rows = (dict(zip(plan.columns, values, strict=True)) for values in found)
    return [item_of(ref, positions[ref], row, indexes) for row in rows if (ref := str(row[plan.ref])) in positions]


def count_items(sheet: Sheet) -> int:
    """Return how many items the sheet has, after filter and sample; Invalid where it does not resolve."""
    plan = resolve(sheet)
    ((total,),) = fetch(sheet, *Query(sheet, plan).count())
    return sampled(sheet, total)


def ref_at(sheet: Sheet, place: int) -> str:
    """Return the name of the item at a place, counted from 0; the sheet must have so many items."""
    ((ref,),) = fetch(sheet, *Query(sheet, resolve(sheet)).ref_at(place))
    return str(ref)


def sampled(sheet: Sheet, total: int) -> int:
    """Return how many of `total` items the sheet takes."""
    return total if sheet.sample_size is None else min(total, sheet.sample_size)


def item_of(ref: str, position: int, row: dict[str, Any], indexes: Indexes) -> Item:
    """Return the item of a row with the files that the indexes have for it."""
    found = [(joined, list(_files(joined, index, row[joined.key]))) for joined, index in indexes]
    files = [file for _, some in found for file in some]
    missing = tuple(
        f"{joined.volume.name}/{_inside(joined, row[joined.key])}"
        for joined, some in found
        if not some and row[joined.key] is not None
    )
    stamps = [FileStamp(file.path, file.size) for file in files]
    return Item(ref, position, row, files, content_hash(row, stamps), missing)


def matches(joined: JoinedVolume, index: FilesByKey, key: Any) -> Sequence[str]:
    """Return the files of a volume whose name, stem or path, inside the volume or whole, is the key."""
    return () if key is None else index.get(_inside(joined, key))


def _inside(joined: JoinedVolume, key: Any) -> str:
    # Spark names the files that it reads with this scheme.
    path, volume = str(key).removeprefix("dbfs:"), f"{joined.volume.name}/"
    return path[len(volume) :] if path[: len(volume)].lower() == volume.lower() else path


def _files(joined: JoinedVolume, index: FilesByKey, key: Any) -> Iterator[VolumeFile]:
    for name in matches(joined, index, key):
        try:
            state = joined.volume.state(name)
            yield VolumeFile(name, f"{joined.volume.name}/{name}", state.size, state.modified_ns)
        except NotFound:  # deleted since the volume was listed
            continue


def _indexes(plan: Plan) -> Indexes:
    return [(joined, FilesByKey(joined.volume)) for joined in plan.volumes]


def _named(sheet: Sheet, plan: Plan, ref: Any, previous: str | None) -> str:
    """Return the item_ref as text; Invalid where there is none, or the item before has the same."""
    if ref is None or ref == "":
        raise Invalid(f"The sheet {sheet.name!r} has items without {plan.ref}: filter them out or fill the column.")
    if str(ref) == previous:
        raise _repeated(sheet, plan, str(ref))
    return str(ref)


def _repeated(sheet: Sheet, plan: Plan, ref: str) -> Invalid:
    return Invalid(
        f"The sheet {sheet.name!r} has the item_ref {ref!r} more than once: name items by a column that is unique, "
        f"not {plan.ref}, or join tables that have one row for each key."
    )


@dataclass(slots=True)
class Few:
    """How many there are, and the first few of them."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def note(self, name: str) -> None:
        self.count += 1
        if len(self.first) < FEW:
            self.first.append(name)


@dataclass(frozen=True, slots=True)
class Findings:
    """Items taken, item_refs that stand more than once, items without one, keys without a file by volume path, and
    items without a row by joined table.

    `columns` are those of an item with their types, as `columns_of` gives them.
    """

    columns: dict[str, str]
    row_count: int
    duplicates: Few
    null_keys: int
    missing_files: dict[str, Few]
    missing_rows: dict[str, Few]

    @property
    def blocking(self) -> list[str]:
        """What stands against using the items at all, in sentences: some share an item_ref, or have none."""
        found = []
        if self.duplicates.count:
            first = ", ".join(map(repr, self.duplicates.first))
            found.append(
                f"{self.duplicates.count:,} item_refs stand more than once (first: {first}): name items by a unique "
                "column, or join tables with one row for each key."
            )
        if self.null_keys:
            found.append(f"{self.null_keys:,} items have no item_ref: filter them out, or fill the column.")
        return found


def inspect(sheet: Sheet) -> Findings:
    """Return what a reader should know before using the sheet; Invalid where it does not resolve.

    Duplicates and null keys are counted before the sample is taken, missing files and rows among the items that are
    taken.
    """
    plan = resolve(sheet)
    total, nulls, duplicates = _keys(sheet, plan)
    missing = _missing_files(sheet, plan), _missing_rows(sheet, plan)
    return Findings(dict(plan.columns), sampled(sheet, total), duplicates, nulls, *missing)


def _keys(sheet: Sheet, plan: Plan) -> tuple[int, int, Few]:
    query = Query(sheet, plan)
    ((total, nulls, distinct),) = fetch(sheet, *query.keys())
    if total - nulls == distinct:
        return total, nulls, Few()
    found = fetch(sheet, *query.repeated(FEW))
    return total, nulls, Few(found[0][1], [str(ref) for ref, _ in found])


def _missing_files(sheet: Sheet, plan: Plan) -> dict[str, Few]:
    found = {str(joined.volume.name): Few() for joined in plan.volumes}
    if not found:
        return found
    indexes = [(joined, index, found[str(joined.volume.name)]) for joined, index in _indexes(plan)]
    sql, params = Query(sheet, plan).volume_keys()
    with refusals(sheet), connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(sql, params)
        while batch := cursor.fetchmany(BATCH):
            for keys in batch:
                for key, (joined, index, few) in zip(keys, indexes, strict=True):
                    if key is not None and not matches(joined, index, key):
                        few.note(str(key))
    return found


def _missing_rows(sheet: Sheet, plan: Plan) -> dict[str, Few]:
    found: dict[str, Few] = {}
    for name, rows in plan.tables:
        first = fetch(sheet, *Query(sheet, plan).without_row(rows, FEW))
        few = found.setdefault(name, Few())
        few.count += first[0][1] if first else 0
        few.first += [ref for ref, _ in first if ref is not None][: FEW - len(few.first)]
    return found
