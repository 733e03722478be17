"""The picture beside the form: whole in its pane whatever is open, and zoomed by keys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.test_review import Opens, opens
from training.models import TrainingSheet

__all__ = ["opens"]
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])


def transform(page: Any) -> str:
    return str(page.locator(".viewer-stage img").get_attribute("style"))


def shown(page: Any) -> None:
    page.wait_for_function("document.querySelector('.viewer-stage img').naturalWidth === 800")


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
