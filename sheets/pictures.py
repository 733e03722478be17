"""How large the pictures of an item are, as a browser shows them: upright, whatever way the camera was held."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from django.core.cache import cache, caches
from PIL import ExifTags, Image

from sheets.models import Sheet
from sheets.reading import VolumeFile, get_item, items_of
from sheets.volumes import open_path
from workbench.problems import Problem

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
DAMAGES = (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError)
# The orientations of EXIF that lay the picture on its side.
LYING = frozenset({5, 6, 7, 8})
# Seconds for which the pictures of an item that was looked at are remembered: as long as what was read ahead.
ITEM_KEPT_FOR = 600
KEPT_FOR = 3600  # seconds; the key names the file's state, so that a changed one is read again


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of an item: its file's name, width and height in pixels."""

    name: str
    width: int
    height: int


def pictures_of(files: Sequence[VolumeFile]) -> list[Picture]:
    """Return the files that are pictures with their sizes; one that is broken or gone is left out."""
    return list(_pictures(files))


def pictures_of_item(sheet_id: str, item_ref: str) -> list[Picture]:
    """Return the pictures of an item as a screen showed them last, in whatever process; else they are read.

    Raises a Problem where the item cannot be read.
    """
    found = remembered_pictures(sheet_id, item_ref)
    if found is None:
        item = get_item(Sheet.objects.get(pk=sheet_id), item_ref)
        found = remember_pictures(sheet_id, item_ref, pictures_of(item.files))
    return found


def remembered_pictures(sheet_id: str, item_ref: str) -> list[Picture] | None:
    """Return the pictures of an item as they were seen last, or None where that was too long ago."""
    found: list[Picture] | None = caches["ahead"].get(_item_key(sheet_id, item_ref))
    return found


def read_pictures(sheet_id: str, item_refs: Sequence[str]) -> None:
    """Have the pictures of these items remembered: those that nobody saw lately are read in one query.

    Raises a Problem where the items cannot be read.
    """
    missing = {ref: 0 for ref in item_refs if not caches["ahead"].has_key(_item_key(sheet_id, ref))}
    for item in items_of(Sheet.objects.get(pk=sheet_id), missing) if missing else ():
        remember_pictures(sheet_id, item.ref, pictures_of(item.files))


def remember_pictures(sheet_id: str, item_ref: str, pictures: list[Picture]) -> list[Picture]:
    """Return the pictures of an item, remembered for what is decided about it."""
    caches["ahead"].set(_item_key(sheet_id, item_ref), pictures, ITEM_KEPT_FOR)
    return pictures


def _item_key(sheet_id: str, item_ref: str) -> str:
    return f"pictures-{sha256(f'{sheet_id} {item_ref}'.encode()).hexdigest()}"


def _pictures(files: Sequence[VolumeFile]) -> Iterator[Picture]:
    for file in files:
        state = f"{file.path} {file.size} {file.modified_ns}"
        key = f"picture-{sha256(state.encode()).hexdigest()}"
        if (size := cache.get(key)) is None:
            size = _size(file) or ()
            cache.set(key, size, KEPT_FOR)
        if size:
            yield Picture(file.name, *size)


def _size(file: VolumeFile) -> tuple[int, int] | None:
    try:
        volume, name = open_path(file.path)
        with volume.open(name) as opened, Image.open(opened, formats=FORMATS) as picture:
            width, height = picture.size
            lies = picture.getexif().get(ExifTags.Base.Orientation) in LYING
    except (*DAMAGES, Problem):
        return None
    return (height, width) if lies else (width, height)
