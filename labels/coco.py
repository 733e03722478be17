"""Boxes and polygons as COCO: one JSON object of categories, images and annotations.

The format is that of https://cocodataset.org/#format-data (object detection).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from labels.marked import Marked, MarkedFile, MarkedPicture
from templates_app.shapes import area_of, bounds_of, outline_of
from workbench.canonical import canonical_bytes


def coco_file(marked: Marked) -> MarkedFile:
    """Return the blocks of the JSON. Ids are derived from what they name, so that the next export has the same.

    An image has its `item_ref` and uses besides. The segmentation of a box is its four corners.
    """
    return MarkedFile(marked, _blocks)


def _blocks(marked: Marked) -> Iterator[bytes]:
    info = {
        "description": f"{marked.sheet.name}: {marked.label_type}",
        "sheet_id": marked.sheet.pk,
        "labels_without_shapes": marked.left_out,
    }
    categories = [
        {"id": at, "name": name, "supercategory": path}
        for at, (name, (path, _)) in enumerate(zip(marked.names, marked.categories, strict=True), 1)
    ]
    yield b'{"info":' + canonical_bytes(info) + b',"licenses":[],"categories":' + canonical_bytes(categories)
    yield b',"images":['
    yield from _joined(_image(marked, picture) for picture in marked)
    yield b'],"annotations":['
    yield from _joined(each for picture in marked for each in _annotations(marked, picture))
    yield b"]}\n"


def _joined(values: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    before = b"\n"
    for value in values:
        yield before + canonical_bytes(value)
        before = b",\n"


def _image(marked: Marked, picture: MarkedPicture) -> dict[str, Any]:
    return {
        "id": _image_id(marked, picture),
        "file_name": picture.image,
        "width": picture.width,
        "height": picture.height,
        "item_ref": picture.item_ref,
        **picture.uses,
    }


def _annotations(marked: Marked, picture: MarkedPicture) -> Iterator[dict[str, Any]]:
    for path, at, shape in picture.shapes:
        yield {
            "id": _id(picture.label_id, path, str(at)),
            "image_id": _image_id(marked, picture),
            "category_id": marked.categories.index((path, shape["label"])) + 1,
            "bbox": list(bounds_of(shape)),
            "area": area_of(shape),
            "segmentation": [outline_of(shape)],
            "iscrowd": 0,
        }


def _image_id(marked: Marked, picture: MarkedPicture) -> int:
    return _id(marked.sheet.pk, picture.item_ref, picture.image)


def _id(*parts: str) -> int:
    """Return a number of 52 bits, which JSON keeps exactly wherever it is read."""
    return int(sha256("\0".join(parts).encode()).hexdigest()[:13], 16)
