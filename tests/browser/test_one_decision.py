"""One intention is one decision: a key that is pressed twice, held down, or meant for another form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browser.test_review import Opens, all_saved, go_on_until, item_of, opens, press, state_of
from training.models import ReviewAction, TrainingSheet

__all__ = ["opens"]
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])
AT_ONCE = """keys => {
    for (const key of keys) document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
}"""


def pressed_at_once(page: Any, *keys: str) -> None:
    """Press keys so fast that nothing comes between them."""
    page.evaluate(AT_ONCE, keys)


def held_back(page: Any, address: str) -> list[Any]:
    """Let no request to the address through; returns them as they come."""
    requests: list[Any] = []

    def keep(route: Any) -> None:
        requests.append(route)

    page.route(address, keep)
    return requests


def decisions() -> list[str]:
    return list(ReviewAction.objects.order_by("pk").values_list("action", flat=True))


def test_a_key_that_is_pressed_twice_decides_once(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    page.wait_for_load_state("networkidle")
    first = item_of(page)
    pressed_at_once(page, "a", "a", "r")
    page.wait_for_function("before => document.querySelector('.item').dataset.itemRef !== before", arg=first)
    all_saved(page)
    assert decisions() == ["approve"]


def test_what_is_decided_is_not_skipped_as_well(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    page.goto(f"{page.url}?text={item_of(page)}")
    page.wait_for_selector("[data-ready]")
    page.wait_for_load_state("networkidle")
    pressed_at_once(page, "a", "s")
    page.locator("#empty >> text=Nothing to show with this filter").wait_for()
    assert page.locator("#notices >> text=you skipped").count() == 0
    assert decisions() == ["approve"]


def test_an_edit_on_its_way_is_not_sent_again(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    page.wait_for_load_state("networkidle")
    on_its_way = held_back(page, "**/edit")
    pressed_at_once(page, "3", "1", "1")
    pressed_at_once(page, "a", "a")
    go_on_until(page, lambda: on_its_way)
    on_its_way[0].continue_()
    all_saved(page)
    assert decisions() == ["edit"]


def test_what_was_refused_can_be_decided_again(opens: Opens, invoices: TrainingSheet) -> None:
    page = opens(invoices)
    first = item_of(page)
    page.fill("[name='answer.patient_dob']", "09/04/1998")
    page.keyboard.press("Control+Enter")
    page.locator("#notices >> text=Correct the marked fields").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.wait_for_function("before => document.querySelector('.item').dataset.itemRef !== before", arg=first)
    assert decisions() == []


def test_a_key_that_is_held_down_decides_once(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    first = item_of(page)
    page.keyboard.down("Control")
    page.keyboard.down("Enter")
    page.wait_for_function("before => document.querySelector('.item').dataset.itemRef !== before", arg=first)
    page.keyboard.down("Enter")
    assert page.locator("#strip li").count() == 1


def test_control_enter_acts_on_the_form_that_one_is_in(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    first = item_of(page)
    page.keyboard.press("w")
    page.locator(".uses-editor input[value=prohibited]").first.check()
    page.fill(".uses-editor [name=reason]", "Only for tests")
    page.keyboard.press("Control+Enter")
    all_saved(page)
    page.click("summary >> text=Views")
    page.fill("[name=name]", "Mine")
    page.keyboard.press("Control+Enter")
    assert (decisions(), item_of(page)) == (["uses"], first)
    assert page.locator("#strip li").count() == 1


def test_a_decision_that_still_waits_is_replaced_by_the_next_about_its_pair(
    opens: Opens, boards: TrainingSheet
) -> None:
    page = opens(boards)
    page.wait_for_load_state("networkidle")
    on_its_way = held_back(page, "**/approve")
    first = item_of(page)
    press(page, "a")
    second = item_of(page)
    press(page, "a")
    press(page, "p")
    assert item_of(page) == second
    press(page, "r", "1", "Enter")
    press(page, "p")
    press(page, "p")
    assert item_of(page) == first
    page.keyboard.press("a")
    page.locator("#notices >> text=is still on its way").wait_for()
    on_its_way[0].continue_()
    all_saved(page)
    found = ReviewAction.objects.order_by("pk").values_list("action", "pair__item_ref")
    assert list(found) == [("approve", first), ("reject", second)]
    assert len(on_its_way) == 1


def test_the_pair_that_stays_while_the_connection_is_away_is_decided_anew(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, query="?order=sequence")
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    for _ in range(6):
        press(page, "a")
    page.keyboard.press("a")
    page.locator(".item >> text=decided, waits to be sent").wait_for()
    last = item_of(page)
    pressed_at_once(page, "3", "1", "1", "a")
    page.locator("#strip .done-edit").wait_for()
    page.context.set_offline(False)
    all_saved(page)
    page.wait_for_function("before => document.querySelector('.item').dataset.itemRef !== before", arg=last)
    assert decisions() == [*["approve"] * 6, "edit"]
    assert json.loads(state_of(last)[1])["defect_type"] == "missing_component"


def test_what_is_typed_after_the_session_ended_is_decided_anew(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    page.goto(f"{page.url}?text={item_of(page)}")
    page.wait_for_selector("[data-ready]")
    page.wait_for_load_state("networkidle")
    session = page.context.cookies()
    page.context.clear_cookies()
    page.keyboard.press("a")
    page.locator(".item >> text=decided, waits to be sent").wait_for()
    page.wait_for_function("""() => !Object.values(localStorage).join().includes('"tried":true')""")
    pressed_at_once(page, "3", "1", "1", "a")
    page.locator("#strip .done-edit").wait_for()
    page.context.add_cookies(session)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    all_saved(page)
    assert decisions() == ["edit"]


def test_what_is_typed_into_a_decided_pair_keeps_it_on_the_screen(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    page.goto(f"{page.url}?text={item_of(page)}")
    page.wait_for_selector("[data-ready]")
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.keyboard.press("a")
    page.locator(".item >> text=decided, waits to be sent").wait_for()
    pressed_at_once(page, "3", "1", "1")
    page.context.set_offline(False)
    all_saved(page)
    page.keyboard.press("a")
    page.locator("#empty >> text=Nothing to show with this filter").wait_for()
    all_saved(page)
    assert decisions() == ["approve", "edit"]


def test_a_pair_that_nobody_is_led_to_after_all_is_given_back(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, query="?order=sequence")
    press(page, "s")
    page.wait_for_load_state("networkidle")
    holds = held_back(page, "**/hold")
    with page.expect_request("**/hold"):
        page.keyboard.press("s")
    pressed_at_once(page, "p")
    with page.expect_response(holds[0].request.url.replace("/hold", "/let-go")):
        holds[0].continue_()


def test_what_waits_to_be_sent_is_not_asked_for_again_after_a_reload(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, query="?order=sequence")
    page.wait_for_load_state("networkidle")
    sent = held_back(page, "**/approve")
    first = item_of(page)
    press(page, "a")
    second = item_of(page)
    press(page, "a")
    third = item_of(page)
    page.reload()
    page.wait_for_selector("[data-ready]")
    page.wait_for_function("ref => document.querySelector('.item').dataset.itemRef === ref", arg=third)
    go_on_until(page, lambda: len(sent) == 2)
    page.unroute("**/approve")  # which lets them through
    all_saved(page)
    assert item_of(page) == third
    assert [state_of(ref)[0] for ref in (first, second, third)] == ["labeled", "labeled", "unlabeled"]
