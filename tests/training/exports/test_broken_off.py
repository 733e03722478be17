"""A download that broke off is told apart from a whole one, and a job hears its wishes from the first pair on."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from tests.closing import close
from tests.training.exports.conftest import Write
from tests.training.exports.test_kept import start
from tests.training.exports.test_manifest import verify
from training.actions.export import manifest_path, open_export, shared
from training.exports.manifest import text_of
from training.jobs.work import run
from training.models import Export, TrainingSheet

pytestmark = pytest.mark.usefixtures("beats_in_vain")


@pytest.fixture
def broken_off(boards: TrainingSheet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a reader has of a download that it broke off, and the manifest of it."""
    monkeypatch.setattr("training.exports.run.LINES", 4)
    monkeypatch.setattr("training.actions.export.MOST_WAITING_BYTES", 1)
    stream, file = iter(open_export(boards, actor="rosa", channel="api")), tmp_path / "broken.jsonl"
    file.write_bytes(next(stream))
    stream.close()  # type: ignore[attr-defined]  # a generator
    manifest_path(file).write_bytes(b"".join(text_of(Export.objects.get().pk)))
    return file


def test_a_download_that_broke_off_says_so(broken_off: Path, boards: TrainingSheet, admin: Client) -> None:
    row = Export.objects.get()
    assert (row.is_complete, row.total_pairs, row.exported_pairs + row.excluded_pairs) == (False, 50, 50)
    (unread,) = [each for each in row.exclusions if each["rule"] == "download"]
    assert unread["reason"] == "not read: the download was broken off before" and row.exported_pairs < 10
    page = admin.get(reverse("admin:training_trainingsheet_export", args=[boards.pk])).content.decode()
    assert ">broken off</span>" in page


def test_its_file_is_no_whole_export(broken_off: Path) -> None:
    code, told = verify(broken_off)
    assert code == 1 and "each as it was exported" in told
    assert "the export was broken off: pairs that could leave are not in it" in told
    assert "is the beginning of an export that was broken off: export anew" in told


def test_a_manifest_may_come_by_a_pipe(boards: TrainingSheet, write: Write, tmp_path: Path) -> None:
    file, pipe, told = write(boards), tmp_path / "pipe", io.StringIO()
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(pipe.write_bytes, manifest_path(file).read_bytes())
        call_command("verify_export", file, manifest=pipe, stdout=told, stderr=told)
    assert "all 10 pairs stand as they left" in told.getvalue()


def test_a_job_is_heard_while_a_trainers_limits_are_asked(
    boards: TrainingSheet, api: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EXPORT_JOB_PAIRS = 10
    monkeypatch.setattr("training.actions.export.OpenExport.pieces", None)

    class Cancelled:
        def progress(self, _now: Any) -> None: ...

        def stop(self) -> str:
            return "cancel"

    key = start(api, boards, profile="trl").json()["job_id"]
    job = run(key, also=Cancelled())
    assert job is not None and job.status == "cancelled", job
    assert "export_id" not in api.get(f"/api/v1/jobs/{key}").json()["result"]


def test_each_pair_is_told_once_however_often_it_is_read() -> None:
    told: list[int] = []
    between = shared(told.append, 2)
    for read in (5, 5, 3, 7):
        between(read)
    assert (told, sum(told)) == ([2, 3, 1, 4], 10)


def test_the_page_keeps_what_was_not_refused(boards: TrainingSheet, admin: Client) -> None:
    asked = {"format": "csv", "profile": "openai", "split": "train"}
    answer = admin.get(reverse("admin:training_trainingsheet_export", args=[boards.pk]), asked)
    assert answer.status_code == 400 and "OpenAI fine-tuning reads chat" in answer.content.decode()
    options = answer.context["options"]
    assert (options.format, options.profile, options.split) == ("chat", "openai", "train")
    close(answer)
