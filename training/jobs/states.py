"""Which step takes a job from which state to which; nothing else changes a state."""

from __future__ import annotations

from workbench.problems import Conflict

STEPS: dict[str, dict[str, str]] = {
    # What people ask for
    "pause": {"queued": "paused", "running": "paused"},
    "cancel": {"queued": "cancelled", "running": "cancelled", "paused": "cancelled", "failed": "cancelled"},
    "resume": {"paused": "queued", "failed": "queued"},
    "retry": {"succeeded": "queued"},
    # What a worker does
    "take": {"queued": "running", "running": "running"},
    "hand back": {"running": "queued"},
    "finish": {"running": "succeeded"},
    "fail": {"running": "failed"},
}
ASKED = ("pause", "resume", "retry", "cancel")


def refusal(step: str, status: str) -> Conflict:
    """Return what to say where the step does not lead on from the status."""
    allowed = ", ".join(f"{before} → {after}" for before, after in STEPS[step].items())
    return Conflict(f"The job is {status} and cannot go {status} → {after_of(step)}: {step} is for {allowed}.")


def after_of(step: str) -> str:
    """Return the one status that the step leads to."""
    (after,) = set(STEPS[step].values())
    return after
