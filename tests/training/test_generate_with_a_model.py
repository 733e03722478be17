"""Generation with an endpoint: labels first, the model for the rest, and its faults kept with their items."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings
from rest_framework.test import APIClient

from sheets.models import Sheet
from sheets.reading import iter_items
from templates_app.models import PromptTemplate
from tests.training.chat_server import ChatServer, chat_server, question, says
from training.actions.generate import generate, resume
from training.chat import assistant_answer
from training.jobs.work import run
from training.models import QAPair, TrainingSheet
from training.seeds import load
from workbench.problems import Conflict

GOOD = json.dumps({"severity": "minor", "location": "top_left_quadrant", "defect_type": "scratch"})


def behave(body: dict[str, Any], _: int) -> Any:
    asked = question(body)
    if "-007 " in asked:
        return 400, {}, b"too long"
    return says('{"defect_type": "burnt"}' if "-009 " in asked else f"```json\n{GOOD}\n```")


@pytest.fixture
def generated(lakehouse: Path, settings: Settings) -> tuple[TrainingSheet, ChatServer]:
    load("pcb_defects")
    with chat_server(behave) as server:
        settings.LLM_URL, settings.LLM_MODEL = server.url, "tiny"
        template = PromptTemplate.objects.get(label_type="classification")
        return generate(sheet=Sheet.objects.get(), template=template, actor="omar"), server


def test_only_items_without_a_label_are_asked_for(generated: tuple[TrainingSheet, ChatServer]) -> None:
    sheet, server = generated
    assert (sheet.statistics["canonical"], sheet.statistics["generated"], sheet.statistics["failed"]) == (10, 39, 1)
    assert {body["model"] for body in server.requests} == {"tiny"}
    assert sheet.generation_config["model"] == "tiny"


def test_a_withdrawn_item_is_asked_of_no_model(lakehouse: Path, settings: Settings, omar: User) -> None:
    load("pcb_defects")
    sheet, client = Sheet.objects.get(), APIClient()
    client.force_authenticate(omar)
    (ref,) = [item.ref for item in iter_items(sheet) if item.ref.startswith("pcb_009")]
    withdrawn = {"sheet": sheet.pk, "item_ref": ref, "reason": "The customer asked"}
    assert client.post("/api/v1/governance/withdraw", withdrawn).status_code == 200
    template = PromptTemplate.objects.get(label_type="classification")
    with chat_server(behave) as server:
        settings.LLM_URL, settings.LLM_MODEL = server.url, "tiny"
        made = client.post("/api/v1/training-sheets/generate", {"sheet_id": sheet.pk, "template_id": template.pk})
    assert (made.status_code, made.json()["statistics"]["failed"]) == (201, 2)
    assert not [body for body in server.requests if "-009 " in question(body)]
    pair = QAPair.objects.get(item_ref=ref)
    assert (pair.error, assistant_answer(pair.messages)) == ("item withdrawn: The customer asked", "")


def test_answers_are_canonical_and_wait_for_review(generated: tuple[TrainingSheet, ChatServer]) -> None:
    pair = QAPair.objects.filter(labeling_mode="ai_generated", error="", misfits__len=0)[0]
    assert (pair.status, pair.model, pair.ai_confidence) == ("unlabeled", "tiny", None)
    assert assistant_answer(pair.messages) == json.dumps(json.loads(GOOD), sort_keys=True, separators=(",", ":"))


def test_a_misfit_is_kept_and_marked(generated: tuple[TrainingSheet, ChatServer]) -> None:
    pair = QAPair.objects.get(item_ref__startswith="pcb_009")
    assert assistant_answer(pair.messages) == '{"defect_type":"burnt"}'
    assert any("burnt" in misfit for misfit in pair.misfits)


def test_a_failed_item_keeps_its_error(generated: tuple[TrainingSheet, ChatServer]) -> None:
    pair = QAPair.objects.get(item_ref__startswith="pcb_007")
    assert (pair.status, "answered 400: too long" in pair.error) == ("unlabeled", True)


def test_a_model_that_is_gone_is_named(generated: tuple[TrainingSheet, ChatServer], settings: Settings) -> None:
    settings.LLM_URL = ""
    with pytest.raises(Conflict, match="'tiny' is not set up any more"):
        resume(generated[0])


def boards_classified() -> dict[str, str]:
    """Load the boards and return what to generate of them by the API."""
    load("pcb_defects")
    template = PromptTemplate.objects.get(label_type="classification")
    return {"sheet_id": Sheet.objects.get().pk, "template_id": template.pk}


@pytest.mark.usefixtures("beats_in_vain")
def test_what_failed_in_a_request_can_be_retried_alone(
    lakehouse: Path, settings: Settings, api: APIClient, omar: User
) -> None:
    asked = boards_classified()
    with chat_server(behave) as server:
        settings.LLM_URL, settings.LLM_MODEL = server.url, "tiny"
        made = api.post("/api/v1/training-sheets/generate", asked).json()
        server.behaviour, before = lambda *_: says(GOOD), len(server.requests)
        assert api.post(f"/api/v1/jobs/{made['job_id']}/retry").json()["failed"] == 0
        run(made["job_id"])
        assert [question(body)[:15] for body in server.requests[before:]] == ["Board 7719-007 "]
    assert TrainingSheet.objects.get().statistics["failed"] == 0


@pytest.mark.usefixtures("beats_in_vain")
def test_what_ended_a_request_is_told_and_its_job_can_be_resumed(
    lakehouse: Path, settings: Settings, api: APIClient, omar: User
) -> None:
    asked = boards_classified()
    with chat_server(lambda *_: (401, {}, b"no key")) as server:
        settings.LLM_URL, settings.LLM_MODEL = server.url, "tiny"
        told = api.post("/api/v1/training-sheets/generate", asked)
        assert (told.status_code, "401: no key" in told.json()["error"]["message"]) == (502, True)
        (job,) = api.get("/api/v1/jobs").json()["results"]
        assert (job["status"], "401: no key" in job["error"]) == ("failed", True)
        server.behaviour = lambda *_: says(GOOD)
        assert api.post(f"/api/v1/jobs/{job['id']}/resume").status_code == 200
        run(job["id"])
    assert (TrainingSheet.objects.get().status, QAPair.objects.count()) == ("review", 50)
