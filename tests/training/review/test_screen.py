"""The review screen as a browser without scripts sees it, its endpoints, and who may use it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from governance.uses import USES
from labels.actions import record_label
from tests.training.review.conftest import Act
from training.models import QAPair, ReviewPair, TrainingSheet
from workbench.csp import POLICY
from workbench.router import LAKEHOUSE

ANSWER = {"answer.defect_type": '"scratch"', "answer.severity": '"minor"', "answer.location": '"none"'}


@pytest.fixture
def screen(boards: TrainingSheet, rosa: User) -> Client:
    client = Client()
    client.force_login(rosa)
    return client


def at(boards: TrainingSheet, query: str = "") -> str:
    return f"/review/{boards.pk}/{query}"


def post(client: Client, boards: TrainingSheet, pair: ReviewPair, verb: str, **more: Any) -> Any:
    return client.post(at(boards), {"pair_id": pair.pk, "version": pair.version, "verb": verb, **more})


def test_the_page_holds_the_next_pair_and_runs_nothing_inline(screen: Client, boards: TrainingSheet) -> None:
    answer = screen.get(at(boards))
    page = answer.content.decode()
    held = ReviewPair.objects.get(holder="rosa")
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert f'data-pair="{held.pk}"' in page
    assert f"/api/v1/files/Volumes/mirion_vital/samples/pcb_images/{held.item_ref}" in page
    assert "Highest reflow oven temperature, °C" in page
    assert " style=" not in page
    assert "unsafe" not in POLICY


def test_a_pair_that_review_does_not_know_is_looked_for_in_its_training_sheet(screen: Client, waiting: QAPair) -> None:
    ReviewPair.objects.all().delete()
    with CaptureQueriesContext(connections[LAKEHOUSE]) as statements:
        assert screen.get(f"/review/{waiting.training_sheet_id}/pairs/{waiting.pk}").status_code == 200
    (asked, *_) = [query["sql"] for query in statements if "FROM `qa_pairs`" in query["sql"]]
    assert "`training_sheet_id` = " in asked


def test_signed_out_is_sent_to_sign_in(boards: TrainingSheet) -> None:
    answer = Client().get(at(boards))
    assert (answer.status_code, "login" in answer.headers["Location"]) == (302, True)


def test_who_may_not_review_only_looks(screen: Client, boards: TrainingSheet, nils: User) -> None:
    screen.force_login(nils)
    page = screen.get(at(boards)).content.decode()
    assert 'name="verb"' not in page
    assert not ReviewPair.objects.filter(holder="nils").exists()
    assert post(screen, boards, ReviewPair.objects.all()[0], "approve").status_code == 403


def test_a_changed_field_makes_approve_an_edit(screen: Client, boards: TrainingSheet) -> None:
    screen.get(at(boards))
    pair = ReviewPair.objects.get(holder="rosa")
    assert post(screen, boards, pair, "approve", confidence="high", **ANSWER).status_code == 302
    done = pair.actions.get()
    assert (done.action, done.confidence) == ("edit", "high")
    assert QAPair.objects.get(pk=pair.pk).status == "labeled"


def test_a_form_that_is_sent_again_with_another_answer_is_refused(screen: Client, boards: TrainingSheet) -> None:
    screen.get(at(boards))
    pair, again = ReviewPair.objects.get(holder="rosa"), {"action_id": "a1"}
    for _ in range(2):
        assert post(screen, boards, pair, "edit", **again, **ANSWER).status_code == 302
    refused = post(screen, boards, pair, "edit", **again, **{**ANSWER, "answer.severity": '"critical"'})
    assert (refused.status_code, "said something else" in refused.content.decode()) == (409, True)
    assert 'value="&quot;critical&quot;" checked' in refused.content.decode()


def test_a_refusal_keeps_what_was_typed_and_names_the_field(screen: Client, boards: TrainingSheet) -> None:
    screen.get(at(boards))
    pair = ReviewPair.objects.get(holder="rosa")
    answer = post(screen, boards, pair, "approve", **{**ANSWER, "answer.severity": '"huge"'})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "found &quot;huge&quot;; allowed are" in page
    assert 'value="&quot;scratch&quot;" checked' in page


def test_a_conflict_keeps_what_was_said_and_shows_theirs(
    screen: Client, boards: TrainingSheet, act: Act, waiting: QAPair
) -> None:
    theirs = {"defect_type": "none", "severity": "none", "location": "none"}
    act(waiting, "edit", answer=theirs)
    said = {"notes": "a thin line", "confidence": "low", "reason": "Not sure"}
    pair = ReviewPair.objects.get(pk=waiting.pk)
    pair.version -= 1
    answer = post(screen, boards, pair, "approve", **ANSWER, **said)
    page = answer.content.decode()
    assert answer.status_code == 409
    differs = "Theirs differs from yours: defect_type is “none”, yours “scratch”; "
    assert differs in page and "Yours is in the form." in page
    assert 'value="&quot;scratch&quot;" checked' in page
    assert "a thin line</textarea>" in page and '<option value="low" selected>' in page and 'value="Not sure"' in page


def test_a_reason_that_is_missing_is_marked_at_its_field(
    screen: Client, boards: TrainingSheet, waiting: QAPair
) -> None:
    drawn = screen.get(at(boards, f"?pair={waiting.pk}")).content.decode()
    assert 'data-do="reopen" hidden' in drawn  # a pair that waits
    pair = ReviewPair.objects.get(pk=waiting.pk)
    page = post(screen, boards, pair, "reject", **ANSWER).content.decode()
    assert "Nothing was decided: correct the marked field." in page
    assert 'aria-describedby="reason-fault" autofocus' in page
    assert 'id="reason-fault" data-without-script>Say why: reject needs it.' in page


def uses(**changes: str) -> dict[str, str]:
    stands = {f"use.{use}": "allowed" for use in USES}
    return stands | {"use.few_shot": "prohibited", "data_classification": "confidential", **changes}


def test_a_refused_change_of_uses_keeps_what_was_chosen(
    screen: Client, boards: TrainingSheet, act: Act, waiting: QAPair
) -> None:
    screen.get(at(boards, f"?pair={waiting.pk}"))
    pair = ReviewPair.objects.get(pk=waiting.pk)
    without = post(screen, boards, pair, "uses", **uses(reason=" ")).content.decode()
    editor = without[without.index("data-uses") :]
    assert 'name="use.few_shot" value="prohibited" checked' in editor
    assert '<option value="confidential" selected>' in editor
    assert 'id="uses-reason-fault">Say why; it is kept in the audit.' in editor
    assert 'class="more uses" open' in without
    act(waiting, "flag", reason="look again")
    answer = post(screen, boards, pair, "uses", **uses(reason="Names a patient"))
    editor = answer.content.decode().partition("data-uses")[2]
    assert answer.status_code == 409 and 'name="reason" value="Names a patient"' in editor
    assert 'name="use.few_shot" value="prohibited" checked' in editor and "Your change was refused" in editor
    pair.refresh_from_db()
    assert post(screen, boards, pair, "uses", **uses(reason="Names a patient")).status_code == 302
    assert QAPair.objects.get(pk=pair.pk).prohibited_uses == ["few_shot"]


def test_a_limit_of_uses_stands_at_the_head(screen: Client, boards: TrainingSheet, waiting: QAPair) -> None:
    limited = {"use.few_shot": "allowed", "use.training": "prohibited"}
    pair = ReviewPair(pk=waiting.pk, version=waiting.version)
    assert post(screen, boards, pair, "uses", **uses(reason="Contains PHI", **limited)).status_code == 302
    page = screen.get(at(boards, f"?pair={waiting.pk}")).content.decode()
    head = page.partition('class="item-head"')[2].partition("</div>")[0]
    assert 'title="Contains PHI">training prohibited</span>' in head


def test_a_script_of_a_page_made_for_another_is_signed_out(screen: Client, waiting: QAPair) -> None:
    def approve(user: str) -> Any:
        path, sent = f"/api/v1/qa-pairs/{waiting.pk}/approve", {"content_type": "application/json"}
        return screen.post(path, {}, **sent, HTTP_X_WORKBENCH_USER=user)

    refused = approve("om%C3%A1r")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "another_user")
    assert "made for omár, and rosa is signed in" in refused.json()["error"]["message"]
    assert approve("rosa").status_code == 200


def test_a_fault_is_said_with_its_field(screen: Client, boards: TrainingSheet) -> None:
    screen.get(at(boards))
    pair = ReviewPair.objects.get(holder="rosa")
    page = post(screen, boards, pair, "edit", **{**ANSWER, "answer.severity": '"huge"'}).content.decode()
    told = 'role="radiogroup" aria-invalid="true" aria-describedby="f-answer-severity-help f-answer-severity-faults"'
    assert page.count(told) == page.count('id="f-answer-severity-faults"') == 1
    assert page.count('aria-invalid="true"') == 1


def test_skip_changes_no_status(screen: Client, boards: TrainingSheet) -> None:
    screen.get(at(boards))
    pair = ReviewPair.objects.get(holder="rosa")
    following = screen.get(post(screen, boards, pair, "skip").headers["Location"])
    assert f'data-pair="{pair.pk}"' not in following.content.decode()
    pair.refresh_from_db()
    assert (pair.status, pair.holder) == ("unlabeled", "")


def test_what_was_skipped_stays_away_after_a_decision(screen: Client, boards: TrainingSheet) -> None:
    screen.get(at(boards))
    skipped = ReviewPair.objects.get(holder="rosa")
    on = post(screen, boards, skipped, "skip").headers["Location"]
    screen.get(on)
    pair = ReviewPair.objects.get(holder="rosa")
    decided = {"pair_id": pair.pk, "version": pair.version, "verb": "reject", "reason": "Not sure"}
    following = screen.get(screen.post(on, decided).headers["Location"]).content.decode()
    shown = ReviewPair.objects.get(holder="rosa")
    assert shown.pk not in (skipped.pk, pair.pk)
    assert f'data-pair="{shown.pk}"' in following


def test_a_decision_is_undone_on_the_page_that_says_it_was_made(screen: Client, boards: TrainingSheet) -> None:
    screen.get(at(boards))
    pair = ReviewPair.objects.get(holder="rosa")
    said = screen.get(post(screen, boards, pair, "reject", reason="Not sure").headers["Location"]).content.decode()
    assert f"Rejected: {pair.item_ref}" in said and said.count('value="undo"') == 1
    sent = dict(re.findall(r'name="(pair_id|undoes)" value="([^"]+)"', said.partition("The latest decision")[2])[:2])
    undone = screen.post(at(boards), {**sent, "verb": "undo"})
    pair.refresh_from_db()
    assert (sent["pair_id"], pair.status) == (pair.pk, "unlabeled")
    page = screen.get(undone.headers["Location"]).content.decode()
    assert f"Undone: {pair.item_ref}" in page and f'data-pair="{pair.pk}"' in page
    assert 'value="undo"' not in page
    again = screen.post(at(boards), {**sent, "verb": "undo"})
    assert (again.status_code, "There is nothing to undo" in again.content.decode()) == (409, True)


def test_the_queue_is_read_on_behind_a_pair(api: APIClient, boards: TrainingSheet) -> None:
    def queue(**asked: Any) -> list[str]:
        return [pair["id"] for pair in api.get(f"/api/v1/training-sheets/{boards.pk}/queue", asked).json()]

    for order in ("risk", "sequence"):
        ahead = queue(order=order, limit=9)
        assert queue(order=order, limit=3, after=ahead[5]) == ahead[6:]


def test_a_pair_of_another_sheet_is_not_found(screen: Client, boards: TrainingSheet) -> None:
    assert screen.get(f"/review/{boards.pk}/pairs/nothing").status_code == 404
    assert screen.get("/review/nothing/").status_code == 404


def test_flagged_pairs_have_a_queue(act: Act, api: APIClient, boards: TrainingSheet, waiting: QAPair) -> None:
    act(waiting, "flag", reason="Not sure")
    queue = api.get(f"/api/v1/training-sheets/{boards.pk}/queue", {"status": "flagged"}).json()
    assert [pair["id"] for pair in queue] == [waiting.pk]


def test_progress_counts_what_waits_in_the_journal(
    act: Act, api: APIClient, boards: TrainingSheet, waiting: QAPair, settings: Any
) -> None:
    def progress() -> dict[str, Any]:
        found: dict[str, Any] = api.get(f"/api/v1/training-sheets/{boards.pk}/progress").json()
        return found

    before = progress()
    assert (before["total"], before["pre_approved"], before["left"], before["minutes_left"]) == (50, 10, 40, None)
    settings.REVIEW_APPLY = "worker"
    act(waiting, "approve")
    settings.REVIEW_APPLY = "inline"
    assert {**before, "approved_by_me": 1, "left": 39} == progress()
    other = QAPair.objects.filter(status="unlabeled").exclude(pk=waiting.pk)[0]
    act(other, "reject", reason="The source cannot be read")
    assert {**before, "approved_by_me": 1, "left": 38, "rejected": 1} == progress()


def test_a_training_sheet_that_does_not_exist_has_no_progress(api: APIClient, boards: TrainingSheet) -> None:
    assert api.get("/api/v1/training-sheets/nothing/progress").status_code == 404


def test_the_admin_leads_to_the_screen(screen: Client, boards: TrainingSheet) -> None:
    page = screen.get(f"/admin/training/trainingsheet/{boards.pk}/change/").content.decode()
    assert "Open in review" in page


def test_a_source_that_changed_since_the_pair_was_made_is_said(
    screen: Client, boards: TrainingSheet, waiting: QAPair, sql: Callable[..., Any]
) -> None:
    url = f"/review/{boards.pk}/pairs/{waiting.pk}"
    assert b"changed since" not in screen.get(url).content
    table, key = boards.sheet.primary_table, boards.sheet.join_keys[0]
    sql(f"UPDATE {table} SET line = 'another' WHERE {key} = %s", [waiting.item_ref])
    page = screen.get(url).content.decode()
    assert "Its source row has changed since" in page and "The question holds the earlier row" in page


def test_a_pre_approved_pair_says_that_its_label_changed_since(screen: Client, boards: TrainingSheet, act: Act) -> None:
    ready = QAPair.objects.of(boards.pk).filter(status="labeled")[0]
    label = ready.canonical_label
    assert label is not None
    record_label(
        sheet=boards.sheet, item_ref=label.item_ref, label_type=label.label_type, label_data=label.label_data,
        notes="seen again", actor="omar",
    )  # fmt: skip
    url, words = f"/review/{boards.pk}/pairs/{ready.pk}", b"Its canonical label has changed since"
    assert words in screen.get(url).content
    for verb in ("reopen", "approve"):
        act(ready, verb)
    assert words not in screen.get(url).content
