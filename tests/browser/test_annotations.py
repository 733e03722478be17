"""Boxes drawn with the mouse, typed by keyboard and sent without scripts: each is a label in pixels of the file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from PIL import Image

from sheets.actions import create_sheet
from templates_app.models import PromptTemplate
from training.actions.generate import generate
from training.models import TrainingSheet
from training.review.applying import settle

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
PICTURES = Path("seed_data/pcb_defects/images")
Opens = Callable[..., Any]


def found(image: str, *shapes: Any) -> str:
    return json.dumps({"defects": {"image": image, "width": 800, "height": 600, "shapes": shapes}})


@pytest.fixture
def marked(seeded: Path) -> TrainingSheet:
    """Four boards with a machine's boxes as drafts; the second picture lies on its side in its file."""
    volume = seeded / "Volumes/mirion_vital/samples/seen"
    volume.mkdir(parents=True)
    first, second, *more = sorted(PICTURES.iterdir())[:4]
    for file in (first, *more):
        shutil.copy(file, volume)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(second).transpose(Image.Transpose.ROTATE_90).save(volume / second.name, exif=exif)
    names = [first.name, second.name, *(file.name for file in more)]
    box = {"label": "scratch", "box": {"x": 100, "y": 100, "width": 200, "height": 100}}
    columns = {
        "image_id": names,
        "board_serial": ["1", "2", "3", "4"],
        "line": ["A"] * 4,
        "image_width_px": [800] * 4,
        "image_height_px": [600] * 4,
        "machine": [found(names[0], box), *(found(name) for name in names[1:])],
    }
    write_deltalake(seeded / "mirion_vital/samples/seen_boards", pa.table(columns))
    sources = [{"type": "volume", "path": "/Volumes/mirion_vital/samples/seen", "join_key": "image_id"}]
    table = {"primary_table": "mirion_vital.samples.seen_boards", "join_keys": ["image_id"]}
    sheet = create_sheet({"name": "Seen", "secondary_sources": sources, **table}, actor="omar")
    template = PromptTemplate.objects.get(label_type="defect_boxes")
    config = {"response_column": "machine"}
    return generate(sheet=sheet, template=template, actor="omar", mode="existing_column", config=config)


@pytest.fixture
def opens(marked: TrainingSheet, rosa: User, client: Client, live_server: Any, chromium: Any) -> Iterator[Opens]:
    """Opens the review of the boards or another screen, patiently; what fails on a page, or breaks its policy, fails the test."""
    faults: list[str] = []
    client.force_login(rosa)

    def open_(address: str = f"/review/{marked.pk}/?order=sequence", **options: Any) -> Any:
        context = chromium.new_context(viewport={"width": 1280, "height": 720}, **options)
        session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
        context.add_cookies([session])
        page = context.new_page()
        page.set_default_timeout(90_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: "Content Security" in message.text and faults.append(message.text))
        page.goto(f"{live_server.url}{address}")
        return page

    yield open_
    assert faults == []


def ready(page: Any) -> None:
    """Wait until shapes can be drawn on the picture."""
    page.locator("[data-ready]").wait_for(state="attached")
    page.locator("[data-draw]:not([hidden])").wait_for()


def drag(page: Any, *corners: tuple[float, float]) -> None:
    """Drag from corner to corner, in pixels of the picture."""
    frame = page.locator(".viewer-marked").bounding_box()
    (start, *rest) = [
        (frame["x"] + x * frame["width"] / 800, frame["y"] + y * frame["height"] / 600) for x, y in corners
    ]
    page.mouse.move(*start)
    page.mouse.down()
    for point in rest:
        page.mouse.move(*point, steps=6)
    page.mouse.up()


def click(page: Any, *points: tuple[float, float]) -> None:
    """Click point by point, in pixels of the picture."""
    for point in points:
        drag(page, point)
        page.evaluate("() => new Promise(requestAnimationFrame)")


def sides(page: Any, row: int) -> list[float]:
    inputs = page.locator(f"[data-shape] >> nth={row} >> [data-side]")
    return [float(inputs.nth(at).input_value()) for at in range(4)]


def approved(page: Any, *keys: str) -> None:
    before = page.locator(".item").get_attribute("data-item-ref")
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_function("before => document.querySelector('.item').dataset.itemRef !== before", arg=before)
    page.locator("#state[data-state=saved]").wait_for()


def labels(lakehouse: Path) -> list[dict[str, Any]]:
    """What any Delta reader sees of the labels, by item."""
    rows = polars.read_delta(str(lakehouse / "mirion_vital/workbench/canonical_labels")).sort("item_ref")
    return [json.loads(row["label_data"])["defects"] for row in rows.to_dicts() if row["label_type"] == "defect_boxes"]


def test_a_box_by_mouse_by_keyboard_and_without_scripts(opens: Opens, seeded: Path) -> None:
    page = opens()
    ready(page)
    # A machine's draft: moved, reverted, and one more box beside it.
    assert page.locator(".fields.is-draft [data-shape]").count() == 1
    page.focus("[data-side=x]")
    page.locator(".viewer-marked .a9s-annotation.selected").wait_for()
    drag(page, (300, 200), (350, 250))
    assert sides(page, 0) == pytest.approx([100, 100, 250, 150], abs=3)
    page.click(".af-diff >> text=Revert")
    assert sides(page, 0) == [100, 100, 200, 100]
    page.keyboard.press("b")
    drag(page, (400, 300), (500, 360))
    page.keyboard.press("2")
    assert page.locator(".af-diff ins >> text=solder_bridge").count() == 1
    approved(page, "a")
    # A picture that lies on its side in its file is marked as it is seen, also when it is zoomed and moved.
    ready(page)
    page.click("[aria-label='Zoom in']")
    drag(page, (400, 300), (380, 280))
    page.keyboard.press("b")
    drag(page, (300, 200), (420, 290))
    page.keyboard.press("1")
    assert sides(page, 0) == pytest.approx([300, 200, 120, 90], abs=3)
    approved(page, "a")
    # By keyboard alone.
    ready(page)
    page.focus("[data-new=box]")
    for key in ("Enter", "1", "0", "Tab", "2", "0", "Tab", "3", "0", "Tab", "4", "0"):
        page.keyboard.press(key)
    page.locator("[data-label]").press("c")
    assert page.locator(".viewer-numbers text").text_content() == "1 cold joint"
    approved(page, "Control+Enter")
    # Without scripts.
    page.context.close()
    plain = opens(java_script_enabled=False)
    plain.fill("[name='answer.defects.shapes[1].points']", "10,20 60,20 40,50")
    plain.select_option("[name='answer.defects.shapes[1].label']", "misalignment")
    plain.click("button[value=approve]")
    plain.locator("text=Approved with changes").wait_for()
    first, second, third, fourth = labels(seeded)
    assert [shape["label"] for shape in first["shapes"]] == ["scratch", "solder_bridge"]
    assert list(first["shapes"][1]["box"].values()) == pytest.approx([60, 100, 400, 300], abs=3)  # by sorted name
    assert (second["width"], second["height"]) == (800, 600)
    assert third["shapes"] == [{"label": "cold_joint", "box": {"x": 10, "y": 20, "width": 30, "height": 40}}]
    assert fourth["shapes"] == [{"label": "misalignment", "polygon": [[10, 20], [60, 20], [40, 50]]}]


def test_a_box_is_drawn_where_labels_are_made(opens: Opens, marked: TrainingSheet, seeded: Path) -> None:
    page = opens(reverse("label", args=[marked.sheet_id, "defect_boxes"]))
    ready(page)
    first = page.locator(".item").get_attribute("data-item-ref")
    page.keyboard.press("b")
    drag(page, (300, 200), (420, 290))
    page.keyboard.press("1")
    assert sides(page, 0) == pytest.approx([300, 200, 120, 90], abs=3)
    approved(page, "a")
    (label,) = labels(seeded)
    assert (label["image"], label["width"], label["height"]) == (first, 800, 600)
    assert [shape["label"] for shape in label["shapes"]] == ["scratch"]


UNCLOSED = "#notices >> text=The polygon is not closed"


def test_nothing_is_decided_over_a_polygon_that_is_not_closed(
    opens: Opens, marked: TrainingSheet, seeded: Path
) -> None:
    page = opens()
    ready(page)
    page.keyboard.press("g")
    click(page, (400, 300), (500, 300), (500, 400), (420, 380))
    for key in ("a", "n", "s"):
        page.keyboard.press(key)
        page.locator(UNCLOSED).wait_for()
    assert (page.locator("#strip li").count(), page.locator("[data-shape]").count()) == (0, 1)
    page.keyboard.press("Enter")
    assert page.locator("[data-points]").last.input_value() == "400,300 500,300 500,400 420,380"
    page.keyboard.press("1")
    page.keyboard.press("g")
    click(page, (100, 500))
    page.keyboard.press("Escape")
    approved(page, "a")
    assert page.locator(UNCLOSED).count() == 0
    settle(marked.pk)
    assert ["polygon" in shape for shape in labels(seeded)[0]["shapes"]] == [False, True]


def test_a_polygon_is_drawn_inside_another_shape(opens: Opens, marked: TrainingSheet, seeded: Path) -> None:
    page = opens()
    ready(page)
    page.keyboard.press("g")
    click(page, (150, 120), (250, 120), (250, 180))
    page.keyboard.press("Enter")
    assert page.locator("[data-points]").last.input_value() == "150,120 250,120 250,180"
    # And what is drawn is selected, moved and labeled as before.
    drag(page, (230, 130), (280, 180))
    page.keyboard.press("1")
    approved(page, "a")
    settle(marked.pk)
    assert [shape.get("polygon") for shape in labels(seeded)[0]["shapes"]] == [
        None,
        [[200, 170], [300, 170], [300, 230]],
    ]


def test_no_label_is_saved_over_a_polygon_that_is_not_closed(opens: Opens, marked: TrainingSheet) -> None:
    page = opens(reverse("label", args=[marked.sheet_id, "defect_boxes"]))
    ready(page)
    page.keyboard.press("g")
    click(page, (400, 300), (500, 300), (500, 400))
    for key in ("Control+Enter", "s"):
        page.keyboard.press(key)
        page.locator(UNCLOSED).wait_for()
    click(page, (400, 300))
    page.locator("[data-points]").wait_for()
    page.keyboard.press("1")
    approved(page, "a")


DYE = "node => getComputedStyle(node).getPropertyValue('--dye')"
STROKE = "nodes => nodes.map(node => getComputedStyle(node).stroke)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_label_has_its_colour_in_picture_row_and_legend(opens: Opens, scheme: str) -> None:
    page = opens(color_scheme=scheme)
    ready(page)
    page.keyboard.press("b")
    drag(page, (400, 300), (500, 360))
    page.keyboard.press("2")
    dyes = [page.locator(f"[data-shape] >> nth={row}").evaluate(DYE) for row in (0, 1)]
    assert len(set(dyes)) == 2
    legend = page.locator(".af-legend li")
    assert [legend.nth(at).evaluate(DYE) for at in (0, 1)] == dyes
    assert legend.nth(1).text_content().startswith("solder bridge")
    strokes = page.locator(".a9s-annotation .a9s-inner").evaluate_all(STROKE)
    assert sorted(strokes) == sorted(f"rgb({', '.join(str(each) for each in bytes.fromhex(dye[1:]))})" for dye in dyes)
    names = page.locator(".viewer-numbers text")
    assert [(name.text_content(), name.evaluate(DYE)) for name in names.all()] == [
        ("1 scratch", dyes[0]),
        ("2 solder bridge", dyes[1]),
    ]
    # The other one is drawn anew when it is selected, and this one when it is let go.
    for row in (0, 1):
        page.locator("[data-side=x]").nth(row).focus()
        assert sorted(page.locator(".a9s-annotation .a9s-inner").evaluate_all(STROKE)) == sorted(strokes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_shapes(opens: Opens, scheme: str) -> None:
    page = opens(color_scheme=scheme, bypass_csp=True)
    ready(page)
    page.click("[data-new=polygon]")
    page.fill("[data-points]", "10,20 60,20 40,50")
    page.evaluate(AXE.read_text())
    violations = page.evaluate("axe.run().then(result => result.violations)")
    assert [each["id"] for each in violations if each["impact"] in ("serious", "critical")] == []
