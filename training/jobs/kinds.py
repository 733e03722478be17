"""What a job does, by its kind, and what its end means beside the job itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError

from training.actions.findings import FIND, find_in_generated
from training.actions.generate import resume, retry_failed
from training.actions.jobs import GENERATE, leave_unfinished
from training.actions.kept_exports import EXPORT, make, options_of
from training.findings.looking import look
from training.jobs.watching import first_errors
from training.models import Export, Finding, JobRun, LiveJob, TrainingSheet
from training.review.queue import fill
from training.watch import Progress, Stopped, Watch

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """One kind: `begin` before the work, `work` itself, the job's columns when it is `finished`, and its `result`."""

    begin: Callable[[JobRun], None]
    work: Callable[[JobRun, LiveJob, Watch], None]
    finished: Callable[[JobRun, LiveJob], dict[str, Any]]
    cancelled: Callable[[JobRun], None]
    result: Callable[[JobRun], dict[str, Any]]


def _begin_generation(run: JobRun) -> None:
    training_sheet = _sheet(run)
    is_new = (training_sheet.status, training_sheet.error) == (TrainingSheet.Status.GENERATING, "")
    if training_sheet.status != TrainingSheet.Status.TRAINED and not is_new:
        training_sheet.status, training_sheet.error = TrainingSheet.Status.GENERATING, ""
        training_sheet.save(update_fields=["status", "error"])


def _generate(run: JobRun, job: LiveJob, watch: Watch) -> None:
    if job.retry_failed:
        retry_failed(_sheet(run), watch=watch)
    else:
        resume(_sheet(run), watch=watch, reads=run.asked.get("reads", ""))


def _generated(run: JobRun, _job: LiveJob) -> dict[str, Any]:
    training_sheet = _sheet(run)
    find_in_generated(training_sheet, actor=run.created_by)
    _look_ahead(training_sheet)
    counted = training_sheet.statistics
    errors = first_errors(training_sheet.pk) if counted["failed"] else []
    return {
        "done": counted["items"],
        "total": counted["items"],
        "failed": counted["failed"],
        "retry_failed": False,
        "errors": errors,
    }


def _look_ahead(training_sheet: TrainingSheet) -> None:
    """Have the first pairs to review ready for who opens the review first."""
    try:
        fill(training_sheet.pk)
    except (DatabaseError, OSError):
        log.warning(
            "The first pairs of training sheet %s are fetched when asked for.", training_sheet.pk, exc_info=True
        )


def _generation_result(run: JobRun) -> dict[str, Any]:
    training_sheet = _sheet(run)
    model = training_sheet.generation_config.get("model", "")
    return {"statistics": training_sheet.statistics, "model": model}


def _export(run: JobRun, job: LiveJob, watch: Watch) -> None:
    """Make the file from the first pair on: what an earlier attempt left is not visible to anybody."""
    done = 0

    def between(read: int) -> None:
        nonlocal done
        done += read
        watch.progress(Progress(min(done, job.total), job.total))
        if reason := watch.stop():
            raise Stopped(reason)

    given = {"channel": run.asked["channel"], "export_id": run.asked["export_id"]}
    make(_sheet(run), options_of(run.asked), actor=run.created_by, between=between, **given)


def _find(run: JobRun, job: LiveJob, watch: Watch) -> None:
    """Go on after the pairs that an earlier attempt looked at."""

    def between(done: int) -> None:
        watch.progress(Progress(min(done, job.total), job.total))
        if reason := watch.stop():
            raise Stopped(reason)

    look(_sheet(run), first=job.done, between=between)


def _find_result(run: JobRun) -> dict[str, Any]:
    return {"findings": Finding.objects.standing().filter(training_sheet=run.training_sheet_id).count()}


def _exported(_run: JobRun, job: LiveJob) -> dict[str, Any]:
    return {"done": job.total, "total": job.total}


def _export_result(run: JobRun) -> dict[str, Any]:
    """Return the export's id where there is one: a job that failed or was cancelled has made none."""
    made = Export.objects.filter(pk=run.asked["export_id"]).exists()
    return {"export_id": run.asked["export_id"]} if made else {}


def _sheet(run: JobRun) -> TrainingSheet:
    assert run.training_sheet is not None  # noqa: S101 - for the types: both kinds are of a training sheet
    return run.training_sheet


def _nothing(_run: JobRun) -> None:
    pass


KINDS: Mapping[str, Kind] = {
    GENERATE: Kind(
        _begin_generation, _generate, _generated, lambda run: leave_unfinished(_sheet(run)), _generation_result
    ),
    EXPORT: Kind(_nothing, _export, _exported, _nothing, _export_result),
    FIND: Kind(_nothing, _find, _exported, _nothing, _find_result),
}
