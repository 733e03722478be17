"""What no database or JSON can keep is refused in words, where it is said and by itself."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from tests.training.review.conftest import Act
from training.models import QAPair, ReviewAction, ReviewPair, TrainingSheet

HUGE = "9" * 5_000


def test_an_answer_with_a_nul_is_refused_at_its_field(waiting: QAPair, act: Act) -> None:
    refused = act(waiting, "edit", answer={"severity": "a\0b"})
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["answer"])
    assert not ReviewAction.objects.exists()


def test_of_many_decisions_only_the_one_that_cannot_be_kept_is_refused(boards: TrainingSheet, api: APIClient) -> None:
    first, second = QAPair.objects.filter(status="unlabeled")[:2]
    actions = [
        {"pair_id": first.pk, "action": "edit", "answer": {"severity": "a\0b"}},
        {"pair_id": second.pk, "action": "reject", "reason": "Not sure"},
    ]
    done = api.post("/api/v1/qa-pairs/review", {"actions": actions}, format="json").json()
    assert (done["done"], [refusal["pair_id"] for refusal in done["refused"]]) == (1, [first.pk])


def test_a_posted_form_is_refused_as_the_api_would(waiting: QAPair, rosa: User) -> None:
    screen = Client()
    screen.force_login(rosa)
    address = f"/review/{waiting.training_sheet_id}/"
    assert screen.get(f"{address}?pair={waiting.pk}").status_code == 200
    posted = {"pair_id": waiting.pk, "verb": "reject", "reason": "Not sure"}
    at_its_field, above = "Nothing was decided: correct the marked field.", "The action was not recorded."
    faults = [({"reason": "a\0b"}, at_its_field), ({"action_id": "x" * 65}, above), ({"notes": "a\0b"}, above)]
    for fault, words in faults:
        answer = screen.post(address, posted | fault)
        assert (answer.status_code, words in answer.content.decode()) == (400, True)
    assert screen.post(address, posted | {"version": HUGE}).status_code == 302
    pairs = f"{waiting.pk}:{HUGE}"
    previewed = {"verb": "flag", "pairs": pairs, "reason": "Not sure", "batch_id": "a"}
    assert screen.post(f"{address}list", previewed).status_code == 302
    assert [action.action for action in ReviewAction.objects.all()] == ["reject"]


@pytest.mark.parametrize("address", ["/review/a%00b/", "/review/x/?pair=%00", "/api/v1/qa-pairs/%00", "/admin/?q=%00"])
def test_no_address_has_a_nul(rosa: User, address: str) -> None:
    client = Client()
    client.force_login(rosa)
    answer = client.get(address)
    assert (answer.status_code, "U+0000" in answer.content.decode()) == (400, True)


def test_a_nul_in_the_text_of_an_item_stops_no_queue(boards: TrainingSheet, api: APIClient) -> None:
    pair = QAPair.objects.filter(status="unlabeled").order_by("position")[0]
    QAPair.objects.filter(pk=pair.pk).update(messages=[{"role": "user", "content": "a\0b"}, *pair.messages[1:]])
    api.get(f"/api/v1/training-sheets/{boards.pk}/queue", {"limit": 50})
    kept = ReviewPair.objects.get(pk=pair.pk)
    assert kept.state["messages"][0]["content"] == "a\ufffdb"
    assert "\\u0000" not in json.dumps(kept.state)
