"""Boxes and polygons as COCO and YOLO, read back by another tool and by arithmetic."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from pycocotools import mask
from pycocotools.coco import COCO
from rest_framework.test import APIClient

from labels.actions import record_label
from labels.models import CanonicalLabel
from labels.yolo import yolo_box
from sheets.actions import create_sheet
from sheets.models import Sheet
from sheets.pictures import pictures_of_item
from templates_app.actions import create_template, publish
from templates_app.annotations import annotations_schema
from templates_app.models import PromptTemplate
from workbench.problems import Invalid

URL = "/api/v1/canonical-labels/export"
BOX = {"label": "bridge", "box": {"x": 10, "y": 20, "width": 30, "height": 40}}
POLYGON = {"label": "scratch", "polygon": [[0, 0], [40, 0], [0, 30]]}
Mark = Callable[..., None]


@pytest.fixture
def sheet(lakehouse: Path) -> Sheet:
    """Three boards; the camera of a1 was held upright, and its file lies on its side."""
    write_deltalake(lakehouse / "shop/raw/boards", pa.table({"board": ["a1", "b2", "c3"]}))
    volume = lakehouse / "Volumes/shop/raw/pics"
    volume.mkdir(parents=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 80)).save(volume / "a1.jpg", exif=exif)
    Image.new("RGB", (80, 60)).save(volume / "b2.png")
    Image.new("RGB", (80, 60)).save(volume / "c3.png")
    sources = [{"type": "volume", "path": "/Volumes/shop/raw/pics", "join_key": "board"}]
    given = {"name": "B", "primary_table": "shop.raw.boards", "join_keys": ["board"], "secondary_sources": sources}
    return create_sheet(given, actor="omar")


@pytest.fixture
def template(sheet: Sheet) -> PromptTemplate:
    marks = {"name": "marks", "type": "image_annotations", "enum": ["scratch", "bridge"]}
    given = {"name": "T", "label_type": "boxes", "user_prompt_template": "{{ board }}?"}
    given |= {"input_schema": [{"name": "board", "type": "string"}], "output_schema": [marks]}
    return publish(create_template(given, actor="omar"), actor="omar")


@pytest.fixture
def mark(sheet: Sheet, template: PromptTemplate) -> Mark:
    def write(item: str, image: str, *shapes: Any, width: int = 80, height: int = 60) -> None:
        value = {"image": image, "width": width, "height": height, "shapes": list(shapes)}
        record_label(
            sheet=sheet, item_ref=item, label_type="boxes", label_data={"marks": value}, template=template, actor="rosa"
        )

    return write


def exported(api: APIClient, sheet: Sheet, form: str) -> bytes:
    answer = api.get(URL, {"sheet": sheet.pk, "label_type": "boxes", "format": form})
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_a_picture_on_its_side_is_measured_upright(sheet: Sheet, mark: Mark) -> None:
    assert [(each.width, each.height) for each in pictures_of_item(sheet.pk, "a1")] == [(80, 60)]
    with pytest.raises(Invalid, match="found 60 × 80; the picture has 80 × 60 pixels"):
        mark("a1", "a1.jpg", BOX, width=60, height=80)
    with pytest.raises(Invalid, match="found 'b2"):
        mark("a1", "b2.png", BOX)


def test_pycocotools_reads_what_was_marked(api: APIClient, sheet: Sheet, mark: Mark, tmp_path: Path) -> None:
    mark("a1", "a1.jpg", BOX, POLYGON)
    mark("b2", "b2.png")
    file = tmp_path / "coco.json"
    call_command("export_labels", sheet="B", label_type="boxes", format="coco", out=file)
    assert file.read_bytes() == exported(api, sheet, "coco")
    coco = COCO(str(file))
    assert [(each["id"], each["name"]) for each in coco.loadCats(coco.getCatIds())] == [(1, "scratch"), (2, "bridge")]
    names = {each["file_name"]: each["id"] for each in coco.loadImgs(coco.getImgIds())}
    assert set(names) == {"a1.jpg", "b2.png"} and coco.getAnnIds(imgIds=[names["b2.png"]]) == []
    box, polygon = coco.loadAnns(coco.getAnnIds(imgIds=[names["a1.jpg"]]))
    assert (box["category_id"], box["bbox"], box["area"]) == (2, [10, 20, 30, 40], 1200)
    assert (polygon["bbox"], polygon["area"], polygon["segmentation"]) == ([0, 0, 40, 30], 600, [[0, 0, 40, 0, 0, 30]])
    assert mask.area(coco.annToRLE(polygon)) == pytest.approx(600, rel=0.1)
    assert (box["segmentation"], coco.annToMask(box).sum()) == ([[10, 20, 40, 20, 40, 60, 10, 60]], 1200)


def test_every_class_has_a_name_of_its_own_on_one_line(api: APIClient, sheet: Sheet) -> None:
    fields = {"a": annotations_schema(["b.c", "x\ny"]), "a.b": annotations_schema(["c"])}
    value = {**marks("b2.png", {**BOX, "label": "x\ny"})["marks"]}
    label = {"sheet": sheet, "item_ref": "b2", "label_type": "boxes", "actor": "rosa"}
    record_label(**label, label_data={"a": value, "a.b": {**value, "shapes": [{**BOX, "label": "c"}]}})
    CanonicalLabel.objects.update(output_schema={"type": "object", "properties": fields})
    names = ["a.b.c", "a.x y", "a.b.c (2)"]
    assert [each["name"] for each in json.loads(exported(api, sheet, "coco"))["categories"]] == names
    archive = zipfile.ZipFile(io.BytesIO(exported(api, sheet, "yolo")))
    assert archive.read("classes.txt").decode().splitlines() == names


def test_ids_stay_when_more_is_marked(api: APIClient, sheet: Sheet, mark: Mark) -> None:
    mark("b2", "b2.png", BOX)
    before = json.loads(exported(api, sheet, "coco"))
    mark("a1", "a1.jpg", POLYGON)
    after = json.loads(exported(api, sheet, "coco"))
    assert before["images"][0] in after["images"] and before["annotations"][0] in after["annotations"]


def test_yolo_has_a_file_for_each_picture(api: APIClient, sheet: Sheet, mark: Mark) -> None:
    mark("a1", "a1.jpg", BOX, {**BOX, "label": "scratch"})
    mark("b2", "b2.png")
    data = exported(api, sheet, "yolo")
    assert data == exported(api, sheet, "yolo")
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.namelist() == ["data.yaml", "classes.txt", "labels/a1.txt", "labels/b2.txt"]
    assert archive.read("classes.txt") == b"scratch\nbridge\n"
    assert archive.read("data.yaml").decode().splitlines()[1:] == [
        "train: images", "val: images", "names:", '  0: "scratch"', '  1: "bridge"',
    ]  # fmt: skip
    assert archive.read("labels/a1.txt").decode().splitlines() == [
        "1 0.312500 0.666667 0.375000 0.666667",
        "0 0.312500 0.666667 0.375000 0.666667",
    ]
    assert archive.read("labels/b2.txt") == b""


def pixels(line: str, names: list[str], width: int, height: int) -> tuple[str, list[tuple[float, float]]]:
    """The class and corners of a line, in pixels, as Ultralytics takes them: four numbers are middle and size of a box."""
    which, *shares = line.split(" ")
    assert all(0 <= float(share) <= 1 for share in shares)
    if len(shares) == 4:
        x, y, wide, high = map(float, shares)
        left, top, right, bottom = x - wide / 2, y - high / 2, x + wide / 2, y + high / 2
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    else:
        assert len(shares) >= 6 and len(shares) % 2 == 0
        corners = [(float(x), float(y)) for x, y in zip(shares[::2], shares[1::2], strict=True)]
    return names[int(which)], [(round(x * width, 1), round(y * height, 1)) for x, y in corners]


def test_yolo_keeps_polygons_and_the_boxes_around_them(
    api: APIClient, sheet: Sheet, mark: Mark, lakehouse: Path, tmp_path: Path
) -> None:
    mark("a1", "a1.jpg", BOX, POLYGON)
    mark("b2", "b2.png")
    mark("c3", "c3.png", BOX)
    file = tmp_path / "shapes.zip"
    call_command("export_labels", sheet="B", label_type="boxes", format="yolo", out=file)
    assert file.read_bytes() == exported(api, sheet, "yolo")
    archive = zipfile.ZipFile(file)
    names = archive.read("classes.txt").decode().splitlines()
    read: dict[str, list[Any]] = {}
    for entry in archive.namelist():
        if entry.endswith(".txt") and "/" in entry:
            picture = next(lakehouse.rglob(f"pics/{Path(entry).stem}.*"))
            size = ImageOps.exif_transpose(Image.open(picture)).size
            read[entry] = [pixels(line, names, *size) for line in archive.read(entry).decode().splitlines()]
    box = ("bridge", [(10, 20), (40, 20), (40, 60), (10, 60)])
    around = ("scratch", [(0, 0), (40, 0), (40, 30), (0, 30)])
    assert read == {
        "labels/a1.txt": [box, ("scratch", [(0, 0), (40, 0), (0, 30)])],
        "labels/b2.txt": [],
        "labels/c3.txt": [box],
        "boxes/a1.txt": [box, around],
        "boxes/b2.txt": [],
        "boxes/c3.txt": [box],
    }
    fields = {len(line.split()) for name in ("a1", "c3") for line in archive.read(f"labels/{name}.txt").splitlines()}
    assert fields == {7, 9}


@given(st.data(), st.integers(1, 100_000), st.integers(1, 100_000))
def test_yolo_gives_back_the_pixels(data: st.DataObject, width: int, height: int) -> None:
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    box = {
        "x": x,
        "y": y,
        "width": data.draw(st.integers(1, width - x)),
        "height": data.draw(st.integers(1, height - y)),
    }
    cx, cy, w, h = (float(f"{share:.6f}") for share in yolo_box({"box": box}, width, height))
    back = ((cx - w / 2) * width, (cy - h / 2) * height, w * width, h * height)
    assert all(abs(found - meant) < 0.5 for found, meant in zip(back, box.values(), strict=True))


def marks(image: str, *shapes: Any) -> dict[str, Any]:
    return {"marks": {"image": image, "width": 80, "height": 60, "shapes": list(shapes)}}


def test_boxes_that_name_no_template_are_exported_too(
    api: APIClient, sheet: Sheet, template: PromptTemplate, mark: Mark
) -> None:
    key = {"sheet_id": sheet.pk, "label_type": "boxes"}
    line = {"item_ref": "a1", "label_type": "boxes", "label_data": marks("a1.jpg", BOX)}
    query = f"/api/v1/canonical-labels/import?sheet={sheet.pk}"
    assert api.post(query, json.dumps(line).encode(), content_type="application/jsonl").json()["new"] == 1
    posted = {**key, "item_ref": "b2", "label_data": marks("b2.png", BOX)}
    assert api.post("/api/v1/canonical-labels", posted, format="json").json()["template_id"] == template.pk
    mark("c3", "c3.png", BOX)
    CanonicalLabel.objects.filter(item_ref="c3").update(template_id=None, output_schema=None)
    coco = json.loads(exported(api, sheet, "coco"))
    assert [each["file_name"] for each in coco["images"]] == ["a1.jpg", "b2.png", "c3.png"]
    assert [label.output_schema for label in CanonicalLabel.objects.filter(item_ref__in=["a1", "b2"])] == [
        template.output_schema
    ] * 2


def test_labels_without_shapes_are_counted(api: APIClient, sheet: Sheet, mark: Mark, tmp_path: Path) -> None:
    record_label(sheet=sheet, item_ref="b2", label_type="boxes", label_data={"none": 1}, actor="rosa")
    answer = api.get(URL, {"sheet": sheet.pk, "format": "coco", "label_type": "boxes"})
    assert "the sheet 'B' has labels of type 'boxes', but none with boxes" in answer.json()["error"]["message"]
    mark("a1", "a1.jpg", BOX)
    assert json.loads(exported(api, sheet, "coco"))["info"]["labels_without_shapes"] == 1
    archive = zipfile.ZipFile(io.BytesIO(exported(api, sheet, "yolo")))
    assert "# Left out, because they have no shapes: 1 of the labels." in archive.read("data.yaml").decode()
    out = io.StringIO()
    call_command("export_labels", sheet="B", label_type="boxes", format="coco", out=tmp_path / "x", stdout=out)
    assert "1 label exported" in out.getvalue() and "1 of type boxes have no boxes or polygons" in out.getvalue()


def test_the_text_of_boxes_is_no_answer_with_boxes(
    api: APIClient, sheet: Sheet, template: PromptTemplate, mark: Mark
) -> None:
    text = json.dumps(marks("not_there.jpg", BOX))
    posted = {"sheet_id": sheet.pk, "item_ref": "a1", "label_type": "boxes", "label_data": text}
    answer = api.post("/api/v1/canonical-labels", {**posted, "template_id": template.pk}, format="json")
    assert "found the text of a value" in answer.json()["error"]["fields"]["label_data"][0]
    line = {"item_ref": "a1", "label_type": "boxes", "label_data": text, "template_id": template.pk}
    query = f"/api/v1/canonical-labels/import?sheet={sheet.pk}"
    assert api.post(query, json.dumps(line).encode(), content_type="application/jsonl").json()["refused"] == 1


def test_what_cannot_be_exported_is_said(api: APIClient, sheet: Sheet, mark: Mark, tmp_path: Path) -> None:
    mark("a1", "a1.jpg", BOX)
    assert api.get(URL, {"sheet": sheet.pk, "format": "coco"}).json()["error"]["fields"] == {
        "label_type": ["Name one label type: boxes."]
    }
    answer = api.get(URL, {"sheet": sheet.pk, "format": "yolo", "label_type": "boxs"})
    assert answer.status_code == 404 and "Did you mean 'boxes'" in answer.json()["error"]["message"]
    assert api.get(URL, {"sheet": sheet.pk, "format": "voc"}).status_code == 400
    with pytest.raises(CommandError, match="Nothing to export"):
        call_command("export_labels", sheet="B", label_type="x", format="coco", out=tmp_path / "x.json")
