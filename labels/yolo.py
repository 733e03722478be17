"""Boxes and polygons as YOLO: a zip with a text file for each picture, a line for each shape.

A line of detection is `class x y width height`, the middle and the size of the box; a line of segmentation
`class x1 y1 x2 y2 …`, the corners of an outline. All numbers are shares of the picture's width or height. The formats are
those of https://docs.ultralytics.com/datasets/detect/ and https://docs.ultralytics.com/datasets/segment/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import orjson

from labels.marked import BLOCK, IN_MEMORY, Marked, MarkedFile, MarkedPicture
from templates_app.shapes import bounds_of, outline_of
from workbench.problems import Invalid

# The oldest time that a zip can hold, so that the same labels are the same bytes.
ALWAYS = (1980, 1, 1, 0, 0, 0)

# The numbers of a line, from a shape and the picture's width and height.
Numbers = Callable[[Mapping[str, Any], int, int], list[float]]


def yolo_file(marked: Marked) -> MarkedFile:
    """Return the blocks of the zip: `data.yaml`, `classes.txt` and `labels/NAME.txt`, of detection.

    With a polygon anywhere `labels` is of segmentation, where a box is its four corners, and `boxes/NAME.txt` of detection.
    A picture without shapes has an empty file. Invalid where two pictures would share one.
    """
    try:
        _check_names(marked)
    except Invalid:
        marked.spool.close()
        raise
    return MarkedFile(marked, _blocks)


def yolo_box(shape: Mapping[str, Any], width: int, height: int) -> list[float]:
    """Return the middle (x, y) and the size of the box around a shape, as shares of the picture."""
    x, y, wide, high = bounds_of(shape)
    return [(x + wide / 2) / width, (y + high / 2) / height, wide / width, high / height]


def yolo_outline(shape: Mapping[str, Any], width: int, height: int) -> list[float]:
    """Return the corners of a shape one after the other, as shares of the picture."""
    return [value / (height if at % 2 else width) for at, value in enumerate(outline_of(shape))]


def _check_names(marked: Marked) -> None:
    seen: dict[str, str] = {}
    for picture in marked:
        name = _name("labels", picture)
        if name in seen:
            raise Invalid(
                f"YOLO keeps the shapes of a picture in {name}, but the items {seen[name]!r} and {picture.item_ref!r} "
                "both have one of that name: export them as coco."
            )
        seen[name] = picture.item_ref


def _name(folder: str, picture: MarkedPicture) -> str:
    path = PurePosixPath(picture.image)
    if path.is_absolute() or ".." in path.parts or "\\" in picture.image:
        raise Invalid(f"The picture of {picture.item_ref!r} is named {picture.image!r}, no name of a file: correct it.")
    return f"{folder}/{path.with_suffix('.txt')}"


def _folders(marked: Marked) -> dict[str, Numbers]:
    """Return the folders with what their lines hold.

    Of one kind each: beside an outline Ultralytics takes the four numbers of a box for two corners.
    """
    if any("polygon" in shape for picture in marked for _, _, shape in picture.shapes):
        return {"labels": yolo_outline, "boxes": yolo_box}
    return {"labels": yolo_box}


def _blocks(marked: Marked) -> Iterator[bytes]:
    with SpooledTemporaryFile(IN_MEMORY) as made:
        with ZipFile(made, "w") as archive:
            _put(archive, "data.yaml", _yaml(marked))
            _put(archive, "classes.txt", "".join(f"{name}\n" for name in marked.names))
            for folder, numbers in _folders(marked).items():
                for picture in marked:
                    _put(archive, _name(folder, picture), "".join(_lines(marked, picture, numbers)))
        made.seek(0)
        while block := made.read(BLOCK):
            yield block


def _put(archive: ZipFile, name: str, text: str) -> None:
    entry = ZipInfo(name, ALWAYS)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, text, ZIP_DEFLATED)


def _yaml(marked: Marked) -> str:
    listed = "".join(f"  {at}: {orjson.dumps(name).decode()}\n" for at, name in enumerate(marked.names))
    left = f"# Left out, because they have no shapes: {marked.left_out} of the labels.\n" if marked.left_out else ""
    # Without `path` Ultralytics takes the folder of this file; "." would be the one that it is started in.
    return f"# Put the pictures into images/, beside labels/.\n{left}train: images\nval: images\nnames:\n{listed}"


def _lines(marked: Marked, picture: MarkedPicture, numbers: Numbers) -> Iterator[str]:
    for path, _, shape in picture.shapes:
        shares = " ".join(f"{share:.6f}" for share in numbers(shape, picture.width, picture.height))
        yield f"{marked.categories.index((path, shape['label']))} {shares}\n"
