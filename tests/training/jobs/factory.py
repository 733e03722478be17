"""Makes a site in a process of its own: a sheet of many boards, a template, Rosa; then starts workers by fork, quickly.

A line on standard input is a request: `submit`, `export`, or `run ID`. The answer is a line: the job's id, behind that of an
export the ids of training sheet and export, or the worker's pid.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django

django.setup()

import pyarrow as pa
from deltalake import write_deltalake
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from tests.tokens import known_token
from training import exporting, pipeline
from training.actions import generate
from training.actions.jobs import submit
from training.actions.kept_exports import start_export
from training.chunks import pair_id
from training.exports import manifest
from training.exports.options import Options
from training.models import QAPair
from training.tasks import run_job

# Commits often, so that many are written between two kills.
pipeline.WRITE_EVERY, pipeline.MOST_WRITTEN = 0.05, 100
exporting.WINDOW = exporting.FIRST = exporting.BLOCK = 1_000
manifest.Manifest.flush.__defaults__ = (1,)
SOURCE = "mirion_vital/samples/boards"
SCHEMA = {"type": "object", "properties": {"defect": {"type": "string"}}, "required": ["defect"]}


def make(items: int) -> None:
    for alias in ("default", "lakehouse"):
        call_command("migrate", database=alias, verbosity=0)
    rosa = User.objects.create_superuser("rosa", password="rosa's password")
    known_token(rosa, "rosa")
    refs = [f"board-{number:05}" for number in range(items)]
    write_deltalake(settings.VAR_DIR / "lakehouse" / SOURCE, pa.table({"board": refs}))
    Sheet.objects.create(
        name="Boards",
        primary_table=SOURCE.replace("/", "."),
        join_keys=["board"],
        item_ref_column="board",
        created_by="omar",
    )
    PromptTemplate.objects.create(
        name="Defects",
        status="published",
        label_type="classification",
        user_prompt_template="Look at {{ board }}.",
        input_schema=[{"name": "board", "type": "string"}],
        output_schema=SCHEMA,
        created_by="omar",
    )


def submitted() -> None:
    training_sheet, items = generate.begin(
        sheet=Sheet.objects.get(), template=PromptTemplate.objects.get(), actor="omar"
    )
    print(submit(training_sheet, items, actor="omar", elsewhere=False).pk, flush=True)


def exported() -> None:
    """Approve a pair for every board, and leave the export of all to a job."""
    training_sheet, items = generate.begin(
        sheet=Sheet.objects.get(), template=PromptTemplate.objects.get(), actor="omar"
    )
    now = timezone.now()
    QAPair.objects.bulk_create(
        QAPair(
            id=pair_id(training_sheet.pk, f"board-{number:05}"),
            training_sheet=training_sheet, item_ref=f"board-{number:05}", position=number, status="labeled",
            labeling_mode="manual", created_at=now, updated_at=now,
            messages=[
                {"role": "user", "content": f"Look at board-{number:05}."},
                {"role": "assistant", "content": '{"defect": "scratch"}'},
            ],
        )
        for number in range(items)
    )  # fmt: skip
    training_sheet.status = "review"
    training_sheet.save(update_fields=["status"])
    settings.EXPORT_JOB_PAIRS = 0
    _, run = start_export(training_sheet, Options(), actor="omar", channel="api")
    assert run
    print(run.pk, training_sheet.pk, run.asked["export_id"], flush=True)


def forked(work: Callable[..., object], *given: Any) -> int:
    """Do the work in a child: the engine of the lakehouse cannot go on in the child of a process that used it."""
    if not (child := os.fork()):
        try:
            work(*given)
            os._exit(0)
        finally:
            os._exit(1)
    return child


if __name__ == "__main__":
    os.waitpid(forked(make, int(sys.argv[1])), 0)
    # Children that ended leave nothing behind, so that a signal to them tells whether they are there.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for line in sys.stdin:
        match line.split():
            case ["submit"]:
                forked(submitted)
            case ["export"]:
                forked(exported)
            case ["run", job]:
                print(forked(run_job, job), flush=True)
