"""Look for sensitive data in the pairs of a training sheet, and dismiss what was found in error."""

from __future__ import annotations

import logging
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from training.findings.ahead import forget_findings
from training.findings.looking import look
from training.jobs.dispatch import dispatch
from training.models import Finding, JobRun, LiveJob, QAPair, TrainingSheet
from workbench.after_answer import after_answer
from workbench.problems import Conflict, Invalid

FIND = "find_sensitive"
log = logging.getLogger(__name__)


def find(training_sheet: TrainingSheet, *, actor: str) -> JobRun | None:
    """Look at once, and return None, or return the job that does where there are more than a few hundred pairs."""
    pairs = QAPair.objects.of(training_sheet.pk).count()
    if pairs <= settings.FINDINGS_JOB_PAIRS:
        look(training_sheet)
        return None
    run = JobRun.objects.create(
        job_type=FIND, training_sheet=training_sheet, progress={"done": 0, "total": pairs}, created_by=actor
    )
    with transaction.atomic("default"):
        LiveJob.objects.create(pk=run.pk, total=pairs)
        dispatch(run.pk)
    return run


def find_in_generated(training_sheet: TrainingSheet, *, actor: str) -> None:
    """Look in what was generated, unless WORKBENCH_FINDINGS says `ask`: after the answer to a request, else now."""
    if settings.FINDINGS == "generation":
        after_answer((FIND, training_sheet.pk), partial(_find, training_sheet, actor))


def _find(training_sheet: TrainingSheet, actor: str) -> None:
    try:
        find(training_sheet, actor=actor)
    except Exception:
        # The pairs are written and can be reviewed, whatever a detector or a document does.
        log.exception("Training sheet %s was not looked at for sensitive data", training_sheet.pk)


def dismiss(finding: Finding, reason: str, *, actor: str) -> Finding:
    """Return the finding, dismissed; it is kept, and looking again does not bring it back. Conflict for one that is."""
    if not reason.strip():
        raise Invalid.of_fields("The finding was not dismissed.", {"reason": ["Say why; it is kept."]})
    gone = {"dismissed_by": actor, "dismissed_at": timezone.now(), "dismissed_reason": reason.strip()}
    if not Finding.objects.standing().filter(pk=finding.pk).update(**gone):
        raise Conflict("It was dismissed already: nothing changes.")
    forget_findings(finding.training_sheet_id, [finding.qa_pair_id])
    return Finding.objects.get(pk=finding.pk)
