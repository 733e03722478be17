"""Boxes as YOLO: a zip with a text file for each picture, a line `class x y width height` for each shape.

The four numbers are the middle and the size of the box, each as a share of the picture's width or height. The format is
that of https://docs.ultralytics.com/datasets/detect/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import orjson

from labels.marked import BLOCK, IN_MEMORY, Marked, MarkedFile, MarkedPicture
from templates_app.shapes import bounds_of
from workbench.problems import Invalid

# The oldest time that a zip can hold, so that the same labels are the same bytes.
ALWAYS = (1980, 1, 1, 0, 0, 0)


def yolo_file(marked: Marked) -> MarkedFile:
    """Return the blocks of the zip: `data.yaml`, `classes.txt` and `labels/NAME.txt`; a polygon is the box around it.

    A picture without shapes has an empty file. Invalid where two pictures would share one.
    """
    try:
        _check_names(marked)
    except Invalid:
        marked.spool.close()
        raise
    return MarkedFile(marked, _blocks)


def yolo_box(shape: Mapping[str, Any], width: int, height: int) -> tuple[float, float, float, float]:
    """Return the middle (x, y) and the size of the box around a shape, as shares of the picture."""
    x, y, wide, high = bounds_of(shape)
    return (x + wide / 2) / width, (y + high / 2) / height, wide / width, high / height


def _check_names(marked: Marked) -> None:
    seen: dict[str, str] = {}
    for picture in marked:
        name = _name(picture)
        if name in seen:
            raise Invalid(
                f"YOLO keeps the shapes of a picture in {name}, but the items {seen[name]!r} and {picture.item_ref!r} "
                "both have one of that name: export them as coco."
            )
        seen[name] = picture.item_ref


def _name(picture: MarkedPicture) -> str:
    path = PurePosixPath(picture.image)
    if path.is_absolute() or ".." in path.parts or "\\" in picture.image:
        raise Invalid(f"The picture of {picture.item_ref!r} is named {picture.image!r}, no name of a file: correct it.")
    return f"labels/{path.with_suffix('.txt')}"


def _blocks(marked: Marked) -> Iterator[bytes]:
    with SpooledTemporaryFile(IN_MEMORY) as made:
        with ZipFile(made, "w") as archive:
            _put(archive, "data.yaml", _yaml(marked.names))
            _put(archive, "classes.txt", "".join(f"{name}\n" for name in marked.names))
            for picture in marked:
                _put(archive, _name(picture), "".join(_lines(marked, picture)))
        made.seek(0)
        while block := made.read(BLOCK):
            yield block


def _put(archive: ZipFile, name: str, text: str) -> None:
    entry = ZipInfo(name, ALWAYS)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, text, ZIP_DEFLATED)


def _yaml(names: list[str]) -> str:
    listed = "".join(f"  {at}: {orjson.dumps(name).decode()}\n" for at, name in enumerate(names))
    return f"# Put the pictures into images/, beside labels/.\npath: .\ntrain: images\nval: images\nnames:\n{listed}"


def _lines(marked: Marked, picture: MarkedPicture) -> Iterator[str]:
    for path, _, shape in picture.shapes:
        box = " ".join(f"{share:.6f}" for share in yolo_box(shape, picture.width, picture.height))
        yield f"{marked.categories.index((path, shape['label']))} {box}\n"
