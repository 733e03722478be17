"""What the server refuses, or never answers, on the review screen: nothing that was typed is lost or lands on another pair."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from tests.browser.test_review import Opens, all_saved, item_of, opens, press, state_of
from training.models import ReviewAction, ReviewPair, TrainingSheet

__all__ = ["opens"]
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])
THEIRS = {"defect_type": "scratch", "severity": "minor", "location": "none"}
INVOICE = {
    "patient_name": "Ada Vale", "patient_dob": "1998-09-04", "insurance_id": "ZZ40977332", "procedure_codes": ["85025"],
    "provider_name": "Northgate",
}  # fmt: skip

# What Chrome before 114, Firefox before 135 and Safari before 18.4 have of JSON.
OLD_JSON = """
delete JSON.rawJSON; delete JSON.isRawJSON;
const read = JSON.parse;
JSON.parse = (text, reviver) => read(text, reviver && function (name, value) { return reviver.call(this, name, value); });
"""


def edited(api: APIClient, item_ref: str, answer: dict[str, Any]) -> ReviewPair:
    pair = ReviewPair.objects.get(item_ref=item_ref)
    assert api.post(f"/api/v1/qa-pairs/{pair.pk}/edit", {"answer": answer}).status_code == 200
    return pair


def cut_off(page: Any, verb: str) -> Any:
    """Keep decisions of one verb from the server; returns what lets them through again."""
    address = f"**/api/v1/qa-pairs/*/{verb}"
    page.route(address, lambda route: route.abort())

    def restore() -> None:
        page.unroute(address)
        page.evaluate("dispatchEvent(new Event('online'))")

    return restore


@pytest.mark.parametrize("browser", ["new", "old"])
@pytest.mark.parametrize("total", ["120.0", "9007199254740993", "-0.00"])
def test_a_field_that_nobody_touched_stays_as_it_is_stored(
    opens: Opens, invoices: TrainingSheet, api: APIClient, total: str, browser: str
) -> None:
    page = opens(invoices)
    if browser == "old":
        page.add_init_script(OLD_JSON)
    pair = edited(api, item_of(page), {**INVOICE, "total_amount": json.loads(total)})
    total = json.dumps(json.loads(total))
    page.goto(f"{page.url}?pair={pair.pk}")
    page.wait_for_selector("[data-ready]")
    page.fill("[name='answer.patient_name']", "Bo Reed")
    page.keyboard.press("Control+Enter")
    all_saved(page)
    action = ReviewAction.objects.latest("pk")
    assert [change["field_path"] for change in action.changes] == ["patient_name"]
    assert f'"total_amount":{total}' in state_of(pair.item_ref)[1]


def test_a_browser_without_exact_numbers_keeps_a_long_one_that_was_typed(opens: Opens, invoices: TrainingSheet) -> None:
    page = opens(invoices)
    page.add_init_script(OLD_JSON)
    page.reload()
    page.wait_for_selector("[data-ready]")
    item_ref = item_of(page)
    restore = cut_off(page, "edit")
    for field, words in {**INVOICE, "total_amount": "9007199254740993"}.items():
        page.locator(f"[name^='answer.{field}']").first.fill(words[0] if isinstance(words, list) else words)
    page.keyboard.press("Control+Enter")
    page.locator("#state >> text=Offline: 1 waiting").wait_for()
    assert '"total_amount":9007199254740993' in page.evaluate("Object.values(localStorage).join()")
    restore()
    all_saved(page)
    assert '"total_amount":9007199254740993' in state_of(item_ref)[1]


def test_a_refusal_leads_back_from_another_training_sheet(
    opens: Opens, invoices: TrainingSheet, boards: TrainingSheet, live_server: Any
) -> None:
    page = opens(invoices)
    restore = cut_off(page, "edit")
    refused = item_of(page)
    page.fill("[name='answer.patient_dob']", "09/04/1998")
    page.click("summary >> text=Confidence and notes")
    page.fill("[name=notes]", "hard to read")
    page.keyboard.press("Control+Enter")
    page.locator("#state >> text=Offline: 1 waiting").wait_for()
    page.goto(f"{live_server.url}/review/{boards.pk}/")
    page.wait_for_selector("[data-ready]")
    restore()
    page.locator(f"#notices >> text={refused}").wait_for()
    press(page, "a")
    all_saved(page)
    assert page.locator(".af-fault").count() == 0
    page.click("#notices >> text=Open it")
    page.locator(".item h2", has_text=refused).wait_for()
    assert page.input_value("[name='answer.patient_dob']") == "09/04/1998"
    assert page.input_value("[name=notes]") == "hard to read"


def test_a_reason_comes_back_with_its_refusal(opens: Opens, boards: TrainingSheet, api: APIClient) -> None:
    page = opens(boards)
    restore = cut_off(page, "reject")
    refused = item_of(page)
    page.keyboard.press("r")
    page.keyboard.type("Glare on the left half")
    page.keyboard.press("Enter")
    page.wait_for_function("before => document.querySelector('.item').dataset.itemRef !== before", arg=refused)
    edited(api, refused, THEIRS)
    restore()
    page.click("#stale-dialog >> text=Open it")
    page.locator(".item h2", has_text=refused).wait_for()
    page.keyboard.press("f")
    assert page.input_value("#reason-dialog input") == "Glare on the left half"


def test_two_stale_answers_are_asked_about_one_after_the_other(
    opens: Opens, boards: TrainingSheet, api: APIClient
) -> None:
    page = opens(boards)
    restore = cut_off(page, "approve")
    first = item_of(page)
    press(page, "a")
    second = item_of(page)
    mine = state_of(second)[1]
    press(page, "a")
    for ref in (first, second):
        edited(api, ref, THEIRS)
    restore()
    page.locator("#stale-dialog", has_text=first).wait_for()
    page.click("#stale-dialog >> text=Keep theirs")
    page.locator("#stale-dialog", has_text=second).wait_for()
    page.click("#stale-dialog >> text=Use mine")
    all_saved(page)
    assert json.loads(state_of(first)[1]) == THEIRS
    assert state_of(second)[1] == mine
    assert page.locator("#strip li").count() == 1


def test_mine_over_an_approval_reopens_the_pair_first(opens: Opens, boards: TrainingSheet, api: APIClient) -> None:
    page = opens(boards)
    ref = item_of(page)
    edited(api, ref, THEIRS)
    page.keyboard.press("r")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.click("#stale-dialog >> text=Use mine")
    page.locator("#strip .done-reject").wait_for()
    all_saved(page)
    done = ReviewAction.objects.filter(pair__item_ref=ref).order_by("pk").values_list("action", flat=True)
    assert list(done) == ["edit", "reopen", "reject"]


def test_a_third_change_is_shown_as_well(opens: Opens, boards: TrainingSheet, api: APIClient) -> None:
    page = opens(boards)
    ref = item_of(page)
    edited(api, ref, THEIRS)
    for key in ("3", "1", "1", "a"):
        page.keyboard.press(key)
    page.locator("#stale-dialog >> text=The pair has version 2, you saw 1").wait_for()
    edited(api, ref, {**THEIRS, "severity": "major"})
    page.click("#stale-dialog >> text=Use mine")
    page.locator("#stale-dialog >> text=The pair has version 3, you saw 2").wait_for()
    page.click("#stale-dialog >> text=Use mine")
    all_saved(page)
    assert json.loads(state_of(ref)[1])["defect_type"] == "missing_component"


def test_nothing_is_sent_as_somebody_else(
    opens: Opens, boards: TrainingSheet, rosa: User, omar: User, live_server: Any
) -> None:
    def signed_in(user: User) -> None:
        client = Client()
        client.force_login(user)
        page.context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
        )

    page = opens(boards)
    page.wait_for_load_state("networkidle")
    first = item_of(page)
    signed_in(omar)
    page.keyboard.press("a")
    page.locator("#state >> text=Signed out: 1 waiting").wait_for()
    page.locator("#notices >> text=Now omar is signed in").wait_for()
    assert not ReviewAction.objects.exists()
    signed_in(rosa)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    all_saved(page)
    assert ReviewAction.objects.get(pair__item_ref=first).actor == "rosa"


def test_what_was_typed_over_an_older_version_is_never_saved_over_a_newer_one(
    opens: Opens, boards: TrainingSheet, api: APIClient
) -> None:
    page = opens(boards)
    pair = ReviewPair.objects.get(item_ref=item_of(page))
    page.goto(f"{page.url}?pair={pair.pk}")
    page.wait_for_selector("[data-ready]")
    for key in ("3", "1", "1"):
        page.keyboard.press(key)
    page.reload()
    page.locator("text=This is what you had typed here").wait_for()
    assert page.locator("[data-field=defect_type] input:checked").get_attribute("value") == '"missing_component"'
    edited(api, pair.item_ref, THEIRS)
    page.reload()
    page.locator("text=typed over version 1; version 2 stands now").wait_for()
    page.keyboard.press("Control+Enter")
    page.locator("#stale-dialog", has_text="The pair has version 2, you saw 1").wait_for()
    assert json.loads(state_of(pair.item_ref)[1]) == THEIRS


def test_a_request_that_never_ends_is_sent_again(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    page.wait_for_load_state("networkidle")
    hung: list[Any] = []
    page.route("**/approve", lambda route: route.continue_() if hung else hung.append(route))
    # The decision is what is sent first.
    page.evaluate("""() => {
        const timeout = AbortSignal.timeout.bind(AbortSignal), least = [300];
        AbortSignal.timeout = (most) => timeout(least.pop() ?? most);
    }""")
    first = item_of(page)
    press(page, "a")
    all_saved(page)
    assert len(hung) == 1
    assert state_of(first)[0] == "labeled"


def test_an_answer_that_is_not_the_apis_saves_nothing(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    page.wait_for_load_state("networkidle")
    others: list[dict[str, Any]] = [
        {"status": 200, "content_type": "text/html", "body": "<html>Welcome to our network: sign in</html>"},
        {"status": 302, "headers": {"Location": f"/api/v1/training-sheets/{boards.pk}/progress"}},
    ]
    page.route("**/approve", lambda route: route.fulfill(**others.pop(0)) if others else route.continue_())
    first = item_of(page)
    press(page, "a")
    page.locator("#state >> text=Offline: 1 waiting").wait_for()
    page.locator("#strip li").wait_for()
    all_saved(page)
    assert (others, state_of(first)[0]) == ([], "labeled")


def test_a_decision_that_the_server_fails_on_lets_others_pass(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    first = item_of(page)
    address = f"**/qa-pairs/{ReviewPair.objects.get(item_ref=first).pk}/approve"
    page.route(address, lambda route: route.fulfill(status=500, json={"error": {"code": "server_error"}}))
    press(page, "a")
    second = item_of(page)
    press(page, "a")
    page.locator("#state >> text=Server error: 1 waiting").wait_for()
    assert (state_of(first)[0], state_of(second)[0]) == ("unlabeled", "labeled")
    page.unroute(address)
    all_saved(page)
    assert state_of(first)[0] == "labeled"


def test_what_the_server_fails_on_again_and_again_is_taken_back(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards)
    first = item_of(page)
    page.route("**/edit", lambda route: route.fulfill(status=500, json={"error": {"code": "server_error"}}))
    press(page, "3", "1", "1", "a")
    second = item_of(page)
    press(page, "a")
    page.click("#notices >> text=Take it back")
    page.locator(".item h2", has_text=first).wait_for()
    all_saved(page)
    page.locator("text=This is what you had typed here").wait_for()
    assert page.locator("[data-field=defect_type] input:checked").get_attribute("value") == '"missing_component"'
    assert list(ReviewAction.objects.values_list("action", "pair__item_ref")) == [("approve", second)]
    page.unroute("**/edit")
    press(page, "a")
    all_saved(page)
    assert json.loads(state_of(first)[1])["defect_type"] == "missing_component"


def test_a_pair_that_cannot_be_shown_keeps_nobody_from_the_next(opens: Opens, boards: TrainingSheet) -> None:
    page = opens(boards, query="?order=sequence")
    first = ReviewPair.objects.get(item_ref=item_of(page))
    later = ReviewPair.objects.filter(training_sheet_id=boards.pk, status="unlabeled", position__gt=first.position)
    second, third = later.order_by("position")[:2]
    page.route(f"**/pairs/{second.pk}", lambda route: route.fulfill(status=500, body="Server Error (500)"))
    page.reload()
    page.wait_for_selector("[data-ready]")
    page.keyboard.press("a")
    page.locator("#notices", has_text=f"{second.item_ref} cannot be shown now: skip it, or try again.").wait_for()
    press(page, "s")
    assert item_of(page) == third.item_ref
    page.unroute(f"**/pairs/{second.pk}")
    page.click("#notices >> text=Try again")
    page.locator(".item h2", has_text=second.item_ref).wait_for()
    all_saved(page)
    assert ReviewAction.objects.get().pair_id == first.pk


def test_undo_takes_back_nothing_that_came_later(opens: Opens, boards: TrainingSheet, api: APIClient) -> None:
    page = opens(boards)
    first = item_of(page)
    press(page, "a")
    all_saved(page)
    pair = ReviewPair.objects.get(item_ref=first)
    assert api.post(f"/api/v1/qa-pairs/{pair.pk}/flag", {"reason": "look again"}).status_code == 200
    page.keyboard.press("u")
    page.locator("#notices >> text=flag by rosa comes first").wait_for()
    assert state_of(first)[0] == "flagged"


def test_a_lead_looks_at_a_held_pair_and_takes_it_over(
    opens: Opens, boards: TrainingSheet, api: APIClient, omar: User
) -> None:
    page = opens(boards)
    pair = ReviewPair.objects.filter(training_sheet_id=boards.pk, holder="", status="unlabeled")[0]
    api.force_authenticate(omar)
    assert api.post(f"/api/v1/qa-pairs/{pair.pk}/hold", {}).status_code == 200
    page.goto(f"{page.url}?pair={pair.pk}")
    page.locator("#notices >> text=omar has this pair on the screen").wait_for()
    assert item_of(page) == pair.item_ref
    with page.expect_response("**/hold"):
        page.click("text=Take over")
    pair.refresh_from_db()
    assert pair.holder == "rosa"


def test_a_pair_that_somebody_took_is_named_above_the_next(opens: Opens, boards: TrainingSheet, omar: User) -> None:
    page = opens(boards)
    took = item_of(page)
    ReviewPair.objects.filter(item_ref=took).update(holder="omar")
    page.evaluate("Date.now = (now => () => now() + 90_000)(Date.now)")
    page.mouse.wheel(0, 1)
    page.wait_for_function("before => document.querySelector('.item').dataset.itemRef !== before", arg=took)
    assert page.locator(f"#notices >> text={took} is passed over: omar has it on the screen.").count() == 1
