"""What is sensitive in the seed data is found, with evidence that does not show it; what is not is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from tests.conftest import Stage
from tests.seeded import drafted
from training.actions.findings import find
from training.actions.jobs import submit
from training.jobs.work import run
from training.models import Finding, JobRun, QAPair, TrainingSheet
from workbench.problems import Conflict
from workbench.router import LAKEHOUSE

pytestmark = pytest.mark.usefixtures("beats_in_vain")


@pytest.fixture
def invoices(stage: Stage) -> TrainingSheet:
    stage(drafted, "medical_invoices")
    return TrainingSheet.objects.get()


def test_invoices_have_people_numbers_and_phones(invoices: TrainingSheet) -> None:
    find(invoices, actor="omar")
    there = {
        place: set(Finding.objects.filter(place=place).values_list("kind", flat=True))
        for place in ("item.extracted_text", "item.provider_npi", "item.uploaded_by")
    }
    assert there["item.extracted_text"] == {"npi", "phone", "name", "birth_date", "member_id"}
    assert there["item.provider_npi"] == {"npi"} and there["item.uploaded_by"] == {"email"}
    pairs = {pair.pk: pair for pair in QAPair.objects.of(invoices.pk)}
    for found in Finding.objects.filter(place="messages[1]", kind="name"):
        value = pairs[found.qa_pair_id].messages[1]["content"][found.start : found.end]
        assert value.istitle() and value not in found.excerpt
    assert Finding.objects.filter(place__startswith="file.").exists()


def test_boards_have_none(stage: Stage) -> None:
    stage(drafted, "pcb_defects")
    find(TrainingSheet.objects.get(), actor="omar")
    assert list(Finding.objects.values_list("place", "kind", "excerpt")) == []


def test_a_job_finds_the_same_and_goes_on_where_it_was(invoices: TrainingSheet, settings: Any) -> None:
    find(invoices, actor="omar")
    known = set(Finding.objects.values_list("pk", flat=True))
    settings.FINDINGS_JOB_PAIRS = 5
    job = find(invoices, actor="omar")
    assert job is not None
    done = run(job.pk)
    assert done is not None and (done.status, done.done) == ("succeeded", 30)
    assert set(Finding.objects.values_list("pk", flat=True)) == known


def test_a_finding_is_dismissed_with_a_reason_for_good(invoices: TrainingSheet, api: APIClient) -> None:
    api.post(f"/api/v1/training-sheets/{invoices.pk}/findings")
    (one, *_) = api.get("/api/v1/findings", {"kind": "email", "standing": True}).json()["results"]
    url = f"/api/v1/findings/{one['id']}/dismiss"
    assert api.post(url, {"reason": " "}).status_code == 400
    assert api.post(url, {"reason": "An address of ours"}).json()["dismissed_by"] == "rosa"
    assert api.post(url, {"reason": "again"}).status_code == 409
    find(invoices, actor="omar")
    assert Finding.objects.get(pk=one["id"]).dismissed_reason == "An address of ours"
    listed = api.get("/api/v1/qa-pairs", {"training_sheet": invoices.pk, "finding": "email"}).json()["results"]
    assert one["qa_pair_id"] not in [pair["id"] for pair in listed] and len(listed) == 29
    assert api.get("/api/v1/qa-pairs", {"finding": "emial"}).status_code == 400


def test_the_list_asks_as_often_whatever_its_length(
    invoices: TrainingSheet, api: APIClient, django_assert_num_queries: Any
) -> None:
    find(invoices, actor="omar")
    with django_assert_num_queries(1, using=LAKEHOUSE):
        api.get("/api/v1/findings")


def request_body(invoices: TrainingSheet) -> dict[str, Any]:
    return {"sheet_id": invoices.sheet_id, "template_id": invoices.template_id, "labeling_mode": "manual"}


def test_what_a_request_generates_is_looked_at(invoices: TrainingSheet, api: APIClient, settings: Any) -> None:
    asked = api.post("/api/v1/training-sheets/generate", request_body(invoices)).json()
    assert not Finding.objects.exists()
    settings.FINDINGS = "generation"
    made = api.post("/api/v1/training-sheets/generate", request_body(invoices))
    assert made.status_code == 201
    found = api.get("/api/v1/findings", {"training_sheet": made.json()["id"], "kind": "npi"}).json()["results"]
    assert {"item.provider_npi", "messages[1]"} <= {each["place"] for each in found}
    assert not Finding.objects.filter(training_sheet=asked["id"]).exists()
    assert not JobRun.objects.filter(job_type="find_sensitive").exists()


def test_many_are_looked_at_by_a_job_of_their_own(invoices: TrainingSheet, settings: Any) -> None:
    settings.FINDINGS, settings.FINDINGS_JOB_PAIRS = "generation", 5
    run(submit(invoices, 30, actor="omar").pk)
    job = JobRun.objects.get(job_type="find_sensitive")
    assert job.created_by == "omar" and not Finding.objects.exists()
    run(job.pk)
    assert Finding.objects.exists()


def test_a_sheet_that_cannot_be_read_any_more_spoils_no_generation(
    invoices: TrainingSheet, api: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FINDINGS = "generation"

    def gone(*_: Any) -> None:
        raise Conflict("The table is gone.")

    monkeypatch.setattr("training.actions.findings.look", gone)
    made = api.post("/api/v1/training-sheets/generate", request_body(invoices)).json()
    assert (made["status"], made["total_pairs"]) == ("review", 30)


def test_pages_say_in_words_where_it_stands(invoices: TrainingSheet, client: Client, omar: User) -> None:
    find(invoices, actor="omar")
    client.force_login(omar)
    guard = client.get(f"/admin/training/trainingsheet/{invoices.pk}/guard/").content.decode()
    listed = client.get("/admin/training/finding/").content.decode()
    assert "<td>column uploaded_by</td>" in guard and "<td>message 2</td>" in guard
    assert "answer: patient_name" in listed
    assert [raw for raw in ("item.uploaded_by<", "messages[1]", "answer.patient_name<") if raw in guard + listed] == []
    sheet = client.get(f"/admin/sheets/sheet/{invoices.sheet_id}/sensitive/").content.decode()
    assert "<b>uploaded_by</b>" in sheet and "e-mail address in 30 of 30 values" in sheet
    assert "Tag uploaded_by as PII" in sheet
