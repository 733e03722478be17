"""The page of the admin that changes what rows may be used for: each use left, allowed or prohibited, after a preview."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from governance.changing import Outcome
from governance.foresight import Foreseen, foreseen
from governance.uses import CLASSIFICATIONS, USES
from workbench.problems import Problem
from workbench.refusals import told

MOST = 1_000
LEAVE = "leave"
# What is foreseen of the rows of a model.
KINDS = {"sheet": "sheets", "qapair": "pairs", "canonicallabel": "labels"}
# Does the change, or with the last argument looks: uses and reason as `UsesChange.of` takes them, batch id, preview.
Change = Callable[[dict[str, Any], str, str, bool], Outcome]


def uses_page(
    admin: Any, request: HttpRequest, keys: Sequence[str], change: Change, *, action: str = "", back: str = ""
) -> HttpResponse | None:
    """Return the form, with what would happen once it was looked at; None once it is done, and says how much.

    `action` is the name of the list's action that leads here, posted again with the `keys`.
    """
    if len(keys) > MOST:
        admin.message_user(request, f"Choose {MOST:,} at most, or limit their sheet.", messages.ERROR)
        return None
    given, step = request.POST, request.POST.get("step", "")
    uses, reason = _asked(given), given.get("reason", "").strip()
    batch_id = given.get("batch_id") or str(uuid4())
    outcome, problem = None, None
    if step in ("look", "do"):
        try:
            outcome = change(uses, reason, batch_id, step == "look")
        except Problem as found:
            problem = found
            told(request, problem)
    if outcome is not None and step == "do":
        _say(admin, request, outcome)
        return None
    rows = list(admin.model._default_manager.filter(pk__among=keys))
    what = str(rows[0]) if len(rows) == 1 else f"{len(keys):,} {admin.opts.verbose_name_plural}"
    context = {
        **admin.admin_site.each_context(request),
        "title": f"What {what} may be used for",
        "keys": keys, "action_name": action, "batch_id": batch_id, "back": back or request.get_full_path(),
        "uses": [(use, given.get(f"use_{use}", LEAVE), _now(_state(row, use) for row in rows)) for use in USES],
        "classifications": CLASSIFICATIONS, "classified": _now(row.data_classification for row in rows), "classification": given.get("data_classification", ""), "reason": reason,
        "outcome": outcome, "changes": outcome.changes.most_common() if outcome else (),
        "refused": [(words, len(rows)) for words, rows in outcome.refused.items()] if outcome else (),
        "problem": problem,
        "foreseen": _foreseen(admin, request, outcome),
    }  # fmt: skip
    return TemplateResponse(request, "governance/uses_page.html", context, status=400 if problem else 200)


def _state(row: Any, use: str) -> str:
    if use in row.prohibited_uses:
        return "prohibited"
    return "allowed" if use in row.allowed_uses else "not allowed"


def _now(states: Iterable[str]) -> str:
    """Return the present state in words; of several, how many rows have each."""
    counted = Counter(states)
    return (
        next(iter(counted), "")
        if len(counted) < 2
        else ", ".join(f"{n:,} {state}" for state, n in counted.most_common())
    )


def _foreseen(admin: Any, request: HttpRequest, outcome: Outcome | None) -> list[Foreseen]:
    kind = KINDS.get(admin.opts.model_name)
    if outcome is None or kind is None:
        return []
    return foreseen(kind, {"closed": outcome.closed, "opened": outcome.opened}, request.user)


def _asked(given: Any) -> dict[str, Any]:
    """Return the change as the form asks for it: single uses, so that nothing else is loosened unseen."""
    return {
        "allow": [use for use in USES if given.get(f"use_{use}") == "allow"],
        "prohibit": [use for use in USES if given.get(f"use_{use}") == "prohibit"],
        "data_classification": given.get("data_classification", ""),
    }


def _say(admin: Any, request: HttpRequest, outcome: Outcome) -> None:
    left = sum(map(len, outcome.refused.values()))
    words = f"Uses: {len(outcome.changed):,} changed, {outcome.unchanged:,} were so already, {left:,} refused."
    admin.message_user(request, words, messages.SUCCESS if outcome.changed else messages.WARNING)
