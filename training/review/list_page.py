"""The list beside the one-at-a-time screen: pages of pairs, decisions about many after a preview, and saved views."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from training.actions.review_views import delete_view, save_view
from training.models import QAPair, ReviewView, TrainingSheet
from training.review.bulk import DONE, MOST, Bulk, bulk_of, carry_out, latest_batches, named, preview, take_back
from training.review.chosen import Choice
from training.review.filters import PROBLEMS, PairFilters
from training.review.listing import count_of, keys_of, page_of
from training.review.page import REASONS, progress_context
from training.review.rights import rights_of
from training.review.screens import choice_context, choice_of, expect_training_sheet, may_review, query_text
from training.review.sight import need_batch, need_pairs
from workbench.csp import strict
from workbench.posted import whole
from workbench.problems import Problem

ORDER = "sequence"
# Pairs that a preview names at once; the others open.
NAMED = 20
VERBS = ("approve", "reject", "flag", "reopen")


@strict
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, training_sheet_id: str) -> HttpResponse:
    """Return a page of the pairs that match; a post previews a verb for many, does it, or takes a batch back."""
    training_sheet = expect_training_sheet(request, training_sheet_id)
    choice = choice_of(request, ORDER)
    try:
        if request.method == "POST":
            return _posted(request, training_sheet, choice)
        return _list(request, training_sheet, choice)
    except Problem as problem:
        messages.error(request, problem.message)
        if request.method == "POST":
            return redirect(_back(request, choice))
        return _first(request, training_sheet, choice)


@strict
@never_cache
@login_required
@require_POST
def views(request: HttpRequest, training_sheet_id: str) -> HttpResponse:
    """Save the choice of the address as a view, or delete one, and go back to where the form was."""
    training_sheet, choice = expect_training_sheet(request, training_sheet_id), choice_of(request)
    _expect_reviewer(request)
    actor, posted = request.user.get_username(), request.POST
    try:
        if key := posted.get("delete"):
            seen = ReviewView.objects.visible_to(request.user).seen_by(actor)
            found = seen.filter(pk=whole(key) or 0).first()
            if found is None:
                raise Http404("There is no such view.")
            delete_view(found, actor=actor)
            messages.success(request, f"The view “{found.name}” is deleted.")
        else:
            within = "" if posted.get("for_all") else training_sheet.pk
            view = save_view(
                posted.get("name", ""), choice, actor=actor, training_sheet_id=within, shared="shared" in posted
            )
            messages.success(request, f"Saved as “{view.name}”.")
    except Problem as problem:
        messages.error(request, problem.message)
    screen = reverse("review-list" if "list" in posted else "review", args=[training_sheet.pk])
    return redirect(f"{screen}?{query_text(choice)}")


def _first(request: HttpRequest, training_sheet: TrainingSheet, choice: Choice) -> HttpResponse:
    """Return the first page of the choice where the cursor was at fault, of all pairs where the choice was."""
    try:
        return _list(request, training_sheet, choice, first=True)
    except Problem:
        return _list(request, training_sheet, Choice(PairFilters(), ORDER), first=True)


def _list(request: HttpRequest, training_sheet: TrainingSheet, choice: Choice, first: bool = False) -> HttpResponse:
    actor = request.user.get_username()
    cursors: dict[str, Any] = {} if first else {name: request.GET.get(name, "") for name in ("after", "before")}
    found = page_of(training_sheet.pk, choice, reader=actor, **cursors)
    context = {
        **choice_context(request, training_sheet, choice),
        **progress_context(request, training_sheet.pk),
        "page": found,
        "problems": PROBLEMS.items(),
        "modes": QAPair.Mode.choices,
        "verbs": VERBS,
        "most": MOST,
        "beyond": {name: urlencode({name: getattr(found, name)}) for name in ("after", "before")},
        "batches": latest_batches(training_sheet.pk, actor=actor),
    }
    return render(request, "review/list.html", context)


def _posted(request: HttpRequest, training_sheet: TrainingSheet, choice: Choice) -> HttpResponse:
    _expect_reviewer(request)
    actor, posted = request.user.get_username(), request.POST
    if batch_id := posted.get("undo"):
        need_batch(request.user, batch_id)
        outcome = take_back(batch_id, actor=actor, **rights_of(request.user))
        messages.success(request, f"{outcome.words}.")
        return redirect(_back(request, choice))
    if "pairs" in posted:
        bulk = _previewed(request)
        need_pairs(request.user, list(bulk.versions))
        outcome = carry_out(bulk, actor=actor)
        messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, f"{outcome.words}.")
        return redirect(_back(request, choice))
    keys = posted.getlist("pair")
    if "all" in posted:
        keys = keys_of(training_sheet.pk, choice, reader=actor, most=MOST)
    if not keys:
        messages.warning(request, "Choose pairs first, or all that match.")
        return redirect(_back(request, choice))
    need_pairs(request.user, keys)
    bulk = bulk_of(posted.get("verb", ""), keys[:MOST], str(uuid4()))
    outcome = preview(bulk, actor=actor)
    pairs = named(bulk, outcome)
    context = {
        **choice_context(request, training_sheet, choice),
        "bulk": bulk,
        "outcome": outcome,
        "first": pairs[:NAMED],
        "rest": pairs[NAMED:],
        "done": DONE[bulk.verb],
        "matched": count_of(training_sheet.pk, choice, reader=actor) if "all" in posted else len(keys),
        "reasons": REASONS.get(bulk.verb, ()),
    }
    return render(request, "review/preview.html", context)


def _previewed(request: HttpRequest) -> Bulk:
    """Return what the form of the preview asks for: the pairs in the versions that were looked at."""
    posted = request.POST
    pairs = [each.rpartition(":") for each in posted["pairs"].split()[:MOST]]
    versions = {key: number for key, _, version in pairs if (number := whole(version)) is not None}
    named = bulk_of(posted.get("verb", ""), versions, posted.get("batch_id") or str(uuid4()))
    seen = {key: versions[key] for key in named.versions}
    return Bulk(named.verb, seen, named.batch_id, posted.get("reason", ""))


def _expect_reviewer(request: HttpRequest) -> None:
    if not may_review(request):
        raise PermissionDenied(
            "You may look at these pairs, but not decide about them: ask an owner for the right to change pairs."
        )


def _back(request: HttpRequest, choice: Choice) -> str:
    return f"{request.path}?{query_text(choice)}"
