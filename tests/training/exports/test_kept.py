"""Exports that stay in the volume: at once or by a job, whole or not at all, fetched by a link that ends."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel
from sheets.restricting import restrict_sheet
from tests.closing import close
from tests.training.exports.conftest import Fetch
from training.exports.manifest import Manifest
from training.jobs.work import run
from training.models import Export, ExportPart, JobRun, LiveJob, QAPair, TrainingSheet

pytestmark = pytest.mark.usefixtures("beats_in_vain")


def start(api: APIClient, sheet: TrainingSheet, **options: Any) -> Any:
    return api.post(f"/api/v1/training-sheets/{sheet.pk}/exports", options, format="json")


def followed(url: str) -> Any:
    """Ask as somebody who is not signed in."""
    return APIClient().get(url.split("127.0.0.1:8000")[-1])


def files(lakehouse: Path) -> list[str]:
    return sorted(file.name for file in (lakehouse / "Volumes/mirion_vital/workbench/exports").iterdir())


def test_a_small_one_is_kept_at_once(boards: TrainingSheet, api: APIClient, fetch: Fetch, seeded: Path) -> None:
    answer = start(api, boards)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert files(seeded) == [f"{made['id']}.jsonl", f"{made['id']}.jsonl.manifest.json"]
    got = followed(made["link"]["url"])
    assert got["Content-Disposition"].endswith(f"training_sheet_{boards.pk}.jsonl")
    assert b"".join(got.streaming_content) == fetch(boards)


def test_a_link_ends_and_cannot_be_made_up(boards: TrainingSheet, api: APIClient, nils: User, settings: Any) -> None:
    made = start(api, boards).json()
    url = made["link"]["url"]
    assert followed(url[:-1] + ("A" if url[-1] != "A" else "B")).status_code == 403
    assert followed(url.split("?")[0]).status_code == 403
    settings.EXPORT_LINK_SECONDS = -1
    gone = followed(url)
    assert gone.status_code == 403 and "expired" in gone.json()["error"]["message"]
    other = APIClient()
    other.force_authenticate(nils)
    assert other.post(f"/api/v1/exports/{made['id']}/link").status_code == 403
    path = Export.objects.get().path
    assert other.get(f"/api/v1/files{path}").status_code == 403
    assert api.get(f"/api/v1/files{path}").status_code == 403


def test_no_link_to_what_was_withdrawn(boards: TrainingSheet, api: APIClient, fetch: Fetch) -> None:
    made = start(api, boards).json()
    assert api.post(f"/api/v1/exports/{made['id']}/link").status_code == 200
    CanonicalLabel.objects.update(prohibited_uses=["training"], usage_reason="Client NDA")
    refused = api.post(f"/api/v1/exports/{made['id']}/link")
    assert refused.status_code == 409 and "10 of the pairs" in refused.json()["error"]["message"]
    row = UsageConstraintAudit.objects.order_by("-sequence")[0]
    assert (row.kind, row.modified_by, "10 of the pairs" in row.reason) == ("refusal", "rosa", True)


def test_a_link_given_before_a_rule_opens_nothing_after_it(boards: TrainingSheet, api: APIClient) -> None:
    url = start(api, boards).json()["link"]["url"]
    CanonicalLabel.objects.update(prohibited_uses=["training"], usage_reason="Client NDA")
    refused = followed(url)
    assert refused.status_code == 409 and "Client NDA" in refused.json()["error"]["message"]
    row = UsageConstraintAudit.objects.order_by("-sequence")[0]
    assert (row.kind, row.modified_by, "Client NDA" in row.reason) == ("refusal", "rosa", True)


def test_each_download_is_a_row_of_the_audit(boards: TrainingSheet, api: APIClient) -> None:
    made = start(api, boards).json()
    rows = UsageConstraintAudit.objects.filter(reason__contains=f"Kept export {made['id']}")
    head = APIClient().head(made["link"]["url"])
    close(head)
    assert (int(head["Content-Length"]), rows.count()) == (made["size_bytes"], 0)
    for _ in range(2):
        assert b"".join(followed(made["link"]["url"]).streaming_content)
    assert [(each.kind, each.subject, each.modified_by) for each in rows] == [
        ("export", f"training sheet {boards.pk}", "rosa")
    ] * 2


def test_a_file_that_was_changed_in_the_volume_does_not_leave(
    boards: TrainingSheet, api: APIClient, seeded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = start(api, boards).json()
    file = seeded / f"Volumes/mirion_vital/workbench/exports/{made['id']}.jsonl"
    whole = file.read_bytes()

    def refused(status: int, words: str) -> None:
        answer = followed(made["link"]["url"])
        assert answer.status_code == status and words in answer.json()["error"]["message"]
        row = UsageConstraintAudit.objects.order_by("-sequence")[0]
        assert row.kind == "refusal" and words in row.reason

    file.write_bytes(whole.replace(b"none", b"NONE"))
    refused(409, "was changed since it was stored")
    with monkeypatch.context() as broken:
        broken.setattr("sheets.local_volume.LocalVolume.open", fails)
        refused(503, "Input/output error")
    file.unlink()
    refused(404, "is not there any more")
    gone = api.post(f"/api/v1/exports/{made['id']}/link")
    assert gone.status_code == 404 and "export again" in gone.json()["error"]["message"]


def fails(*_: Any) -> None:
    raise OSError(5, "Input/output error")


def test_a_link_ends_with_the_rights_of_who_asked_for_it(
    boards: TrainingSheet, api: APIClient, rosa: User, omar: User
) -> None:
    url = start(api, boards).json()["link"]["url"]
    for rights, status in (([{"user": "omar"}], 404), ([{"user": "rosa", "level": "read"}], 403)):
        restrict_sheet(boards.sheet, rights, actor="omar")
        assert followed(url).status_code == status
    restrict_sheet(boards.sheet, [], actor="omar")
    assert b"".join(followed(url).streaming_content)
    rosa.is_active = False
    rosa.save()
    gone = followed(url)
    assert gone.status_code == 403 and "may not export any more" in gone.json()["error"]["message"]


def test_a_large_one_is_a_job(boards: TrainingSheet, api: APIClient, fetch: Fetch, settings: Any, seeded: Path) -> None:
    settings.EXPORT_JOB_PAIRS = 10
    answer = start(api, boards, format="parquet")
    assert answer.status_code == 202 and answer["Location"].endswith(answer.json()["job_id"])
    job = run(answer.json()["job_id"])
    assert job is not None and (job.status, job.done, job.total) == ("succeeded", 50, 50), job.error
    record = api.get(answer["Location"]).json()
    assert (record["job_type"], record["result"]["export_id"]) == ("export", answer.json()["export_id"])
    boards.refresh_from_db()
    assert boards.status == "review"
    link = api.post(f"/api/v1/exports/{answer.json()['export_id']}/link").json()
    assert b"".join(followed(link["url"]).streaming_content) == fetch(boards, format="parquet")


def test_a_large_one_that_nothing_can_go_on_from_is_no_job(
    boards: TrainingSheet, api: APIClient, fetch: Fetch, settings: Any
) -> None:
    settings.EXPORT_JOB_PAIRS = 10
    assert start(api, boards, since="nope").status_code == 404
    fetch(boards, split="train", validation_percent=30)
    refused = start(api, boards, split="train", validation_percent=20)
    assert refused.status_code == 409 and "was split already" in refused.json()["error"]["message"]
    assert not JobRun.objects.exists()


@pytest.mark.parametrize("step", ["record", "write", "export_left", "_write_manifest"])
def test_broken_off_anywhere_the_same_job_makes_it_whole(
    boards: TrainingSheet, api: APIClient, fetch: Fetch, settings: Any, seeded: Path,
    monkeypatch: pytest.MonkeyPatch, step: str,
) -> None:  # fmt: skip
    settings.EXPORT_JOB_PAIRS = 10
    key = start(api, boards).json()["job_id"]

    def dies(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    where = {
        "record": "training.actions.export.OpenExport.record", "write": "sheets.local_volume.LocalVolume.write",
        "export_left": "training.actions.export.export_left",
    }  # fmt: skip
    with monkeypatch.context() as broken:
        broken.setattr(where.get(step, f"training.actions.kept_exports.{step}"), dies)
        with pytest.raises(KeyboardInterrupt):
            run(key)
    LiveJob.objects.filter(pk=key).update(token="", heartbeat_at=None)
    assert Export.objects.count() == (step in ("export_left", "_write_manifest"))
    job = run(key)
    assert job is not None and job.status == "succeeded", job
    (export,) = Export.objects.all()
    assert UsageConstraintAudit.objects.filter(kind="export", reason__contains=export.sha256).count() == 1
    assert files(seeded) == [f"{export.pk}.jsonl", f"{export.pk}.jsonl.manifest.json"]
    assert (seeded / f"Volumes/mirion_vital/workbench/exports/{export.pk}.jsonl").read_bytes() == fetch(boards)
    assert len(set(ExportPart.objects.filter(export_id=export.pk).values_list("number", flat=True))) == 3


@pytest.mark.parametrize("step", ["record", "write"])
def test_of_a_small_one_that_is_killed_no_file_is_left_without_a_row(
    boards: TrainingSheet, api: APIClient, seeded: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def dies(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    where = {
        "record": "training.actions.export.Export.objects.create",
        "write": "sheets.local_volume.LocalVolume.write",
    }
    with monkeypatch.context() as broken:
        broken.setattr(where[step], dies)
        with pytest.raises(KeyboardInterrupt):
            start(api, boards)
    assert files(seeded) == []
    told = UsageConstraintAudit.objects.filter(kind="export").count()
    assert (Export.objects.count(), told) == ((0, 0) if step == "record" else (1, 1))


@pytest.mark.parametrize("at", [1, 2])
def test_of_a_small_one_that_cannot_be_stored_nothing_left(
    boards: TrainingSheet, api: APIClient, seeded: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """The first write is the file's, the second its manifest's."""
    writes, real = itertools.count(1), shutil.copyfileobj

    def full(source: BinaryIO, target: BinaryIO) -> None:
        if next(writes) == at:
            target.write(source.read(10))
            raise OSError(28, "No space left on device")
        real(source, target)

    with monkeypatch.context() as broken:
        broken.setattr("sheets.local_volume.shutil.copyfileobj", full)
        refused = start(api, boards)
    assert refused.status_code == 503 and "/exports' cannot be written: No space" in refused.json()["error"]["message"]
    (row,) = Export.objects.all()
    assert (row.is_complete, row.path, files(seeded)) == (False, "", [])
    told = UsageConstraintAudit.objects.order_by("-sequence")[0]
    assert told.kind == "refusal" and f"the export {row.pk} was not kept" in told.reason
    assert api.post(f"/api/v1/exports/{row.pk}/link").status_code == 404
    assert start(api, boards).status_code == 201


def test_a_cancelled_one_leaves_the_training_sheet_alone(boards: TrainingSheet, api: APIClient, settings: Any) -> None:
    settings.EXPORT_JOB_PAIRS = 10
    key = start(api, boards).json()["job_id"]
    assert api.post(f"/api/v1/jobs/{key}/cancel").json()["status"] == "cancelled"
    boards.refresh_from_db()
    assert (boards.status, Export.objects.count(), run(key)) == ("review", 0, None)
    assert JobRun.objects.get().status == "cancelled"


@pytest.fixture
def parts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of the manifest is written at once, as of a training sheet with a hundred thousand pairs."""
    monkeypatch.setattr("training.exports.manifest.PART_LINES", 1)
    monkeypatch.setattr(Manifest.flush, "__defaults__", (1,))


def interrupted(_name: str) -> None:
    raise KeyboardInterrupt


def terminated(_name: str) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def full_disk(_name: str) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("failure", "code", "told"),
    [
        (full_disk, 1, "boards.jsonl' cannot be written: No space left on device. Make room"),
        (interrupted, 130, "Stopped by SIGINT before the end."),
        (terminated, 143, "Stopped by SIGTERM before the end."),
    ],
)
def test_a_file_that_is_not_written_to_its_end_left_nothing_that_a_recall_would_name(
    failure: Callable[[str], None],
    code: int,
    told: str,
    boards: TrainingSheet,
    tmp_path: Path,
    parts_at_once: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[int] = []

    def fail(name: str) -> None:
        kept.append(ExportPart.objects.count())
        assert Path(name).stat().st_mode & 0o777 == 0o600
        (begun,) = UsageConstraintAudit.objects.filter(subject=f"training sheet {boards.pk}", kind="export")
        assert "begins (command)" in begun.reason
        failure(name)

    monkeypatch.setattr("training.actions.export.validate_file", fail)
    with pytest.raises(CommandError) as stopped:
        call_command("export_jsonl", boards.pk, "--out", str(tmp_path / "boards.jsonl"))
    assert told in str(stopped.value) and stopped.value.returncode == code
    ended = UsageConstraintAudit.objects.order_by("-sequence")[0]
    assert ended.kind == "refusal" and "broken off before its file was there" in ended.reason
    assert kept[0] > 0
    assert not ExportPart.objects.exists() and not Export.objects.exists()
    assert not list(tmp_path.glob("*boards.jsonl*"))


def test_one_that_is_cancelled_under_way_left_nothing_that_a_recall_would_name(
    boards: TrainingSheet, api: APIClient, settings: Any, parts_at_once: None
) -> None:
    settings.EXPORT_JOB_PAIRS = 10
    kept: list[int] = []

    class Cancelled:
        def progress(self, _now: Any) -> None: ...

        def stop(self) -> str:
            kept.append(ExportPart.objects.count())
            return "cancel"

    job = run(start(api, boards).json()["job_id"], also=Cancelled())
    assert job is not None and (job.status, kept[0] > 0) == ("cancelled", True)
    assert not ExportPart.objects.exists() and not Export.objects.exists()
    item = QAPair.objects.of(boards.pk).filter(status="labeled")[0].item_ref
    found = api.get("/api/v1/governance/recall", {"sheet": boards.sheet_id, "item_ref": item}).json()
    assert found["exports"] == []


def test_nothing_to_export_fails_in_words(boards: TrainingSheet, api: APIClient, settings: Any) -> None:
    settings.EXPORT_JOB_PAIRS = 10
    CanonicalLabel.objects.update(prohibited_uses=["training"], usage_reason="Client NDA")
    job = run(start(api, boards).json()["job_id"])
    assert job is not None and job.status == "failed" and "Client NDA" in job.error


def test_a_streamed_one_has_no_link(boards: TrainingSheet, api: APIClient, fetch: Fetch) -> None:
    fetch(boards)
    answer = api.post(f"/api/v1/exports/{Export.objects.get().pk}/link")
    assert answer.status_code == 404 and "was streamed" in answer.json()["error"]["message"]
