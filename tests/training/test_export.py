"""What leaves: both gates, the strict chat rules, the same bytes everywhere, and a row that says so."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel
from tests.closing import close
from tests.conftest import Stage
from tests.heads import head
from tests.seeded import drafted
from training.chat import validate_file
from training.models import Export, ExportPart, QAPair, TrainingSheet

EXPORT = "/api/v1/training-sheets/{}/export/jsonl"
HEADERS = ("Content-Type", "Content-Disposition", "X-Content-Type-Options")


@pytest.fixture
def invoices(stage: Stage) -> TrainingSheet:
    stage(drafted, "medical_invoices")
    return TrainingSheet.objects.get()


def downloaded(api: APIClient, sheet: TrainingSheet, **params: str) -> Any:
    return api.get(EXPORT.format(sheet.pk), params)


def test_endpoint_and_command_give_the_same_bytes(invoices: TrainingSheet, api: APIClient, tmp_path: Path) -> None:
    response = downloaded(api, invoices)
    body = b"".join(response.streaming_content)
    call_command(
        "export_jsonl", invoices.pk, "--out", str(tmp_path / "out.jsonl"), stdout=io.StringIO(), stderr=io.StringIO()
    )
    assert (tmp_path / "out.jsonl").read_bytes() == body
    assert response["Content-Type"] == "application/jsonl"
    assert response["Content-Disposition"] == f"attachment; filename=training_sheet_{invoices.pk}.jsonl"
    rows = Export.objects.order_by("id").values_list("sha256", "exported_pairs", "channel", "created_by", "is_complete")
    digest = hashlib.sha256(body).hexdigest()
    assert [row[:3] for row in rows] == [(digest, 5, "api"), (digest, 5, "command")]
    assert all(row[4] for row in rows)


def test_every_line_obeys_the_rules_and_the_order_of_items(invoices: TrainingSheet, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    call_command("export_jsonl", invoices.pk, "--out", str(out), stdout=io.StringIO(), stderr=io.StringIO())
    assert validate_file(out).ok
    answers = [json.loads(json.loads(line)["messages"][-1]["content"]) for line in out.read_text().splitlines()]
    labels = CanonicalLabel.objects.filter(prohibited_uses__len=0).order_by("item_ref")
    assert answers == [label.label_data for label in labels]


def test_the_summary_puts_every_pair_in_exactly_one_bucket(invoices: TrainingSheet, api: APIClient) -> None:
    summary = api.get(f"/api/v1/training-sheets/{invoices.pk}/export/summary").json()
    assert (summary["total"], summary["exported"], summary["excluded"]) == (30, 5, 25)
    assert [entry["words"] for entry in summary["exclusions"]] == [
        "22 pairs: unlabeled: waiting for review",
        "3 pairs: training prohibited: Contains PHI - HIPAA",
    ]
    assert [(entry["rule"], entry["source"]) for entry in summary["exclusions"]] == [
        ("quality", "status"),
        ("governance", "canonical label"),
    ]
    assert not Export.objects.exists()


def test_a_use_that_the_labels_allow_exports_them(invoices: TrainingSheet, api: APIClient) -> None:
    summary = api.get(f"/api/v1/training-sheets/{invoices.pk}/export/summary", {"use": "few_shot"}).json()
    assert summary["exported"] == 8


def test_a_label_restricted_after_generation_stops_the_export(invoices: TrainingSheet, api: APIClient) -> None:
    CanonicalLabel.objects.update(prohibited_uses=["training"], usage_reason="Client NDA")
    response = downloaded(api, invoices)
    assert response.status_code == 409
    assert "8 pairs: training prohibited" in response.json()["error"]["message"]
    assert not Export.objects.exists()


def test_an_approved_pair_without_an_answer_stays(invoices: TrainingSheet, api: APIClient) -> None:
    pair = QAPair.objects.filter(status="unlabeled")[0]
    empty = [*pair.messages[:-1], {"role": "assistant", "content": " "}]
    QAPair.objects.filter(pk=pair.pk).update(status="labeled", messages=empty)
    summary = api.get(f"/api/v1/training-sheets/{invoices.pk}/export/summary").json()
    assert [entry["words"] for entry in summary["exclusions"] if entry["source"] == "answer"] == [
        "1 pair: empty answer"
    ]


def test_a_reader_that_goes_away_leaves_a_row_that_says_so(invoices: TrainingSheet, api: APIClient) -> None:
    response = downloaded(api, invoices)
    next(iter(response.streaming_content))
    close(response)
    assert [export.is_complete for export in Export.objects.all()] == [False]


@pytest.mark.parametrize("form", ["chat", "parquet"])
def test_asking_for_the_head_alone_takes_nothing(invoices: TrainingSheet, api: APIClient, form: str) -> None:
    answer, body = head(api, EXPORT.format(invoices.pk), {"format": form, "split": "train", "stratify_by": "$"})
    assert (answer.status_code, body, Export.objects.count(), ExportPart.objects.count()) == (200, b"", 0, 0)
    assert not UsageConstraintAudit.objects.filter(kind="export").exists()
    # Nor is the split fixed.
    asked = downloaded(api, invoices, format=form, split="train", validation_percent="50")
    assert asked.status_code == 200 and b"".join(asked.streaming_content)
    assert {name: answer[name] for name in HEADERS} == {name: asked[name] for name in HEADERS}
    QAPair.objects.update(status="rejected")
    refused, body = head(api, EXPORT.format(invoices.pk))
    assert refused.status_code == 409 and b"30 pairs: rejected" in body


def test_a_failed_export_leaves_the_old_file(invoices: TrainingSheet, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("old")
    QAPair.objects.update(status="rejected")
    with pytest.raises(CommandError, match="Nothing to export for training: 30 pairs: rejected"):
        call_command("export_jsonl", invoices.pk, "--out", str(out))
    assert out.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["out.jsonl"]


def test_unknown_uses_sheets_and_states_are_refused_in_words(invoices: TrainingSheet, api: APIClient) -> None:
    assert downloaded(api, invoices, use="trainin").status_code == 400
    with pytest.raises(CommandError, match="There is no training sheet 'nope'"):
        call_command("export_jsonl", "nope", "--out", "x")
    TrainingSheet.objects.update(status="generating")
    assert "generate --resume" in downloaded(api, invoices).json()["error"]["message"]


@pytest.mark.parametrize(
    ("option", "value"), [("split", "left"), ("format", "tar"), ("usee", "testing"), ("profile", "x")]
)
def test_an_option_that_is_not_known_exports_nothing(
    invoices: TrainingSheet, api: APIClient, option: str, value: str
) -> None:
    answer = downloaded(api, invoices, **{option: value})
    assert (answer.status_code, set(answer.json()["error"]["fields"])) == (400, {option})


def test_exports_are_listed_by_format(invoices: TrainingSheet, api: APIClient) -> None:
    b"".join(downloaded(api, invoices))
    assert len(api.get("/api/v1/exports", {"format": "chat"}).json()["results"]) == 1
    assert api.get("/api/v1/exports", {"format": "dpo"}).json()["results"] == []


def test_pairs_in_delta_are_those_of_the_api(invoices: TrainingSheet, api: APIClient, lakehouse: Path) -> None:
    stored = pl.read_delta(str(lakehouse / "mirion_vital/workbench/qa_pairs"))
    listed = api.get("/api/v1/qa-pairs", {"training_sheet": invoices.pk, "page_size": 100}).json()["results"]
    assert len(listed) == stored.height == 30
    assert [pair["item_ref"] for pair in listed] == stored.sort("position")["item_ref"].to_list()


def test_a_stranger_gets_nothing(invoices: TrainingSheet, nils: User) -> None:
    assert downloaded(APIClient(), invoices).status_code in (401, 403)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ("a text", "messages: found text"),
        ([1, 2], "messages[0]: found a number"),
        ([{"role": "user"}], "messages[0]: found the keys 'role'"),
        (
            [{"role": "user", "content": "?"}, {"role": "assistant", "content": 5}],
            "messages[1].content: found a number",
        ),
    ],
)
def test_a_malformed_pair_stays_and_the_others_leave(
    invoices: TrainingSheet, api: APIClient, messages: Any, words: str
) -> None:
    pair = QAPair.objects.filter(status="labeled").permitted("training")[0]
    QAPair.objects.filter(pk=pair.pk).update(messages=messages)
    left = [b"".join(downloaded(api, invoices).streaming_content)]
    truth: Any = api.get("/api/v1/ground-truth/export")
    left.append(b"".join(truth.streaming_content))
    assert [len(each.splitlines()) for each in left] == [4, 4]
    for export in Export.objects.all():
        ((count, reason),) = [(each["count"], each["reason"]) for each in export.exclusions if each["rule"] == "chat"]
        assert count == 1 and reason.startswith(f"not a valid chat line: {words}")
