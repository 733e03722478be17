"""Review in the admin: the verbs on a pair's page, and approving or rejecting many after a look at what will happen."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST

from governance.changing import Outcome
from governance.uses_page import uses_page
from training.actions.review import review, review_many
from training.actions.uses import change_uses
from training.models import QAPair, ReviewPair
from training.review.journal import Decision
from training.review.rights import rights_of
from training.review.sight import need_pairs
from training.review.transitions import NEEDS_REASON, TRANSITIONS
from workbench.admin_base import page_of, refused
from workbench.lakehouse.ids import uuid5_of
from workbench.posted import whole
from workbench.problems import Invalid, Problem

ICONS = {"approve": "check", "reject": "close", "flag": "flag", "reopen": "replay", "undo": "undo"}
MOST = 1_000


def verbs_of(pair_id: str) -> dict[str, Any] | None:
    """Return what can be done with the pair now: its version and the verbs with their icons; None for no such pair."""
    known = ReviewPair.objects.filter(pk=pair_id).first()
    pair = known or QAPair.objects.filter(pk=pair_id).first()
    if pair is None:
        return None
    names = [name for name, (allowed, _) in TRANSITIONS.items() if name in ICONS and pair.status in allowed]
    if known and known.actions.filter(undone=False).exclude(action="undo").exists():
        names.append("undo")
    verbs = [{"name": name, "icon": ICONS[name], "needs_reason": name in NEEDS_REASON} for name in names]
    return {"pair_id": pair_id, "version": pair.version, "verbs": verbs}


@require_POST
def _act(request: HttpRequest, admin: Any, object_id: str) -> HttpResponse:
    verb, version = request.POST.get("verb", ""), whole(request.POST.get("version", ""))
    if not admin.has_review_permission(request):
        raise PermissionDenied
    if verb not in ICONS or version is None:
        return refused(admin, request, Invalid(f"Found {verb!r}: use one of the page's buttons."), object_id)
    reason = request.POST.get("reason", "")
    decision = Decision(object_id, verb, version=version, reason=reason, **rights_of(request.user))
    try:
        need_pairs(request.user, [object_id])
        review(decision, actor=request.user.get_username())
    except Problem as problem:
        return refused(admin, request, problem, object_id)
    messages.success(request, f"Done: {verb}.")
    return redirect(page_of(admin.opts, object_id))


def review_act(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Do the verb that was asked for by POST and go back to the pair's page."""
    return _act(request, admin, object_id)


def review_selected(admin: Any, request: HttpRequest, pairs: QuerySet[QAPair], verb: str) -> HttpResponse | None:
    """Return the page that says what will happen to how many; once confirmed do it, as one batch."""
    ids = list(pairs.order_by("training_sheet_id", "position").values_list("pk", flat=True)[: MOST + 1])
    if len(ids) > MOST:
        admin.message_user(request, f"Choose {MOST:,} pairs at most.", messages.ERROR)
        return None
    confirmed, reason = "confirmed" in request.POST, request.POST.get("reason", "").strip()
    missing = verb in NEEDS_REASON and not reason
    go = confirmed and not missing
    batch, rights = request.POST.get("batch_id") or Decision("", verb).action_id, rights_of(request.user)
    need_pairs(request.user, ids)
    words = reason or ("…" if missing else "")
    decisions = [
        # Ids that follow from the batch: the same form sent twice happens once.
        Decision(key, verb, uuid5_of(batch, key), reason=words, batch_id=batch, **rights)
        for key in ids
    ]
    done, left = review_many(decisions, actor=request.user.get_username(), dry_run=not go)
    if go:
        said = f"{verb.capitalize()}: {len(done):,} done, {len(left):,} left as they were."
        admin.message_user(request, said, messages.SUCCESS if done else messages.WARNING)
        return None
    why = Counter(problem.message for _, problem in left).most_common()
    context = {
        **admin.admin_site.each_context(request),
        "title": f"{verb.capitalize()} {len(ids):,} pairs",
        "verb": verb, "ids": ids, "count": len(done), "why": why, "batch_id": batch,
        "needs_reason": verb in NEEDS_REASON, "missing": confirmed and missing,
    }  # fmt: skip
    return TemplateResponse(request, "training/review_selected.html", context)


def change_uses_selected(admin: Any, request: HttpRequest, pairs: QuerySet[QAPair]) -> HttpResponse | None:
    """Return the page that asks what the pairs may be used for and says what will happen; once confirmed do it."""
    keys = list(pairs.order_by("training_sheet_id", "position").values_list("pk", flat=True)[: MOST + 1])

    def change(uses: dict[str, Any], reason: str, batch_id: str, preview: bool) -> Outcome:
        actor = request.user.get_username()
        return change_uses(
            keys, uses, reason, actor=actor, batch_id=batch_id, preview=preview, **rights_of(request.user)
        )

    return uses_page(admin, request, keys, change, action="change_uses_selected")
