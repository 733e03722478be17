"""Start a generation: few items at once, many by a worker, both with a job that can be resumed and retried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from training.actions.generate import IN_REQUEST, begin
from training.actions.jobs import submit
from training.jobs import work
from training.jobs.record import with_live
from training.models import JobRun, TrainingSheet
from workbench.problems import Problem


@dataclass(frozen=True)
class Started:
    """A training sheet and the job, with its `live` state, that generates it; `error` is what ended the job at once."""

    training_sheet: TrainingSheet
    run: JobRun
    error: Problem | DatabaseError | OSError | None = None

    @property
    def is_done(self) -> bool:
        return self.run.live.status == JobRun.Status.SUCCEEDED


def start(
    *,
    sheet: Sheet,
    template: PromptTemplate,
    actor: str,
    name: str = "",
    mode: str = "ai_generated",
    config: Mapping[str, Any] | None = None,
) -> Started:
    """Return the training sheet and its job, which runs here and now where there are up to 100 items.

    Raises as `training.actions.generate.generate` does, before anything is written.
    """
    training_sheet, items = begin(sheet=sheet, template=template, actor=actor, name=name, mode=mode, config=config)
    few = items <= IN_REQUEST
    run, error = submit(training_sheet, items, actor=actor, elsewhere=not few), None
    if few:
        try:
            work.run(run.pk, raises=True)
        except (Problem, DatabaseError, OSError) as problem:
            error = problem
        training_sheet.refresh_from_db()
    return Started(training_sheet, with_live([run])[0], error)
