"""The list of pairs and the uses of a pair, by keyboard; and nothing in them that a screen reader stumbles over."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Q

from tests.browser.test_review import AXE, Opens, all_saved, item_of, opens, serious
from training.models import QAPair, ReviewAction, ReviewPair, TrainingSheet
from training.review.applying import settle

__all__ = ["opens"]
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])


def leave(page: Any, act: Any) -> None:
    """Do what leads to another page, and wait for that."""
    with page.expect_navigation():
        act()
    page.wait_for_selector("main")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_many_are_flagged_after_a_preview_and_taken_back(opens: Opens, boards: TrainingSheet, scheme: str) -> None:
    page = opens(boards, query="list?status=unlabeled", color_scheme=scheme, bypass_csp=True)
    page.evaluate(AXE.read_text())
    page.focus("summary >> text=Views")
    page.keyboard.press("Enter")
    assert serious(page) == []
    page.keyboard.press("Enter")
    page.focus("[data-all]")
    page.keyboard.press("Space")
    page.locator("#chosen >> text=40 chosen").wait_for()
    page.locator("[name=pair]").first.press("Space")
    page.locator("#chosen >> text=39 chosen").wait_for()
    leave(page, lambda: page.press("button[value=flag]", "Enter"))
    assert "39 flagged" in page.locator(".outcome").inner_text()
    page.evaluate(AXE.read_text())
    assert serious(page) == []
    page.keyboard.type("Needs a specialist")
    leave(page, lambda: page.keyboard.press("Enter"))
    settle(boards.pk)
    assert QAPair.objects.filter(status="flagged").count() == 39
    leave(page, lambda: page.press("text=Undo all 39", "Enter"))
    settle(boards.pk)
    assert not QAPair.objects.filter(status="flagged").exists()


def test_a_filter_is_reviewed_one_by_one(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, query="list?text=cold_joint")
    leave(page, lambda: page.click("text=Review one by one"))
    page.wait_for_selector("[data-ready]")
    wanted = set(
        QAPair.objects.filter(status="unlabeled")
        .filter(Q(item_ref__contains="cold_joint") | Q(messages__icontains="cold_joint"))
        .values_list("item_ref", flat=True)
    )
    seen = set()
    while page.locator("#empty").is_hidden():
        seen.add(before := item_of(page))
        page.keyboard.press("a")
        page.wait_for_function(
            "before => !document.getElementById('empty').hidden || document.querySelector('.item').dataset.itemRef !== before",
            arg=before,
        )
    assert seen == wanted
    assert "text “cold_joint”: no such pair is left" in page.locator("#empty").inner_text()


def test_uses_by_keyboard_and_back(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, query="?order=sequence", bypass_csp=True)
    first = item_of(page)
    page.keyboard.press("1")
    page.keyboard.press("w")
    for key in ("ArrowRight", "ArrowRight", *["Tab"] * 6):
        page.keyboard.press(key)
    page.evaluate(AXE.read_text())
    assert serious(page) == []
    page.keyboard.type("Shows a serial number")
    page.keyboard.press("Enter")
    page.locator(".uses summary >> text=training prohibited").wait_for()
    all_saved(page)
    settle(boards.pk)
    pair = QAPair.objects.get(item_ref=first)
    assert (pair.status, pair.prohibited_uses, pair.usage_reason) == (
        "unlabeled",
        ["training"],
        "Shows a serial number",
    )
    # What was typed and not sent is still there.
    assert page.locator(".changed").count() == 1
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    page.locator(".uses summary >> text=All uses allowed").wait_for()
    assert ReviewPair.objects.get(item_ref=first).state["prohibited_uses"] == []
    assert list(ReviewAction.objects.values_list("action", flat=True)) == ["uses", "undo"]
