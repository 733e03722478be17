"""The filters of pairs: in the address of queue and list, with what waits in the journal counted as applied."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from tests.training.review.conftest import Act
from training.models import QAPair, ReviewPair, ReviewSheet, TrainingSheet
from training.review.chosen import Choice, claim_of, look
from training.review.filters import PairFilters, matching
from training.review.orders import order_named

ANSWER = {"defect_type": "scratch", "severity": "minor", "location": "none"}


def refs(training_sheet: TrainingSheet, reader: str = "rosa", **filters: Any) -> set[str]:
    return set(matching(training_sheet.pk, PairFilters(**filters), reader=reader).values_list("item_ref", flat=True))


def test_each_filter_finds_its_pairs(boards: TrainingSheet, act: Act) -> None:
    pairs = {pair.item_ref: pair for pair in QAPair.objects.all()}
    low = {ref for ref, pair in pairs.items() if pair.ai_confidence is not None and pair.ai_confidence < 0.6}
    flagged, edited = [pair for pair in pairs.values() if pair.status == "unlabeled"][:2]
    act(flagged, "flag", reason="Needs a specialist", notes="The joint is dull")
    act(edited, "edit", answer=ANSWER)
    assert low and refs(boards, below=0.6) == low
    assert refs(boards, mode="canonical") == {ref for ref, pair in pairs.items() if pair.labeling_mode == "canonical"}
    assert refs(boards, model="offline-nearest", above=0.0) == {r for r, p in pairs.items() if p.model}
    assert refs(boards, status=("flagged",), reason="SPECIALIST") == refs(boards, reason="dull") == {flagged.item_ref}
    assert refs(boards, mine=True) == refs(boards, reviewer="rosa") == {flagged.item_ref, edited.item_ref}
    assert refs(boards, reader="omar", mine=True) == set()
    assert refs(boards, text="pcb_044") == {"pcb_044_none.jpg"}
    assert refs(boards, problem="error") == refs(boards, older=True) == set()


def test_what_waits_in_the_journal_is_filtered_as_it_is(
    boards: TrainingSheet, act: Act, waiting: QAPair, settings: Any
) -> None:
    settings.REVIEW_APPLY = "worker"
    started = refs(boards, status=("unlabeled",))
    act(waiting, "reject", reason="The same as another")
    since = ReviewPair.objects.get(pk=waiting.pk).actions.get().created_at
    assert QAPair.objects.get(pk=waiting.pk).status == "unlabeled"
    assert refs(boards, status=("rejected",), reason="same") == refs(boards, since=since) == {waiting.item_ref}
    assert refs(boards, mine=True, text=waiting.item_ref) == {waiting.item_ref}
    assert refs(boards, status=("unlabeled",)) == started - {waiting.item_ref}


def test_a_filter_is_a_queue_that_gives_no_pair_to_two(boards: TrainingSheet) -> None:
    choice = Choice(PairFilters(status=("unlabeled",), below=0.7), "confidence")
    ahead = look(boards.pk, choice, actor="rosa", most=100)
    sure = [pair.state["ai_confidence"] for pair in ahead]
    assert sure == sorted(sure) and max(sure) < 0.7
    assert [p.pk for p in look(boards.pk, choice, actor="rosa", after=ahead[0].pk)] == [p.pk for p in ahead[1:11]]
    first, second = claim_of(boards.pk, choice, actor="rosa"), claim_of(boards.pk, choice, actor="omar")
    assert [first, second] == ahead[:2]


@pytest.mark.parametrize("order", ["risk", "sequence", "confidence", "changed"])
def test_every_order_can_be_read_on_from_any_pair(boards: TrainingSheet, order: str) -> None:
    choice, seen = Choice(PairFilters(above=0.0, status=("unlabeled", "labeled")), order), []
    while more := look(boards.pk, choice, actor="rosa", most=15, after=seen[-1] if seen else ""):
        seen += [pair.pk for pair in more]
    assert len(seen) == len(set(seen)) == matching(boards.pk, choice.filters, reader="rosa").count()


def test_a_queue_can_be_read_on_from_a_pair_that_review_has_not_fetched(boards: TrainingSheet, api: APIClient) -> None:
    queue, ordered = f"/api/v1/training-sheets/{boards.pk}/queue", order_named("risk").of(QAPair.objects.of(boards.pk))
    waiting = [pair.pk for pair in ordered.filter(status="unlabeled")]
    assert not ReviewPair.objects.filter(pk=waiting[5]).exists()
    answer = api.get(queue, {"after": waiting[5], "limit": 3})
    assert (answer.status_code, [pair["id"] for pair in answer.json()]) == (200, waiting[6:9])


def test_a_pair_whose_label_changed_comes_before_what_is_only_unsure(
    boards: TrainingSheet, api: APIClient, act: Act
) -> None:
    made = QAPair.objects.filter(labeling_mode="canonical")[0]
    act(made, "reopen")
    label = {"sheet_id": boards.sheet_id, "item_ref": made.item_ref, "label_type": "classification"}
    assert api.post("/api/v1/canonical-labels", {**label, "label_data": ANSWER}).status_code in (200, 201)
    assert refs(boards, older=True) == {made.item_ref}
    choice = Choice(PairFilters(status=("unlabeled",), above=0.0), "risk")
    assert look(boards.pk, Choice(PairFilters(status=("unlabeled",), older=True)), actor="omar")[0].pk == made.pk
    assert look(boards.pk, choice, actor="omar")[0].risk > -0.5


@pytest.mark.parametrize(("method", "path"), [("get", "queue"), ("post", "queue/claim"), ("get", "progress")])
def test_there_is_no_queue_of_a_training_sheet_that_does_not_exist(
    boards: TrainingSheet, api: APIClient, method: str, path: str
) -> None:
    known = ReviewSheet.objects.count()
    answer = getattr(api, method)(f"/api/v1/training-sheets/{uuid4()}/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert ReviewSheet.objects.count() == known


def test_an_empty_list_asks_for_nothing(api: APIClient, boards: TrainingSheet) -> None:
    asked = {"model": [], "status": [], "limit": []}
    answer = api.post(f"/api/v1/training-sheets/{boards.pk}/queue/claim", asked, format="json")
    assert answer.status_code == 200 and answer.json()["pair"]["status"] == "unlabeled"


@pytest.mark.parametrize("sent", [["model"], "model", 5])
def test_what_is_no_object_is_refused(sent: object, api: APIClient, boards: TrainingSheet) -> None:
    answer = api.post(f"/api/v1/training-sheets/{boards.pk}/queue/claim", sent, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


def test_the_api_says_what_is_wrong_with_a_filter(api: APIClient, boards: TrainingSheet) -> None:
    answer = api.get(f"/api/v1/training-sheets/{boards.pk}/queue", {"below": "2", "status": "lost"})
    assert answer.status_code == 400
    assert {"below", "status"} <= set(answer.json()["error"]["fields"])
