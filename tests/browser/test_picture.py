"""The picture beside the form: whole in its pane whatever is open, zoomed by keys, fingers and double clicks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.test_annotations import click, marked, ready
from tests.browser.test_annotations import opens as annotates
from tests.browser.test_review import Opens, opens, press
from training.models import TrainingSheet

__all__ = ["annotates", "marked", "opens"]
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])
WIDTHS = (
    "() => document.querySelector('.viewer-marked').offsetWidth / document.querySelector('.viewer-stage').offsetWidth"
)


def transform(page: Any) -> str:
    return str(page.locator(".viewer-stage img").get_attribute("style"))


def shown(page: Any) -> None:
    page.wait_for_function("() => document.querySelector('.viewer-stage img').naturalWidth === 800")


def test_the_whole_picture_is_seen_beside_what_opens(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    shown(page)
    page.keyboard.press("p")  # says that nothing comes before
    page.click("summary >> text=Guidelines and prompt")
    pane, stage = (page.locator(where).bounding_box() for where in (".source", ".viewer-stage"))
    assert stage["y"] + stage["height"] <= pane["y"] + pane["height"]


def test_keys_zoom_without_focus_and_rest_while_one_types(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    shown(page)
    page.keyboard.press("+")
    assert "scale(1.3)" in transform(page)
    page.keyboard.press("0")
    assert "scale(1)" in transform(page)
    page.click("summary >> text=Confidence and notes")
    page.locator("[name=notes]").press_sequentially("+1")
    assert "scale(1)" in transform(page)


def test_two_fingers_zoom_about_their_middle(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, has_touch=True)
    shown(page)
    stage = page.locator(".viewer-stage").bounding_box()
    x, y = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    device = page.context.new_cdp_session(page)

    def touch(kind: str, *across: float) -> None:
        points = [{"x": x + at, "y": y, "id": number} for number, at in enumerate(across)]
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", -40)
    touch("touchStart", -40, 40)
    touch("touchMove", -80, 80)
    touch("touchEnd")
    assert "scale(2)" in transform(page)
    assert page.evaluate("visualViewport.scale") == 1


def test_a_double_click_that_ends_a_polygon_does_not_zoom(annotates: Opens) -> None:
    page = annotates()
    ready(page)
    before = page.evaluate(WIDTHS)
    page.keyboard.press("g")
    click(page, (400, 300), (500, 300))
    frame = page.locator(".viewer-marked").bounding_box()
    page.mouse.dblclick(frame["x"] + frame["width"] * 5 / 8, frame["y"] + frame["height"] * 2 / 3)
    page.locator("[data-points]").wait_for()
    assert page.evaluate(WIDTHS) == before
    page.mouse.dblclick(frame["x"] + 30, frame["y"] + 30)
    assert page.evaluate(WIDTHS) > before * 2


def test_pictures_that_were_fetched_ahead_are_there_offline(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, query="?order=sequence")
    page.wait_for_load_state("networkidle")
    page.request_gc()  # drops pictures that nobody holds
    page.context.set_offline(True)
    for _ in range(6):
        press(page, "s")
        page.locator(".viewer-stage img").wait_for()
        shown(page)


@pytest.mark.parametrize("how", ["click", "online"])
def test_a_picture_that_did_not_come_is_asked_for_again(annotates: Opens, marked: TrainingSheet, how: str) -> None:
    page = annotates(f"/review/{marked.pk}/list")
    page.route("**/files/**", lambda route: route.abort())
    page.goto(page.url.replace("list", ""))
    page.locator(".viewer-stage >> text=cannot be shown.").wait_for()
    page.unroute("**/files/**")
    if how == "click":
        page.click(".viewer-stage >> text=Try again")
    else:
        page.evaluate("dispatchEvent(new Event('online'))")
    shown(page)
    ready(page)  # to draw on it


def test_a_pdf_that_did_not_come_is_asked_for_again(opens: Opens, invoices: TrainingSheet) -> None:
    page = opens(invoices, query="list")
    page.route("**/files/**", lambda route: route.abort())
    page.goto(page.url.replace("list", ""))
    page.locator(".viewer-stage >> text=The PDF cannot be shown").wait_for()
    page.unroute("**/files/**")
    page.click(".viewer-stage >> text=Try again")
    page.locator(".viewer[data-drawn]").wait_for()
