"""The API of training sheets: generate, list, and who may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ
from rest_framework.test import APIClient

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from tests.conftest import Stage
from tests.seeded import loaded
from training.models import TrainingSheet
from workbench.router import LAKEHOUSE

pytestmark = pytest.mark.usefixtures("beats_in_vain")

GENERATE = "/api/v1/training-sheets/generate"


@pytest.fixture
def request_body(stage: Stage) -> dict[str, Any]:
    stage(loaded, "medical_invoices")
    return {"sheet_id": Sheet.objects.get().pk, "template_id": PromptTemplate.objects.get().pk}


def test_generating_answers_with_the_sheet_and_its_statistics(api: APIClient, request_body: dict[str, Any]) -> None:
    response = api.post(GENERATE, request_body)
    assert response.status_code == 201
    body = response.json()
    assert body["statistics"]["items"] == 30
    assert (body["total_pairs"], body["pre_approved_pairs"], body["unlabeled_pairs"], body["status"]) == (
        30,
        8,
        22,
        "review",
    )
    assert body["created_by"] == "rosa"


def test_the_list_has_counters_in_two_queries(api: APIClient, request_body: dict[str, Any]) -> None:
    for _ in range(3):
        api.post(GENERATE, request_body)
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        listed = api.get("/api/v1/training-sheets").json()["results"]
    assert [sheet["labeled_pairs"] for sheet in listed] == [8, 8, 8]
    assert len(queries) == 1


def test_more_than_a_request_can_carry_is_a_job(
    api: APIClient, request_body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.actions.start.IN_REQUEST", 10)
    response = api.post(GENERATE, request_body)
    assert (response.status_code, response.json()["total_pairs"]) == (202, 0)
    job = api.get(response["Location"]).json()
    assert (job["id"], job["training_sheet_id"]) == (response.json()["job_id"], response.json()["id"])
    assert (job["status"], job["done"], job["total"], job["worker_is_alive"]) == ("queued", 0, 30, False)
    assert OrmQ.objects.count() == 1


def test_a_wrong_body_names_its_fields(api: APIClient, request_body: dict[str, Any]) -> None:
    response = api.post(GENERATE, {**request_body, "sheet_id": "nope", "labeling_mode": "magic"})
    assert response.status_code == 400
    assert set(response.json()["error"]["fields"]) == {"sheet_id", "labeling_mode"}


def test_an_unknown_option_is_a_field_of_the_config(api: APIClient, request_body: dict[str, Any]) -> None:
    response = api.post(GENERATE, {**request_body, "generation_config": {"modle": "x"}})
    assert set(response.json()["error"]["fields"]) == {"generation_config.modle"}


def test_nils_may_look_but_not_generate(nils: User, request_body: dict[str, Any]) -> None:
    client = APIClient()
    client.force_authenticate(nils)
    assert client.get("/api/v1/training-sheets").status_code == 200
    assert client.post(GENERATE, request_body).status_code == 403
    assert not TrainingSheet.objects.exists()


@pytest.mark.parametrize(
    "name", ["training-sheets", "qa-pairs", "review-events", "exports", "jobs", "usage-constraint-audit"]
)
def test_every_list_needs_sign_in(lakehouse: Path, api: APIClient, name: str) -> None:
    assert APIClient().get(f"/api/v1/{name}").status_code in (401, 403)
    assert api.get(f"/api/v1/{name}").json()["results"] == []


def test_pairs_page_in_the_order_of_items(api: APIClient, request_body: dict[str, Any]) -> None:
    sheet = api.post(GENERATE, request_body).json()
    url, seen = f"/api/v1/qa-pairs?training_sheet={sheet['id']}&page_size=7", []
    while url:
        page = api.get(url).json()
        seen += [pair["item_ref"] for pair in page["results"]]
        url = page["next"]
    assert seen == [f"invoice_{number:03}" for number in range(1, 31)]
