"""Where things stand on the review screen: verbs that never move."""

from __future__ import annotations

import pytest

from tests.browser.test_review import Opens, all_saved, opens, press
from training.models import TrainingSheet

__all__ = ["opens"]
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])
ROWS = """() => [...document.querySelectorAll(".verbs button")].filter((button) => !button.hidden)
    .map((button) => Math.round((button.offsetTop - button.parentElement.offsetTop) / button.offsetHeight))"""


@pytest.mark.parametrize("width", [1280, 1100, 960])
def test_verbs_stay_in_their_rows_whatever_the_status(opens: Opens, boards: TrainingSheet, width: int) -> None:
    page = opens(boards, query="?order=sequence")
    page.set_viewport_size({"width": width, "height": 720})
    waiting = page.evaluate(ROWS)
    page.keyboard.press("3")
    assert page.evaluate(ROWS) == waiting
    for keys in (("a",), ("f", "1", "Enter")):
        press(page, *keys)
        all_saved(page)
        press(page, "p")
        page.locator(".verbs >> text=Reopen").wait_for()
        assert page.evaluate(ROWS) == waiting
