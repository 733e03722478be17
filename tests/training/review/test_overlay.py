"""What is acknowledged is shown everywhere before it is applied, and an export applies it first."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.training.review.conftest import Act
from training.models import QAPair, ReviewAction, TrainingSheet


@pytest.fixture
def unapplied(waiting: QAPair, act: Act, settings: Any) -> QAPair:
    """A pair that was approved, which the lakehouse does not know yet."""
    settings.REVIEW_APPLY = "worker"
    assert act(waiting, "approve").status_code == 200
    assert QAPair.objects.get(pk=waiting.pk).status == "unlabeled"
    return waiting


def test_api_counts_and_lists_what_waits(unapplied: QAPair, api: APIClient) -> None:
    sheet = unapplied.training_sheet_id
    one = api.get(f"/api/v1/training-sheets/{sheet}").json()
    (listed,) = api.get("/api/v1/training-sheets").json()["results"]
    assert [(each["labeled_pairs"], each["unlabeled_pairs"]) for each in (one, listed)] == [(11, 39)] * 2
    pairs = api.get("/api/v1/qa-pairs", {"training_sheet": sheet, "status": "labeled"}).json()["results"]
    assert {pair["id"]: pair["status"] for pair in pairs}[unapplied.pk] == "labeled"
    assert len(pairs) == 11
    assert api.get(f"/api/v1/qa-pairs/{unapplied.pk}").json()["reviewed_by"] == "rosa"
    assert api.get("/api/v1/qa-pairs", {"status": "labelled"}).status_code == 400
    every = api.get("/api/v1/qa-pairs", {"training_sheet": sheet, "status": ""})
    assert (every.status_code, len(every.json()["results"])) == (200, 50)


def test_admin_shows_what_waits(unapplied: QAPair, omar: Any, client: Client) -> None:
    client.force_login(omar)
    url = f"/admin/training/qapair/?training_sheet__id__exact={unapplied.training_sheet_id}&status__exact="
    assert client.get(f"{url}labeled").context["cl"].result_count == 11
    shown = client.get(f"{url}labeled").context["cl"].result_list
    assert {pair.pk: pair.status for pair in shown}[unapplied.pk] == "labeled"
    assert "rosa" in client.get(f"/admin/training/qapair/{unapplied.pk}/change/").content.decode()
    label = {each.words: each.count for each in client.get("/admin/").context["stages"][2].more}
    assert (label["labeled"], label["to review"]) == (11, 39)
    (listed,) = client.get("/admin/training/trainingsheet/").context["cl"].result_list
    assert (listed.labeled_pairs, listed.unlabeled_pairs) == (11, 39)


def test_a_list_asks_the_journal_once(unapplied: QAPair, api: APIClient) -> None:
    for url in ("/api/v1/training-sheets", "/api/v1/qa-pairs"):
        with CaptureQueriesContext(connections["default"]) as queries:
            assert api.get(url).status_code == 200
        asked = [query["sql"] for query in queries if "review_" in query["sql"]]
        assert len(asked) == 1, asked


def test_an_export_applies_what_waits(unapplied: QAPair, api: APIClient) -> None:
    answer: Any = api.get(f"/api/v1/training-sheets/{unapplied.training_sheet_id}/export/jsonl")
    assert len(b"".join(answer.streaming_content).splitlines()) == 11
    assert not ReviewAction.objects.filter(applied_at=None).exists()


def test_an_export_says_what_cannot_be_applied(unapplied: QAPair, api: APIClient) -> None:
    QAPair.objects.filter(pk=unapplied.pk)._raw_delete("lakehouse")
    refused = api.get(f"/api/v1/training-sheets/{unapplied.training_sheet_id}/export/summary")
    assert (refused.status_code, "not in the lakehouse any more" in refused.json()["error"]["message"]) == (409, True)


def test_a_trained_training_sheet_stays_as_it_is(waiting: QAPair, act: Act) -> None:
    TrainingSheet.objects.update(status="trained")
    refused = act(waiting, "approve")
    assert (refused.status_code, "was trained" in refused.json()["error"]["message"]) == (409, True)
