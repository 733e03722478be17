"""The browser's "Back" to a screen: each item shows what the server and its draft say, and never what another had."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from tests.browser.test_label import labels
from tests.browser.test_review import Opens, all_saved, item_of, opens, press, state_of
from tests.browser.test_second_opinion import TYPE, differ, signed_in
from training.models import TrainingSheet

__all__ = ["labels", "opens", "signed_in"]
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])
CHOSEN = "[...document.querySelectorAll('.item [data-field] input:checked')].map((input) => JSON.parse(input.value))"
STORED = "Object.values(JSON.parse(document.querySelector('.item').dataset.answer))"
# Controls that a browser fills again on its own, in the forms of the page.
FILLED = "main :is(select, textarea, input:not([type=hidden])):not([autocomplete=off]), header select:not([autocomplete=off])"


def away_and_back(page: Any) -> None:
    page.wait_for_load_state("networkidle")
    page.goto("about:blank")
    page.go_back()
    page.wait_for_selector("[data-ready]")


def test_a_pair_has_its_own_answer_after_back(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, query="?order=sequence")
    first, answer = item_of(page), page.evaluate(CHOSEN)
    while page.evaluate(CHOSEN) == answer:
        press(page, "s")
    away_and_back(page)
    assert item_of(page) == first
    assert page.evaluate(CHOSEN) == page.evaluate(STORED) == answer
    before = state_of(first)[1]
    press(page, "a")
    all_saved(page)
    assert state_of(first) == ("labeled", before)


def test_without_scripts_the_next_pair_has_its_own_answer_after_back(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, query="?order=sequence")
    context = page.context.browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    plain = context.new_page()
    plain.goto(page.url)
    plain.click(".item [data-field=severity] .af-option >> nth=3")
    plain.click("button[value=approve]")
    plain.go_back()
    drawn = "inputs => inputs.map((input) => [input.checked, input.defaultChecked])"
    assert all(now == was for now, was in plain.locator(".item input[type=radio]").evaluate_all(drawn))
    context.close()


def test_a_draft_of_a_label_is_in_its_form_after_back(labels: Callable[..., Any], boards: TrainingSheet) -> None:
    page = labels(boards, "classification")
    first = item_of(page)
    for key in ("3", "2", "1"):
        page.keyboard.press(key)
    typed = page.evaluate(CHOSEN)
    press(page, "s")
    away_and_back(page)
    assert (item_of(page), page.evaluate(CHOSEN)) == (first, typed)


def test_nothing_is_ticked_in_the_list_after_back(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, query="list?status=unlabeled")
    page.locator("[name=pair]").nth(1).check()
    away_and_back(page)
    assert page.locator("[name=pair]:checked").count() == 0
    assert page.locator(FILLED).count() == 0


@pytest.mark.parametrize("way", ["text=Approve 1 >> nth=-1", "text=Leave all as they are"])
def test_back_from_a_batch_leads_to_the_list(opens: Opens, boards: TrainingSheet, way: str) -> None:
    page = opens(boards, query="list?text=pcb_0")
    page.locator("[name=pair]").nth(12).check()
    page.click("button[value=approve]")
    page.locator("h1 >> text=what will happen").wait_for()
    page.wait_for_selector("[data-ready]", state="attached")
    page.click(way)
    page.locator("#pairs").wait_for()
    assert page.locator("#notices >> text=1 approved").count() == ("Approve" in way)
    page.go_back()
    page.locator("#pairs").wait_for()
    assert page.locator("[name=pair]:checked").count() == 0


def test_no_control_of_a_screen_is_filled_by_the_browser(
    signed_in: Callable[..., Any], boards: TrainingSheet, live_server: Any
) -> None:
    differ(boards, "pcb_001_scratch.jpg")
    addresses = [reverse(name, args=[boards.sheet.pk, TYPE]) for name in ("adjudicate", "label")]
    boxes = reverse("label", args=[boards.sheet.pk, "defect_boxes"])
    page = signed_in("rosa", addresses[0])
    for address in (*addresses, boxes, reverse("review", args=[boards.pk])):
        page.goto(live_server.url + address)
        page.wait_for_selector("[data-ready]")
        assert page.locator(FILLED).count() == 0, address
        assert page.locator("main form[method=post]:not([autocomplete=off]):has(:is(select, textarea))").count() == 0
