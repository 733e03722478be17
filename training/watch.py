"""Who looks on while a generation runs, and may stop it: a job, a command's progress bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

# Why a run stops whose job another worker does by now: nothing of it is this worker's to write any more.
LOST = "another worker has the lease"


@dataclass(frozen=True)
class Progress:
    """How far a run is, in items; tokens are those that the endpoint counted in this run.

    `done` of `total` have their pair, those present before the run included; `failed` of the run's own have an error,
    and `cached` of them took the answer of an equal question.
    """

    done: int
    total: int
    prompt_tokens: int = 0
    completion_tokens: int = 0
    failed: int = 0
    cached: int = 0


class Watch(Protocol):
    """Told of the progress of a run, and asked whether it shall stop; both in the thread that started the run."""

    def progress(self, now: Progress) -> None:
        """Take the state of the run: after each written chunk, and about once a second while answers are waited for."""

    def stop(self) -> str | None:
        """Return why the run shall stop ("pause", "cancel"), or None to go on."""


class Stopped(Exception):  # noqa: N818 - a course of events, not a fault
    """A run was stopped by its watch: what was answered is written, and the training sheet can be resumed."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The generation was stopped ({reason}): resume it to go on.")
        self.reason = reason
