"""What a caller accepts: every answer is given in the type that its description announces, and errors are JSON."""

from __future__ import annotations

import re

import pytest
from rest_framework.test import APIClient

from training.models import TrainingSheet

JSON = "application/json"


@pytest.mark.usefixtures("lakehouse")
def test_every_type_that_is_described_is_accepted(api: APIClient) -> None:
    document = api.get("/api/schema", HTTP_ACCEPT="application/vnd.oai.openapi+json").json()
    announced = {
        (path, kind)
        for path, methods in document["paths"].items()
        for answer in methods.get("get", {}).get("responses", {}).values()
        for kind in answer.get("content", {})
        if kind != JSON
    }
    assert {kind for _, kind in announced} >= {"application/jsonl", "text/csv", "application/octet-stream"}
    for path, kind in sorted(announced):
        answer = api.get(re.sub(r"\{[^}]*\}", "x", path), HTTP_ACCEPT=kind)
        assert answer.status_code != 406, (path, kind)
        if answer.status_code >= 400:
            assert answer["Content-Type"] == JSON and answer.json()["error"]["code"], (path, kind)


@pytest.mark.parametrize(
    "path",
    [
        "training-sheets/{boards.pk}/export/jsonl",
        "canonical-labels/export?sheet={boards.sheet_id}",
        "ground-truth/export",
    ],
)
def test_a_download_is_given_to_who_accepts_its_type_alone(boards: TrainingSheet, api: APIClient, path: str) -> None:
    answer = api.get(f"/api/v1/{path.format(boards=boards)}", HTTP_ACCEPT="application/jsonl")
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/jsonl" and answer["Content-Disposition"].startswith("attachment")
    assert b"".join(answer.streaming_content).startswith(b"{")


def test_the_description_of_the_api_is_written_as_it_is_asked_for(api: APIClient) -> None:
    for kind in ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi"):
        assert api.get("/api/schema", HTTP_ACCEPT=kind)["Content-Type"].split(";")[0] == kind


@pytest.mark.usefixtures("lakehouse")
def test_a_body_that_is_no_json_stays_refused(api: APIClient) -> None:
    assert api.post("/api/v1/sheets", "<a/>", content_type="application/xml").status_code == 415
