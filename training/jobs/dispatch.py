"""Who runs a job: what `WORKBENCH_JOBS` can name."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from training.jobs.queue import enqueue
from workbench.near import listed

# Each sees to it that `manage.py run_job ID` runs somewhere, soon and at least once.
DISPATCHERS: dict[str, Callable[[str], None]] = {"queue": enqueue}


def dispatch(job_id: str) -> None:
    """Have the job run; call it in the transaction on `default` that makes the job `queued`."""
    dispatcher()(job_id)


def dispatcher() -> Callable[[str], None]:
    """Return what WORKBENCH_JOBS names; raises ImproperlyConfigured with the names there are."""
    try:
        return DISPATCHERS[settings.JOBS]
    except KeyError:
        words = f"WORKBENCH_JOBS={settings.JOBS!r} is not known: use {listed(DISPATCHERS)}."
        raise ImproperlyConfigured(words) from None
