"""Who pages through pairs never waits for the lakehouse, and still sees at once what was decided."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from rest_framework.test import APIClient

from labels.models import CanonicalLabel
from sheets.restricting import restrict_sheet
from tests.conftest import Stage
from tests.seeded import drafted
from tests.training.review.conftest import Act
from training.actions.findings import dismiss, find
from training.models import Finding, QAPair, TrainingSheet
from training.review.applying import apply_waiting
from training.review.chosen import Choice
from training.review.filters import PairFilters
from training.review.listing import page_of
from workbench.router import LAKEHOUSE

PAIRS = "/api/v1/qa-pairs"


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def listed(client: APIClient, training_sheet: TrainingSheet, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get(PAIRS, {"training_sheet": training_sheet.pk, **query}).json()
    return {each["id"]: each for each in found["results"]}


def test_the_next_page_asks_nothing_of_the_lakehouse(
    api: APIClient, boards: TrainingSheet, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, page = [], api.get(PAIRS, {"training_sheet": boards.pk, "page_size": 20}).json()
    monkeypatch.setattr("training.review.paging.after_answer", lambda *_: None)
    seen += [each["position"] for each in page["results"]]
    with django_assert_num_queries(0, connection=connections[LAKEHOUSE]):
        page = api.get(page["next"]).json()
    back = api.get(page["previous"]).json()
    page_three = api.get(page["next"]).json()
    seen += [each["position"] for each in page["results"] + page_three["results"]]
    assert seen == list(range(50))
    assert page_three["next"] is None
    assert [each["position"] for each in back["results"]] == list(range(20))


def test_the_next_page_of_the_screen_asks_nothing_of_the_lakehouse(
    boards: TrainingSheet, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {"choice": Choice(order="risk"), "reader": "rosa", "size": 20}
    first = page_of(boards.pk, **asked)
    monkeypatch.setattr("training.review.listing.after_answer", lambda *_: None)
    with django_assert_num_queries(0, connection=connections[LAKEHOUSE]):
        second = page_of(boards.pk, **asked, after=first.after)
    assert len(second.rows) == 20
    assert not {row.pair.pk for row in first.rows} & {row.pair.pk for row in second.rows}


def test_blanks_around_the_training_sheet_are_left_out(api: APIClient, boards: TrainingSheet) -> None:
    found = api.get(PAIRS, {"training_sheet": f" {boards.pk} ", "status": "labeled"}).json()["results"]
    assert len(found) == 10


def test_decisions_are_seen_in_what_is_kept(api: APIClient, boards: TrainingSheet, omar: User, act: Act) -> None:
    """Your own in every list at once; another's on the pair, which leaves the lists where it does not fit any more."""
    mine, theirs = QAPair.objects.filter(status="unlabeled", misfits__len=0, error="")[:2]
    everything, waiting = listed(api, boards), listed(api, boards, status="unlabeled")
    assert mine.pk in waiting and theirs.pk in waiting and not listed(api, boards, status="flagged")
    client_of(omar).post(f"{PAIRS}/{theirs.pk}/flag", {"reason": "Not sure"})
    assert listed(api, boards)[theirs.pk]["status"] == "flagged"
    assert theirs.pk not in listed(api, boards, status="unlabeled")
    act(mine, "flag", reason="Not sure")
    assert set(listed(api, boards, status="flagged")) == {mine.pk, theirs.pk}
    assert set(listed(api, boards)) == set(everything)


def test_your_own_decision_is_read_anew_once_it_is_applied(
    api: APIClient, boards: TrainingSheet, waiting: QAPair, act: Act, settings: Any
) -> None:
    """With its label, and at its place in the order of changes: before that the lakehouse does not know them."""
    settings.REVIEW_APPLY = "worker"
    changed: dict[str, Any] = {"choice": Choice(PairFilters(), "changed"), "reader": "rosa"}
    act(waiting, "approve")
    before = listed(api, boards)[waiting.pk], page_of(boards.pk, **changed).rows[0].pair.pk
    assert before[0]["canonical_label_id"] is None and before[1] != waiting.pk
    apply_waiting(boards.pk)
    label = CanonicalLabel.objects.get(item_ref=waiting.item_ref)
    assert listed(api, boards)[waiting.pk]["canonical_label_id"] == label.pk

    assert page_of(boards.pk, **changed).rows[0].pair.pk == waiting.pk


def test_who_turns_pages_does_not_wait_for_that(api: APIClient, boards: TrainingSheet, act: Act, settings: Any) -> None:
    settings.REVIEW_APPLY = "worker"
    pair = QAPair.objects.filter(status="unlabeled", misfits__len=0, error="", position__range=(20, 39))[0]
    act(pair, "approve")
    second = api.get(PAIRS, {"training_sheet": boards.pk, "page_size": 20}).json()["next"]
    asked: dict[str, Any] = {"choice": Choice(PairFilters(), "sequence"), "reader": "rosa", "size": 20}
    after = page_of(boards.pk, **asked).after
    page_of(boards.pk, **asked, after=after)
    apply_waiting(boards.pk)

    def links(shown: Any) -> list[Any]:
        rows = {each["id"]: each["canonical_label_id"] for each in shown["results"]}
        screen = {row.pair.pk: row.pair.canonical_label_id for row in page_of(boards.pk, **asked, after=after).rows}
        return [rows[pair.pk], screen[pair.pk]]

    answer = api.get(second)
    # What is read after the answer comes with its end.
    assert links(answer.json()) == [None, None]
    label = CanonicalLabel.objects.get(item_ref=pair.item_ref)
    assert links(api.get(second).json()) == [label.pk, label.pk]


def test_who_comes_back_to_a_list_that_no_decision_changes_does_not_wait(
    boards: TrainingSheet,
    waiting: QAPair,
    act: Act,
    settings: Any,
    django_assert_num_queries: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.REVIEW_APPLY = "worker"
    asked: dict[str, Any] = {"choice": Choice(PairFilters(above=0.0), "sequence"), "reader": "rosa"}

    def row() -> Any:
        return next(row for row in page_of(boards.pk, **asked).rows if row.pair.pk == waiting.pk)

    assert row().pair.status == "unlabeled"
    act(waiting, "approve")
    put_off: dict[Any, Any] = {}
    monkeypatch.setattr("training.review.kept.after_answer", put_off.__setitem__)
    monkeypatch.setattr("training.review.listing.after_answer", put_off.__setitem__)
    with django_assert_num_queries(0, connection=connections[LAKEHOUSE]):
        assert row().pair.status == "labeled"
    apply_waiting(boards.pk)
    for work in put_off.values():
        work()
    assert row().pair.canonical_label_id == CanonicalLabel.objects.get(item_ref=waiting.item_ref).pk


@pytest.mark.parametrize(
    ("filters", "order", "lasts"),
    [
        ({}, "sequence", True),
        ({"above": 0.2, "mode": "canonical", "problem": "error"}, "confidence", True),
        ({}, "risk", False),
        ({}, "changed", False),
        ({"status": ("labeled",)}, "sequence", False),
        ({"problem": "misfit"}, "sequence", False),
        ({"mine": True}, "sequence", False),
        ({"older": True}, "sequence", False),
        ({"text": "scratch"}, "sequence", False),
    ],
)
def test_only_what_no_decision_changes_may_be_shown_as_it_was_before(
    filters: dict[str, Any], order: str, lasts: bool
) -> None:
    assert Choice(PairFilters(**filters), order).lasts is lasts


def test_what_else_is_written_is_read_anew(api: APIClient, boards: TrainingSheet) -> None:
    label = CanonicalLabel.objects.get(pk=QAPair.objects.filter(labeling_mode="canonical")[0].canonical_label_id)
    pair = QAPair.objects.get(canonical_label=label)
    assert not listed(api, boards)[pair.pk]["is_from_older_label"]
    key = {"sheet_id": label.sheet_id, "item_ref": label.item_ref, "label_type": label.label_type}
    given = {**key, "label_data": label.label_data, "notes": "seen again"}
    assert api.post("/api/v1/canonical-labels", given, format="json").status_code == 200
    assert listed(api, boards)[pair.pk]["is_from_older_label"]


def test_findings_are_counted_anew_when_one_is_dismissed(stage: Stage) -> None:
    stage(drafted, "medical_invoices")
    invoices = TrainingSheet.objects.get()

    def counts() -> dict[str, int]:
        rows = page_of(invoices.pk, Choice(order="sequence"), reader="rosa").rows
        return {row.pair.pk: row.findings for row in rows}

    assert not any(counts().values())
    find(invoices, actor="omar")
    pair, found = next((key, count) for key, count in counts().items() if count)
    dismiss(Finding.objects.standing().filter(qa_pair_id=pair)[0], "Invented", actor="omar")
    assert counts()[pair] == found - 1


def test_nobody_is_shown_what_was_kept_for_who_sees_more(
    boards: TrainingSheet, omar: User, dora: User, api: APIClient
) -> None:
    hers = client_of(dora)
    assert listed(hers, boards) and listed(api, boards)
    restrict_sheet(boards.sheet, [{"user": "rosa"}], actor="omar")
    dora = User.objects.get(pk=dora.pk)
    assert not listed(client_of(dora), boards)


def test_long_pages_are_not_kept(api: APIClient, boards: TrainingSheet, django_assert_num_queries: Any) -> None:
    listed(api, boards, page_size=500)
    with django_assert_num_queries(2, connection=connections[LAKEHOUSE]):
        listed(api, boards, page_size=500)


def test_who_decided_nothing_is_shown_what_was_read_for_others(
    boards: TrainingSheet, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {"choice": Choice(order="risk"), "size": 20}
    page_of(boards.pk, **asked, reader="rosa")
    monkeypatch.setattr("training.review.listing.after_answer", lambda *_: None)
    with django_assert_num_queries(0, connection=connections[LAKEHOUSE]):
        page_of(boards.pk, **asked, reader="omar")
