"""Pictures that are nearly the same: 256 bits each, of whether it gets brighter from one spot to the next (dHash)."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from sheets.reading import VolumeFile
from sheets.volumes import open_path
from workbench.problems import Problem

SIDE = 16
# Of 256 bits: another size or quality of the same picture changes fewer.
ALIKE = 8
MOST_BYTES = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")


def picture_hash(data: bytes) -> int | None:
    """Return the bits of a picture; None for what is none, or is one colour, which looks like any other such."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            picture.draft("L", (SIDE * 8, SIDE * 8))  # a JPEG is decoded at an eighth
            small = picture.convert("L").resize((SIDE + 1, SIDE))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    spots = small.tobytes()
    bits = [
        spots[row * (SIDE + 1) + at] < spots[row * (SIDE + 1) + at + 1] for row in range(SIDE) for at in range(SIDE)
    ]
    return int("".join("01"[bit] for bit in bits), 2) or None


def hashes_of(files: Sequence[VolumeFile]) -> list[int]:
    """Return the bits of those of an item's files that are pictures."""
    found = []
    for file in files:
        if not file.name.casefold().endswith(SUFFIXES) or file.size > MOST_BYTES:
            continue
        try:
            volume, name = open_path(file.path)
            with volume.open(name) as opened:
                bits = picture_hash(opened.read(MOST_BYTES))
        except (Problem, OSError):
            continue  # a file that is gone is reported where the sheet is checked
        if bits is not None:
            found.append(bits)
    return found
