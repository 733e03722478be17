"""A review as an expert does it: by keyboard, offline for a moment, signed out in the middle, beside a colleague."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from labels.actions import record_label
from labels.models import CanonicalLabel
from training.models import QAPair, ReviewAction, ReviewPair, TrainingSheet
from training.review.applying import settle

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
Opens = Callable[..., Any]


@pytest.fixture
def opens(seeded: Path, rosa: User, omar: User, live_server: Any, chromium: Any) -> Iterator[Opens]:
    """Opens the review of a training sheet for a user; what fails on a page, or leaves the machine, fails the test."""
    faults: list[str] = []

    def stays(url: str) -> bool:
        return url.startswith((live_server.url, "data:", "blob:"))

    def open_(
        training_sheet: TrainingSheet, user: str = "rosa", query: str = "", cookie: str = "", **options: Any
    ) -> Any:
        context = chromium.new_context(viewport={"width": 1280, "height": 720}, **options)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: stays(request.url) or faults.append(request.url))
        if cookie:
            page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page.on("console", lambda message: "Content Security" in message.text and faults.append(message.text))
        address = f"/review/{training_sheet.pk}/{query}"
        if cookie:
            page.goto(live_server.url + address)
            return page
        sign_in(page, f"{live_server.url}/admin/login/?next={address}", user)
        page.wait_for_selector("[data-ready]")
        return page

    yield open_
    assert faults == []


def sign_in(page: Any, address: str, user: str) -> None:
    page.goto(address)
    page.fill("#id_username", user)
    page.fill("#id_password", f"{user}'s password")
    page.click("button[type=submit]")


def item_of(page: Any) -> str:
    found: str = page.locator(".item").get_attribute("data-item-ref")
    return found


def go_on_until(page: Any, done: Callable[[], Any]) -> None:
    """Let the browser go on until something is so, for 15 seconds at most."""
    for _ in range(750):
        if done():
            return
        page.wait_for_timeout(20)
    raise TimeoutError


def press(page: Any, *keys: str) -> None:
    """Press the keys of one decision and wait for the next pair."""
    before = item_of(page)
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_function("before => document.querySelector('.item').dataset.itemRef !== before", arg=before)


def all_saved(page: Any) -> None:
    page.locator("#state[data-state=saved]").wait_for()


def state_of(item_ref: str) -> tuple[str, str]:
    pair = ReviewPair.objects.get(item_ref=item_ref)
    return pair.status, pair.state["messages"][-1]["content"]


def test_five_boards_by_keyboard_alone(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, query="?order=sequence")
    first = item_of(page)
    press(page, "a")
    second = item_of(page)
    press(page, "2", "2", "3", "a")
    third = item_of(page)
    press(page, "r", "1", "Enter")
    fourth = item_of(page)
    press(page, "f", "2", "Enter")
    fifth = item_of(page)
    press(page, "e", "Escape", "Control+Enter")
    all_saved(page)
    assert [state_of(ref)[0] for ref in (first, third, fourth, fifth)] == ["labeled", "rejected", "flagged", "labeled"]
    answer = json.loads(state_of(second)[1])
    assert answer == {"defect_type": "solder_bridge", "severity": "major", "location": "bottom_left_quadrant"}
    assert ReviewAction.objects.get(action="reject").reason == "The source cannot be read"
    settle(boards.pk)
    assert QAPair.objects.get(item_ref=second).status == "labeled"


def test_undo_survives_submit_and_skip_changes_nothing(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, query="?order=sequence")
    first = item_of(page)
    press(page, "a")
    press(page, "s")
    skipped = item_of(page)
    page.keyboard.press("u")
    page.wait_for_function("ref => document.querySelector('.item').dataset.itemRef === ref", arg=first)
    assert state_of(first)[0] == "unlabeled"
    assert list(ReviewAction.objects.values_list("action", flat=True)) == ["approve", "undo"]
    assert skipped != first
    assert page.locator("#strip button").count() == 0


def test_undo_brings_back_what_was_typed(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    first = item_of(page)
    before = state_of(first)[1]
    press(page, "3", "1", "1", "a")
    all_saved(page)
    page.keyboard.press("u")
    page.locator("text=This is what you had typed here").wait_for()
    assert (item_of(page), state_of(first)) == (first, ("unlabeled", before))
    press(page, "a")
    all_saved(page)
    assert json.loads(state_of(first)[1])["defect_type"] == "missing_component"


def test_more_is_skipped_than_an_address_holds(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, query="?order=sequence")
    # As if each of them were skipped before those that an address tells of.
    forgotten = re.compile(r"&skip=[^&]+")
    page.route("**/queue?*", lambda route: route.continue_(url=forgotten.sub("", route.request.url)))
    seen = [item_of(page)]
    for _ in range(31):
        press(page, "s")
        seen.append(item_of(page))
    assert len(set(seen)) == 32
    assert page.locator("#notices >> text=you skipped").count() == 0


def test_offline_for_a_moment_loses_nothing(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    first = item_of(page)
    press(page, "a")
    page.keyboard.press("a")
    page.locator("#state >> text=Offline: 2 waiting").wait_for()
    assert not ReviewAction.objects.exists()
    page.context.set_offline(False)
    all_saved(page)
    assert state_of(first)[0] == "labeled"
    assert ReviewAction.objects.count() == 2


def test_signing_in_again_sends_what_waited(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    page.wait_for_load_state("networkidle")
    Session.objects.all().delete()
    first = item_of(page)
    page.keyboard.press("a")
    page.locator("#state >> text=Signed out: 1 waiting").wait_for()
    with page.context.expect_page() as opened:
        page.click("text=Sign in again")
    other = opened.value
    other.fill("#id_username", "rosa")
    other.fill("#id_password", "rosa's password")
    other.click("button[type=submit]")
    all_saved(page)
    assert state_of(first)[0] == "labeled"


def test_two_reviewers_get_different_pairs(opens: Opens, boards: TrainingSheet) -> None:
    rosa, omar = opens(boards), opens(boards, "omar")
    assert item_of(rosa) != item_of(omar)
    for page in (rosa, omar, rosa, omar):
        press(page, "a")
        # A pair that both come to makes way, on one of the screens, for the next.
        go_on_until(page, lambda: item_of(rosa) != item_of(omar))
    all_saved(rosa)
    all_saved(omar)
    # A key that is pressed while an item makes way decides nothing.
    decided = list(ReviewAction.objects.values_list("pair", flat=True))
    assert len(decided) == len(set(decided)) >= 2


def test_what_the_server_refuses_stands_at_its_field(opens: Opens, invoices: TrainingSheet) -> None:
    page = opens(invoices)
    first = item_of(page)
    page.fill("[name='answer.patient_dob']", "09/04/1998")
    page.keyboard.press("Control+Enter")
    page.locator("[data-field=patient_dob] .af-fault >> text=2026-01-31").wait_for()
    assert item_of(page) == first
    page.fill("[name='answer.patient_dob']", "1998-09-04")
    page.locator("[data-field=patient_dob].changed .af-diff ins >> text=1998").wait_for()
    press(page, "Control+Enter")
    all_saved(page)
    assert state_of(first)[0] == "labeled"


def test_another_was_faster(opens: Opens, boards: TrainingSheet, api: Any) -> None:
    page = opens(boards)
    pair = ReviewPair.objects.get(item_ref=item_of(page))
    answer = {"defect_type": "scratch", "severity": "minor", "location": "none"}
    assert api.post(f"/api/v1/qa-pairs/{pair.pk}/edit", {"answer": answer}).status_code == 200
    for key in ("3", "1", "1", "a"):
        page.keyboard.press(key)
    page.click("#stale-dialog >> text=Use mine")
    all_saved(page)
    assert json.loads(state_of(pair.item_ref)[1])["defect_type"] == "missing_component"


def test_a_label_that_was_given_meanwhile_is_shown_before_it_is_written_over(
    opens: Opens, boards: TrainingSheet
) -> None:
    page = opens(boards)
    page.wait_for_load_state("networkidle")
    first = item_of(page)
    hers = {"defect_type": "scratch", "severity": "minor", "location": "none"}
    of = {"sheet": boards.sheet, "label_type": boards.template.label_type, "item_ref": first}
    record_label(**of, template=boards.template, label_data=hers, actor="ana")
    for key in ("3", "1", "1", "a"):
        page.keyboard.press(key)
    page.locator("#stale-dialog >> text=ana labeled").wait_for()
    page.click("#stale-dialog >> text=Use mine")
    page.locator("#strip .done-edit").wait_for()
    all_saved(page)
    assert json.loads(state_of(first)[1])["defect_type"] == "missing_component"
    settle(boards.pk)
    assert CanonicalLabel.objects.get(item_ref=first, sheet=boards.sheet).last_modified_by == "rosa"


def test_the_same_decision_by_another_asks_nothing(opens: Opens, boards: TrainingSheet, api: Any) -> None:
    page = opens(boards)
    pair = ReviewPair.objects.get(item_ref=item_of(page))
    answer = {"location": "none", "severity": "minor", "defect_type": "scratch"}
    assert api.post(f"/api/v1/qa-pairs/{pair.pk}/edit", {"answer": answer}).status_code == 200
    for key in ("1", "1", "5"):
        page.keyboard.press(key)
    press(page, "a")
    page.locator(f"#notices >> text={pair.item_ref}: approved by you already, the same.").wait_for()
    all_saved(page)
    assert ReviewAction.objects.count() == 1


def test_a_conflict_is_answered_by_its_keys(opens: Opens, boards: TrainingSheet, api: Any) -> None:
    page = opens(boards)
    first = item_of(page)
    pair = ReviewPair.objects.get(item_ref=first)
    answer = {"defect_type": "scratch", "severity": "minor", "location": "none"}
    assert api.post(f"/api/v1/qa-pairs/{pair.pk}/edit", {"answer": answer}).status_code == 200
    for key in ("3", "1", "1", "a"):
        page.keyboard.press(key)
    page.locator("#stale-dialog kbd >> text=M").wait_for()
    page.keyboard.press("m")
    page.locator("#strip .done-edit").wait_for()
    all_saved(page)
    assert json.loads(state_of(first)[1])["defect_type"] == "missing_component"


def test_a_picture_and_a_pdf_are_shown(opens: Opens, boards: TrainingSheet, invoices: TrainingSheet) -> None:
    page = opens(boards)
    page.wait_for_function("() => document.querySelector('.viewer-stage img').naturalWidth === 800")
    page.focus(".viewer-stage")
    page.keyboard.press("+")
    assert "scale(1.3)" in page.locator(".viewer-stage img").get_attribute("style")
    page = opens(invoices)
    page.locator("[data-drawn='1'] canvas").wait_for()
    inked = (
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data].some(v => v < 90)"
    )
    assert page.locator(".viewer canvas").evaluate(inked)


def test_without_scripts(opens: Opens, boards: TrainingSheet, rosa: User, client: Client) -> None:
    client.force_login(rosa)
    page = opens(boards, cookie=client.cookies["sessionid"].value, java_script_enabled=False)
    first = item_of(page)
    page.click("label:has-text('scratch')")
    page.click("button[value=approve]")
    page.locator(f"text=Approved with changes: {first}").wait_for()
    assert json.loads(state_of(first)[1])["defect_type"] == "scratch"
    second = item_of(page)
    page.click("button[value=reject]")
    page.locator("text=reject needs it").wait_for()
    assert item_of(page) == second


def test_keys_are_rebound_and_switched_off(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    page.keyboard.press("?")
    page.fill("[aria-label='Key for Skip']", "a")
    page.locator("[data-keys-fault] >> text=A is the key of “Approve”").wait_for()
    page.fill("[aria-label='Key for Skip']", "x")
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_selector("[data-ready]")
    press(page, "x")
    page.keyboard.press("?")
    page.uncheck("[data-keys-on]")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    kept = page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('review-outbox')).length")
    assert (kept, page.locator(".verbs kbd:visible").count()) == (0, 0)
    press(page, "Control+Enter")
    all_saved(page)
    assert ReviewAction.objects.count() == 1


def test_what_is_approved_is_on_the_screen(opens: Opens, invoices: TrainingSheet) -> None:
    page = opens(invoices)
    fold = page.evaluate("document.querySelector('.answer-body').getBoundingClientRect().bottom")
    bottom = "(all) => Math.max(...all.map((each) => each.getBoundingClientRect().bottom))"
    assert page.eval_on_selector_all(".fields [name], .uses summary", bottom) < fold
    smallest = "(all) => Math.min(...all.map((each) => each.getBoundingClientRect().height))"
    assert page.eval_on_selector_all(".fields :is(button, input, textarea):not([hidden] *)", smallest) >= 24


def test_a_tablet_shows_it_without_scrolling_sideways(opens: Opens, invoices: TrainingSheet) -> None:
    page = opens(invoices)
    page.set_viewport_size({"width": 768, "height": 1024})
    press(page, "s")
    page.fill("[name='answer.patient_name']", "Somebody Else")
    assert page.evaluate("document.documentElement.scrollWidth") <= 768
    page.goto(page.url + "list")
    page.wait_for_selector("main")
    assert page.evaluate("document.documentElement.scrollWidth") <= 768


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(opens: Opens, invoices: TrainingSheet, scheme: str) -> None:
    page = opens(invoices, color_scheme=scheme, bypass_csp=True)
    page.locator("[data-drawn]").wait_for()
    press(page, "s")
    page.fill("[name='answer.patient_name']", "Somebody Else")
    page.click("summary >> text=Guidelines and prompt")
    page.evaluate(AXE.read_text())
    assert serious(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert serious(page) == []


def serious(page: Any) -> list[str]:
    found = page.evaluate("axe.run().then(result => result.violations)")
    return [
        f"{each['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
