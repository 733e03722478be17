"""Where things stand on the review screen: verbs that never move, ten decisions in sight, and a screen at 200 %."""

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


def test_the_latest_ten_decisions_are_all_seen(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    for _ in range(10):
        press(page, "a")
    tenth = page.locator("#strip li").nth(9).bounding_box()
    assert tenth["x"] + tenth["width"] <= 1280


def test_at_200_percent_the_verbs_are_beside_the_form(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    press(page, "s")
    press(page, "a")
    page.set_viewport_size({"width": 640, "height": 360})
    page.locator("[data-field=severity]").scroll_into_view_if_needed()
    verbs, field = (page.locator(where).bounding_box() for where in (".verbs", "[data-field=severity]"))
    assert 0 <= field["y"] < verbs["y"] <= 360 - verbs["height"]
    assert page.evaluate("document.documentElement.scrollWidth") == 640
    inner = "nodes => nodes.map(node => node.scrollHeight - node.clientHeight)"
    assert page.locator(".source, .answer-body").evaluate_all(inner) == [0, 0]


@pytest.mark.parametrize("width", [1280, 1000, 400])
def test_the_views_are_within_the_screen_wherever_their_button_stands(
    opens: Opens, boards: TrainingSheet, width: int
) -> None:
    for query in ("", "?order=confidence&status=unlabeled&below=0.9"):
        page = opens(boards, query=query)
        page.set_viewport_size({"width": width, "height": 720})
        for _ in range(3):  # open, shut, open again
            page.click("summary >> text=Views")
        menu = page.locator(".menu-body").bounding_box()
        assert menu["x"] >= 0 and menu["x"] + menu["width"] <= width


def test_the_help_of_the_keys_opens_at_its_heading(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    page.keyboard.press("?")
    dialog = page.locator("#help-dialog")
    assert dialog.evaluate("dialog => dialog.scrollTop") == 0
    assert dialog.locator("input[aria-label='Key for Approve']").is_visible()
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")


def test_a_verb_that_a_pair_is_not_for_says_so_in_words(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, query="?order=sequence")
    page.keyboard.press("o")
    page.locator("#notices >> text=This pair waits already: there is nothing to reopen.").wait_for()
    press(page, "a")
    all_saved(page)
    press(page, "p")
    page.keyboard.press("a")
    page.locator("#notices >> text=This pair is approved already: reopen it to decide anew.").wait_for()
