"""Which action leads from which status of a pair to which. No database inside."""

from __future__ import annotations

from workbench.near import listed
from workbench.problems import Conflict, Invalid

# Undo has no row: it leads back to the status before the action that it undoes.
TRANSITIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "approve": (("unlabeled", "flagged"), "labeled"),
    "edit": (("unlabeled", "flagged", "labeled"), "labeled"),
    "reject": (("unlabeled", "flagged"), "rejected"),
    "flag": (("unlabeled", "labeled"), "flagged"),
    "reopen": (("labeled", "rejected", "flagged"), "unlabeled"),
}
VERBS = (*TRANSITIONS, "undo")
NEEDS_REASON = ("reject", "flag")
STATUS_WORDS = {"unlabeled": "waiting", "flagged": "flagged", "labeled": "approved", "rejected": "rejected"}


def after(action: str, status: str) -> str:
    """Return the status after the action. Conflict, from what to what, where it does not lead on from `status`."""
    if action not in TRANSITIONS:
        raise Invalid(f"There is no action {action!r}: use {listed(VERBS)}.")
    allowed, to = TRANSITIONS[action]
    if status not in allowed:
        hint = " Reopen it first." if status in TRANSITIONS["reopen"][0] and action != "reopen" else ""
        raise Conflict(f"The pair is {status}, and {action} leads from {' or '.join(allowed)} to {to}.{hint}")
    return to
