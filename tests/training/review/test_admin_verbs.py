"""Review in the admin: buttons on a pair's page, and many at once after a preview."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from training.models import QAPair, ReviewAction

LIST = "/admin/training/qapair/"


@pytest.fixture
def browser(rosa: User, client: Client) -> Client:
    client.force_login(rosa)
    return client


def test_a_button_does_its_verb(waiting: QAPair, browser: Client) -> None:
    page = browser.get(f"{LIST}{waiting.pk}/change/")
    assert [verb["name"] for verb in page.context["review"]["verbs"]] == ["approve", "reject", "flag"]
    answer = browser.post(f"{LIST}{waiting.pk}/review/", {"verb": "approve", "version": 1}, follow=True)
    assert [verb["name"] for verb in answer.context["review"]["verbs"]] == ["flag", "reopen", "undo"]
    stale = browser.post(f"{LIST}{waiting.pk}/review/", {"verb": "flag", "version": 1, "reason": "x"}, follow=True)
    assert "you saw 1" in stale.content.decode()
    assert QAPair.objects.get(pk=waiting.pk).status == "labeled"


def test_only_who_may_review_and_only_by_post(waiting: QAPair, nils: User, client: Client, browser: Client) -> None:
    assert browser.get(f"{LIST}{waiting.pk}/review/").status_code == 405
    nils.is_staff = True
    nils.save()
    client.force_login(nils)
    assert client.post(f"{LIST}{waiting.pk}/review/", {"verb": "approve", "version": 1}).status_code == 403


def test_many_are_approved_after_a_preview(waiting: QAPair, browser: Client) -> None:
    done = QAPair.objects.filter(status="labeled")[0]
    form: dict[str, Any] = {"action": "approve_selected", "_selected_action": [waiting.pk, done.pk]}
    preview = browser.post(LIST, form)
    assert (preview.context["count"], preview.context["why"][0][1]) == (1, 1)
    assert not ReviewAction.objects.exists()
    confirmed = form | {"confirmed": 1, "batch_id": preview.context["batch_id"]}
    for _ in range(2):
        assert browser.post(LIST, confirmed).status_code == 302
    assert ReviewAction.objects.get().batch_id == preview.context["batch_id"]
    assert QAPair.objects.get(pk=waiting.pk).status == "labeled"


def test_rejecting_many_needs_a_reason(waiting: QAPair, browser: Client) -> None:
    form = {"action": "reject_selected", "_selected_action": [waiting.pk], "confirmed": 1}
    assert browser.post(LIST, form).context["missing"]
    browser.post(LIST, form | {"reason": "unreadable"})
    assert QAPair.objects.get(pk=waiting.pk).review_notes == "unreadable"
