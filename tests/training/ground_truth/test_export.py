"""Ground truth: the shape of a line, the filters, both gates, and the same bytes by API and command."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel
from tests.heads import head
from tests.training.ground_truth.conftest import Download, did, pairs_to_review
from training.models import Export, QAPair, ReviewEvent, TrainingSheet
from training.review.applying import waiting
from workbench.router import LAKEHOUSE

FIELDS = [
    "job_id", "filename", "source_kind", "approved", "reviewed_by", "reviewed_at", "created_at", "initial_result",
    "final_result", "corrections", "review_flags", "confidence", "training_sheet_id", "updated_at",
]  # fmt: skip


def lines(body: bytes) -> dict[str, dict[str, Any]]:
    return {line["job_id"]: line for line in map(json.loads, body.splitlines())}


def exported(out: Path, *options: str) -> tuple[bytes, str, str]:
    said, digest = io.StringIO(), io.StringIO()
    call_command("export_ground_truth", "--out", str(out), *options, stdout=digest, stderr=said)
    return out.read_bytes(), digest.getvalue().strip(), said.getvalue()


def test_endpoint_and_command_give_the_same_bytes(
    reviewed: dict[str, QAPair], download: Download, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = download()
    written, digest, said = exported(out)
    assert (body, digest) == (written, hashlib.sha256(body).hexdigest())
    assert "80 of 80 pairs, 100%" in capsys.readouterr().err
    assert "18 of 80 pairs exported" in said and "excluded 3 pairs: training prohibited: Contains PHI - HIPAA" in said


@pytest.mark.parametrize("given", ["pk", "name"])
@pytest.mark.usefixtures("reviewed")
def test_of_one_sheet_or_training_sheet_they_are_the_same_too(
    boards: TrainingSheet, download: Download, out: Path, given: str
) -> None:
    for option, row in (("sheet", boards.sheet), ("training_sheet", boards)):
        written, _, said = exported(out, f"--{option.replace('_', '-')}", getattr(row, given))
        assert written == download(**{option: row.pk}) and "13 of 50 pairs exported" in said, option


@pytest.mark.usefixtures("reviewed")
def test_asking_for_the_head_alone_takes_nothing(api: APIClient) -> None:
    answer, body = head(api, "/api/v1/ground-truth/export", {"has_corrections": "true"})
    assert (answer.status_code, answer["Content-Type"], body) == (200, "application/jsonl", b"")
    assert answer["Content-Disposition"] == "attachment; filename=ground_truth.jsonl"
    assert not Export.objects.exists() and not UsageConstraintAudit.objects.filter(kind="export").exists()
    refused, body = head(api, "/api/v1/ground-truth/export", {"since": "2999-01-01T00:00:00Z"})
    assert refused.status_code == 409 and b"no pair fits the filters" in body


def test_each_training_sheet_has_a_row_with_its_part(reviewed: dict[str, QAPair], download: Download) -> None:
    body = download()
    rows = {row.training_sheet_id: row for row in Export.objects.filter(format="ground_truth")}
    assert len(rows) == 2
    for key, row in rows.items():
        part = b"".join(line + b"\n" for line in body.splitlines() if key.encode() in line)
        assert (row.sha256, row.size_bytes) == (hashlib.sha256(part).hexdigest(), len(part))
        assert (row.exported_pairs, row.channel, row.is_complete) == (part.count(b"\n"), "api", True)


def test_a_corrected_pair_has_its_first_answer_its_corrections_and_its_last(
    reviewed: dict[str, QAPair], download: Download
) -> None:
    line = lines(download())[reviewed["corrected"].pk]
    draft = json.loads(reviewed["corrected"].messages[-1]["content"])
    assert list(line) == FIELDS
    assert line["initial_result"] == draft
    assert line["final_result"] == {"defect_type": "scratch", "severity": "minor", "location": "top_right_quadrant"}
    last = line["corrections"][-1]
    assert (last["field_path"], last["old_value"], last["new_value"]) == (
        "location",
        "top_left_quadrant",
        "top_right_quadrant",
    )
    assert (last["corrected_by"], last["reason"]) == ("rosa", "It is at top_right_quadrant")
    assert last["corrected_at"].endswith("Z") and line["updated_at"] == last["corrected_at"]
    assert (line["approved"], line["reviewed_by"], line["source_kind"]) == (True, "rosa", "ai_generated")
    assert line["filename"] == reviewed["corrected"].item_ref and 0 <= line["confidence"] <= 1


def test_what_was_taken_back_is_no_correction(reviewed: dict[str, QAPair], download: Download) -> None:
    line = lines(download())[reviewed["taken_back"].pk]
    assert line["corrections"] == [] and line["initial_result"] == line["final_result"]


def test_filters_choose_hard_examples_those_right_at_once_and_all_reviewed(
    reviewed: dict[str, QAPair], download: Download, boards: TrainingSheet, api: APIClient
) -> None:
    assert set(lines(download(has_corrections="true"))) == {reviewed["corrected"].pk}
    right = lines(download(has_corrections="false"))
    assert set(right) == {reviewed[name].pk for name in ("approved", "taken_back")}
    every = lines(download(approved_only="false", training_sheet=boards.pk))
    assert len(every) == 15 and reviewed["untouched"].pk not in every
    assert every[reviewed["rejected"].pk]["review_flags"] == ["rejected"]
    assert every[reviewed["reopened"].pk]["approved"] is False
    assert every[reviewed["reopened"].pk]["review_flags"] == ["reopened"]
    assert len(lines(download(sheet=boards.sheet_id))) == 13
    other = TrainingSheet.objects.exclude(pk=boards.pk).get()
    assert len(lines(download(training_sheet=other.pk))) == 5


def test_what_was_undone_or_is_about_uses_alone_is_no_review(
    reviewed: dict[str, QAPair], boards: TrainingSheet, download: Download, api: APIClient
) -> None:
    undone, limited = [pair for pair in pairs_to_review(boards) if pair.pk != reviewed["untouched"].pk][-2:]
    did(undone, "edit", answer={"defect_type": "scratch", "severity": "major", "location": "none"})
    did(undone, "undo")
    changed = api.post(f"/api/v1/qa-pairs/{limited.pk}/uses", {"prohibit": ["testing"], "reason": "Client NDA"})
    assert changed.status_code == 200, changed.content
    asked = {"approved_only": "false", "training_sheet": boards.pk}
    every = lines(download(**asked))
    assert not {undone.pk, limited.pk} & set(every) and reviewed["reopened"].pk in every
    did(limited, "reject", reason="blurred")
    assert set(lines(download(**asked))) - set(every) == {limited.pk}


def test_the_gate_is_asked_for_the_use(reviewed: dict[str, QAPair], download: Download) -> None:
    CanonicalLabel.objects.update(prohibited_uses=["training"], usage_reason="Client NDA")
    refused = download()
    assert refused.status_code == 409
    assert "training prohibited: Client NDA" in refused.json()["error"]["message"]
    assert len(lines(download(use="evaluation"))) == 13 + 8
    assert not Export.objects.filter(use="training").exists()


def test_a_pair_whose_draft_failed_begins_with_null(reviewed: dict[str, QAPair], download: Download) -> None:
    pair = reviewed["untouched"]
    QAPair.objects.filter(pk=pair.pk).update(
        messages=[*pair.messages[:-1], {"role": "assistant", "content": ""}], error="no answer"
    )
    did(pair, "edit", answer={"defect_type": "none", "severity": "minor", "location": "none"})
    line = lines(download())[pair.pk]
    assert line["initial_result"] is None and line["corrections"][0]["old_value"] is None
    assert line["review_flags"] == ["failed"]


def test_a_history_with_a_gap_is_marked_and_invents_nothing(reviewed: dict[str, QAPair], download: Download) -> None:
    ReviewEvent.objects.filter(qa_pair=reviewed["corrected"], reason="It is at top_right_quadrant").delete()
    line = lines(download())[reviewed["corrected"].pk]
    assert line["initial_result"] is None and "history_gap" in line["review_flags"]


def test_decisions_that_wait_are_applied_first(reviewed: dict[str, QAPair], download: Download, settings: Any) -> None:
    settings.REVIEW_APPLY = "worker"
    did(reviewed["untouched"], "approve")
    assert waiting().actions == 1
    assert reviewed["untouched"].pk in lines(download())
    assert waiting().actions == 0


def test_nothing_to_export_and_options_that_are_none_are_said(
    reviewed: dict[str, QAPair], download: Download, out: Path
) -> None:
    assert "no pair fits the filters" in download(until="2001-01-01T00:00:00Z").json()["error"]["message"]
    assert download(aproved_only="false").json()["error"]["fields"].keys() == {"aproved_only"}
    assert download(since="2026-02-01", until="2026-01-01").status_code == 400
    assert download(training_sheet="nope").status_code == 400
    with pytest.raises(CommandError, match="no training sheet 'nope'"):
        exported(out, "--training-sheet", "nope")
    with pytest.raises(CommandError, match="since: "):
        exported(out, "--since", "yesterday")
    assert not out.exists()


def test_who_may_not_export_gets_nothing(lakehouse: Path, nils: User) -> None:
    client = APIClient()
    client.force_authenticate(nils)
    assert client.get("/api/v1/ground-truth/export").status_code == 403
    assert client.get("/api/v1/ground-truth/stats").status_code == 200


def test_an_export_takes_the_same_queries_whatever_the_number_of_pairs(
    reviewed: dict[str, QAPair], download: Download, boards: TrainingSheet
) -> None:
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        download(training_sheet=boards.pk)
    asked = [query["sql"] for query in queries if "held_out_items" not in query["sql"]]
    statements = [sql for sql in asked if "qa_pairs" in sql or "review_events" in sql]
    assert len(statements) == 3, statements  # windows, pairs, events


def test_what_left_and_what_was_refused_is_on_the_audit_and_the_timeline(
    reviewed: dict[str, QAPair], boards: TrainingSheet, download: Download, out: Path, api: APIClient
) -> None:
    download()
    exported(out)
    rows = UsageConstraintAudit.objects.filter(kind="export").exclude(reason__contains="begins")
    row = Export.objects.filter(training_sheet=boards)[0]
    told = rows.filter(subject=f"training sheet {boards.pk}", reason__contains=row.sha256)
    assert (rows.count(), told.count()) == (4, 2)
    told = api.get("/api/v1/governance/timeline", {"pair": reviewed["approved"].pk}).json()
    assert ("exported for training as ground_truth", "rosa") in [(each["words"], each["actor"]) for each in told]
    CanonicalLabel.objects.update(prohibited_uses=["testing"], usage_reason="Client NDA")
    assert download(use="testing", training_sheet=boards.pk).status_code == 409
    (refused,) = UsageConstraintAudit.objects.filter(kind="refusal")
    assert refused.subject == f"training sheet {boards.pk}" and "Client NDA" in refused.reason


def test_it_has_no_manifest_and_says_so(
    reviewed: dict[str, QAPair], boards: TrainingSheet, download: Download, api: APIClient, rosa: User, client: Client
) -> None:
    download(training_sheet=boards.pk)
    row = Export.objects.get()
    refused = api.get(f"/api/v1/exports/{row.pk}/manifest")
    assert refused.status_code == 404 and "has no manifest" in refused.json()["error"]["message"]
    client.force_login(rosa)
    manifest = reverse("admin:training_export_manifest", args=[row.pk])
    assert "has no manifest" in client.get(manifest, follow=True).text
    page = client.get(reverse("admin:training_export_change", args=[row.pk])).text
    assert manifest not in page and reverse("admin:training_export_download", args=[row.pk]) in page
