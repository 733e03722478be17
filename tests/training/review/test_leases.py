"""Who has a pair on the screen: seen by all, renewed while it is looked at, taken over by a role, free after leaving."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from training.models import QAPair, ReviewPair


def client_of(name: str, *, may_take_over: bool) -> APIClient:
    user = User.objects.create_user(name, is_staff=True)
    names = ["change_qapair", *(["take_over_reviewpair"] if may_take_over else [])]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def ana(db: None) -> APIClient:
    return client_of("ana", may_take_over=False)


def test_a_lease_is_seen_renewed_and_given_back(waiting: QAPair, ana: APIClient) -> None:
    bela, url = client_of("bela", may_take_over=False), f"/api/v1/qa-pairs/{waiting.pk}"
    assert ana.post(f"{url}/hold", {}).json()["holder"] == "ana"
    soon = timezone.now() + timedelta(minutes=1)
    ReviewPair.objects.update(held_until=soon)
    refused: list[Any] = [bela.post(f"{url}/{verb}", {}) for verb in ("hold", "approve")]
    assert [answer.status_code for answer in refused] == [409, 409]
    assert refused[0].json()["error"]["message"].startswith("ana has this pair on the screen, for 1 min more")
    assert refused[0].json()["error"]["details"] == {"holder": "ana"}
    assert ana.post(f"{url}/hold", {}).json()["held_until"] > soon.isoformat()
    assert ana.post(f"{url}/let-go", {}).status_code == 204
    assert bela.post(f"{url}/hold", {}).json()["holder"] == "bela"
    ReviewPair.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert ana.post(f"{url}/approve", {}).json()["pair"]["holder"] == ""


def test_a_role_takes_a_lease_over(waiting: QAPair, ana: APIClient) -> None:
    lead, url = client_of("lena", may_take_over=True), f"/api/v1/qa-pairs/{waiting.pk}"
    assert ana.post(f"{url}/hold", {}).status_code == 200
    for renewal in ({}, {"take_over": False}):
        assert lead.post(f"{url}/hold", renewal).status_code == 409
    assert lead.post(f"{url}/hold", {"take_over": True}).json()["holder"] == "lena"
    assert ana.post(f"{url}/approve", {}).status_code == 409
    assert ana.post(f"{url}/hold", {"take_over": True}).status_code == 409


def test_who_has_a_pair_is_shown_with_for_how_long(waiting: QAPair, ana: APIClient, rosa: User) -> None:
    pair = f"/api/v1/qa-pairs/{waiting.pk}"
    assert ana.get(pair).json()["holder"] == ""
    ana.post(f"{pair}/hold", {})
    shown, browser = ana.get(pair).json(), Client()
    assert (shown["holder"], shown["held_until"] > timezone.now().isoformat()) == ("ana", True)
    browser.force_login(rosa)
    page = browser.get(f"/review/{waiting.training_sheet_id}/list").content.decode()
    assert "held by ana, 5 min more" in page


def test_a_batch_tells_each_refusal(waiting: QAPair, ana: APIClient, api: APIClient) -> None:
    held, stale, rejected = QAPair.objects.filter(status="unlabeled").exclude(pk=waiting.pk)[:3]
    assert api.post(f"/api/v1/qa-pairs/{held.pk}/hold", {}).status_code == 200
    assert api.post(f"/api/v1/qa-pairs/{rejected.pk}/reject", {"reason": "old"}).status_code == 200
    actions = [
        {"pair_id": pair.pk, "action": "flag", "reason": "Not sure"} for pair in (waiting, held, stale, rejected)
    ]
    actions[2] |= {"version": 7, "action_id": "second"}
    answer = ana.post("/api/v1/qa-pairs/review", {"actions": actions}).json()
    told = {each["pair_id"]: (each["code"], each["message"]) for each in answer["refused"]}
    assert (answer["done"], list(told)) == (1, [held.pk, stale.pk, rejected.pk])
    assert [told[pair.pk][0] for pair in (held, stale, rejected)] == ["conflict", "stale_version", "conflict"]
    details = {each["action_id"]: each["details"] for each in answer["refused"]}["second"]
    assert (details["theirs"]["status"], details["mine"]["reason"]) == ("unlabeled", "Not sure")
    assert "flag leads from unlabeled or labeled to flagged" in told[rejected.pk][1]
