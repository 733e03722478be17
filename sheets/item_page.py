"""One item as a screen shows it: its columns with types and comments, its files by how a browser shows them."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import orjson
from django.core.cache import cache, caches

from sheets.catalog import describe
from sheets.file_views import SHOWN_IMAGES
from sheets.models import Sheet
from sheets.names import TableName
from sheets.pictures import Picture, pictures_of, remember_pictures
from sheets.reading import Item, VolumeFile, columns_of, get_item, items_of
from sheets.serializers import plain
from workbench.problems import Problem

COMMENTS_FOR = 300  # seconds
# What was read ahead is shown so long; a reviewer comes to the last of a handful of items within this time.
AHEAD_FOR = 600  # seconds
LONG = 90  # characters


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of the item: its value as text, and whether that needs the whole width."""

    name: str
    type: str
    comment: str
    text: str
    is_long: bool


@dataclass(frozen=True, slots=True)
class MarkedCell(Cell):
    """A cell with its text in pieces, each with what a title says of it ("" where it is plain), and notes below it."""

    pieces: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file of the item; `kind` is image, pdf or other."""

    name: str
    url: str
    kind: str


@dataclass(frozen=True, slots=True)
class Source:
    """What a screen shows of an item; `pictures` where they were measured, `problem` says why there is nothing."""

    cells: list[Cell]
    files: list[ShownFile]
    hash: str = ""
    problem: str = ""
    pictures: Sequence[Picture] = ()


def source_of(sheet: Sheet, item_ref: str, *, measured: bool = False) -> Source:
    """Return the item for a screen, as it was read ahead where it was.

    With `measured` it has the sizes of its pictures, for which each is opened. One that cannot be read is a problem in
    words, so that the rest still shows.
    """
    ahead: Source | None = caches["ahead"].get(_ahead_key(sheet, item_ref, measured))
    if ahead is not None:
        return ahead
    try:
        return _source(sheet, _item(sheet, item_ref), measured)
    except Problem as problem:
        return Source([], [], problem=problem.message)


def hash_of(sheet: Sheet, item_ref: str) -> str:
    """Return the item's content hash, as a screen had it read ahead where one did; "" where it cannot be read."""
    for measured in (True, False):
        ahead: Source | None = caches["ahead"].get(_ahead_key(sheet, item_ref, measured))
        if ahead is not None:
            return ahead.hash
    try:
        return _item(sheet, item_ref).hash
    except Problem:
        return ""


def read_ahead(sheet: Sheet, item_refs: Sequence[str], *, measured: bool = False) -> None:
    """Read those of the items that nobody has read ahead yet, in one query, for `source_of` to have them at once."""
    kept = caches["ahead"]
    missing = {ref: 0 for ref in item_refs if not kept.has_key(_ahead_key(sheet, ref, measured))}
    for item in items_of(sheet, missing) if missing else ():
        kept.set(_ahead_key(sheet, item.ref, measured), _source(sheet, item, measured), AHEAD_FOR)


def _ahead_key(sheet: Sheet, item_ref: str, measured: bool) -> str:
    return f"source-{measured}-{sheet.pk}-{sheet.updated_at.timestamp()}-{sha256(item_ref.encode()).hexdigest()}"


def _item(sheet: Sheet, item_ref: str) -> Item:
    # Its place in the sheet, which is not shown, would be counted over all items.
    found = items_of(sheet, {item_ref: 0})
    return found[0] if len(found) == 1 else get_item(sheet, item_ref)


def _source(sheet: Sheet, item: Item, measured: bool) -> Source:
    pictures = remember_pictures(sheet.pk, item.ref, pictures_of(item.files)) if measured else ()
    return Source(list(_cells(sheet, item)), [shown_file(file) for file in item.files], item.hash, pictures=pictures)


def shown_file(file: VolumeFile) -> ShownFile:
    """Return a file of a volume with its address and how a browser shows it."""
    kind = mimetypes.guess_type(file.name)[0] or ""
    shown = "pdf" if kind == "application/pdf" else "image" if kind in SHOWN_IMAGES - {"image/tiff"} else "other"
    return ShownFile(file.name, f"/api/v1/files{quote(file.path)}", shown)


def _cells(sheet: Sheet, item: Item) -> Iterator[Cell]:
    types, comments = _columns(sheet)
    for name, value in item.row.items():
        text = _text(plain(value))
        yield Cell(name, types.get(name, ""), comments.get(name, ""), text, len(text) > LONG or "\n" in text)


def _columns(sheet: Sheet) -> tuple[dict[str, str], dict[str, str]]:
    """Return the types and comments of the item's columns, remembered for a while: they cost several statements."""
    key = f"columns-{sheet.pk}-{sheet.updated_at.timestamp()}"
    if (known := cache.get(key)) is None:
        known = columns_of(sheet), _comments(sheet)
        cache.set(key, known, COMMENTS_FOR)
    types, comments = known
    return types, comments


def _comments(sheet: Sheet) -> dict[str, str]:
    tables = [source["table"] for source in sheet.secondary_sources if source.get("type") == "table"]
    found: dict[str, str] = {}
    # The primary table last: its columns keep their names where others have the same.
    for table in (*reversed(tables), sheet.primary_table):
        found |= {row["name"]: row["comment"] or "" for row in describe(TableName.parse(table))}
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return (
            orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() if isinstance(value, dict | list) else str(value)
        )
    if value.lstrip().startswith(("{", "[")):
        try:
            return orjson.dumps(orjson.loads(value), option=orjson.OPT_INDENT_2).decode()
        except orjson.JSONDecodeError:
            return value
    return value
