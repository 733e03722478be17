"""The review screen: one page on which a pair is looked at and decided about, with or without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from governance.changing import CHANGE_USES
from governance.uses import CLASSIFICATIONS
from labels.opinions.due import GIVE
from templates_app.answer_form import MISSING, answer_of
from templates_app.schemas import checker
from templates_app.theirs import theirs_in_words
from training.actions.review import review
from training.answerers import as_answer
from training.chat import assistant_answer
from training.models import ReviewEvent, ReviewPair, TrainingSheet
from training.review.changed_since import other_label_of
from training.review.chosen import Choice, claim_of, look
from training.review.frames import frame_of
from training.review.journal import USES, Decision, StaleVersion
from training.review.leases import hold, let_go
from training.review.progress import progress_of
from training.review.queue import Empty
from training.review.rights import TAKE_OVER, rights_of
from training.review.screens import choice_context, choice_of, expect_training_sheet, may_review, query_text
from training.review.shown import ShownPair, shown_pair
from training.review.states import expect_known
from training.review.transitions import TRANSITIONS
from training.review.uses_form import STANDINGS, UsesForm, posted_uses
from workbench.concepts import Confidence
from workbench.csp import strict
from workbench.posted import whole
from workbench.problems import Problem
from workbench.signed_in import sign_in_pages

REASONS = {
    "reject": ("The source cannot be read", "Not an item of this task", "The same as another", "The source is wrong"),
    "flag": ("Not sure", "The guidelines do not say", "Needs a specialist", "Should not be used"),
}
# A server takes addresses of 4,000 characters.
MOST_SKIPPED = 80
DONE = {
    "approve": "Approved", "edit": "Approved with changes", "reject": "Rejected", "flag": "Flagged", "reopen": "Reopened",
    "uses": "Uses changed", "undo": "Undone",
}  # fmt: skip


@strict
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, training_sheet_id: str) -> HttpResponse:
    """Return the screen with the pair of `?pair=`, else with the next one, which the reader holds from now on."""
    training_sheet = expect_training_sheet(request, training_sheet_id)
    choice = choice_of(request).waiting()
    if request.method == "POST":
        return _decide(request, training_sheet, choice)
    shown = empty = None
    try:
        found = _found(request, training_sheet.pk, choice)
        if isinstance(found, Empty):
            empty = found
        else:
            shown = shown_pair(training_sheet, found, **_taken(request, found))
    except Problem as problem:
        messages.error(request, problem.message)
    return _page(request, training_sheet, choice, shown, empty)


@strict
@never_cache
@login_required
@require_GET
def item(request: HttpRequest, training_sheet_id: str, pair_id: str) -> HttpResponse:
    """Return the parts of the screen that belong to one pair; looking takes no hold of it."""
    training_sheet = expect_training_sheet(request, training_sheet_id)
    shown = shown_pair(training_sheet, _pair(training_sheet.pk, pair_id))
    return render(request, "review/item.html", _item_context(request, shown))


@strict
@never_cache
@login_required
@require_GET
def progress(request: HttpRequest, training_sheet_id: str) -> HttpResponse:
    """Return how far the review is, as the top of the screen shows it."""
    return render(
        request, "review/progress.html", progress_context(request, expect_training_sheet(request, training_sheet_id).pk)
    )


def _pair(training_sheet_id: str, pair_id: str) -> ReviewPair:
    try:
        expect_known(pair_id, within=training_sheet_id)
    except Problem as problem:
        raise Http404(problem.message) from problem
    found = ReviewPair.objects.get(pk=pair_id)
    if found.training_sheet_id != training_sheet_id:
        raise Http404(f"The training sheet has no pair {pair_id}.")
    return found


def _found(request: HttpRequest, key: str, choice: Choice) -> ReviewPair | Empty:
    if wanted := request.GET.get("pair"):
        return _pair(key, wanted)
    actor, skipped = request.user.get_username(), request.GET.getlist("skip")
    may_take = may_review(request)
    if skipped or not may_take:
        if ahead := look(key, choice, actor=actor, skip=skipped, most=1):
            return hold(ahead[0].pk, actor=actor) if may_take else ahead[0]
        if not may_take:
            return Empty(0, [])
    return claim_of(key, choice, actor=actor)


def _page(
    request: HttpRequest,
    training_sheet: TrainingSheet,
    choice: Choice,
    shown: ShownPair | None,
    empty: Empty | None = None,
    code: int = 200,
    said: Mapping[str, str] | None = None,
    uses_form: UsesForm | None = None,
) -> HttpResponse:
    actor = request.user.get_username()
    context = {
        **_item_context(request, shown, uses_form),
        "said": said,
        **choice_context(request, training_sheet, choice),
        "empty": empty,
        "done": request.GET if request.method == "GET" else {},
        **progress_context(request, training_sheet.pk),
        "setup": {
            "training_sheet": training_sheet.pk,
            "user": actor,
            "query": query_text(choice),
            "windowed": choice.is_all_that_waits,
            "may_review": may_review(request),
            "may_take_over": request.user.has_perm(TAKE_OVER),
            "asked": request.GET.get("pair", ""),
            "page": request.path,
            **sign_in_pages(),
            "transitions": {verb: allowed for verb, (allowed, _) in TRANSITIONS.items()},
            "leads_to": {verb: to for verb, (_, to) in TRANSITIONS.items()},
            "reasons": REASONS,
        },
    }
    return render(request, "review/page.html", context, status=code)


def progress_context(request: HttpRequest, key: str) -> dict[str, Any]:
    """Return what the top of each screen shows of the progress."""
    found = progress_of(key, actor=request.user.get_username())
    counts = (
        ("mine", found.approved_by_me), ("others", found.approved_by_others), ("pre", found.pre_approved),
        ("flagged", found.flagged), ("rejected", found.rejected),
    )  # fmt: skip
    bar = [{"name": name, "percent": round(100 * count / found.total, 2)} for name, count in counts if count]
    return {"progress": found, "bar": bar}


def _item_context(request: HttpRequest, shown: ShownPair | None, uses_form: UsesForm | None = None) -> dict[str, Any]:
    other = shown.other.label if shown and shown.other else None
    seen = other and other.may_be_seen(request.user.get_username(), gives_opinions=request.user.has_perm(GIVE))
    return {
        "shown": shown,
        "other": other if seen else None,
        "waits": bool(other and not seen and other.is_read),
        "uses_form": uses_form or (shown and UsesForm.of_state(shown.pair.state)),
        "read_only": not may_review(request),
        "may_change_uses": request.user.has_perm(CHANGE_USES),
        "standings": STANDINGS,
        "classifications": CLASSIFICATIONS,
        "confidences": Confidence.choices,
        "reasons": REASONS,
        "action_id": str(uuid4()),
    }


def _decide(request: HttpRequest, training_sheet: TrainingSheet, choice: Choice) -> HttpResponse:
    """Do what a posted form says, and show the next pair; a refusal shows the same one, with what was typed."""
    if not may_review(request):
        messages.error(
            request,
            "You may look at these pairs, but not decide about them: ask an owner for the right to change pairs.",
        )
        return _page(request, training_sheet, choice, None, code=403)
    posted = request.POST
    pair = _pair(training_sheet.pk, posted.get("pair_id", ""))
    verb = posted.get("verb", "")
    if verb == "skip":
        let_go(pair.pk, actor=request.user.get_username())
        return _next(request, choice, pair.pk)
    is_about_uses = verb == USES
    answer = MISSING if verb in (USES, "undo") else answer_of(frame_of(training_sheet.pk).output_schema, posted)
    try:
        wanted = (
            _uses_decision(request, pair)
            if is_about_uses
            else _decision(request, training_sheet.pk, pair, verb, answer)
        )
        review(wanted, actor=request.user.get_username())
    except Problem as problem:
        return _refused(request, training_sheet, choice, pair, problem, answer)
    pair.refresh_from_db()
    stands = " Its canonical label stands." if not is_about_uses and pair.keeps_label() else ""
    messages.success(request, f"{DONE.get(wanted.action, wanted.action)}: {pair.item_ref}.{stands}")
    if verb == "undo":
        return _next(request, choice, pair=pair.pk)
    again = {"pair": pair.pk} if is_about_uses else {}
    return _next(request, choice, **again, done=pair.pk, undoes=wanted.action_id)


def _refused(
    request: HttpRequest, training_sheet: TrainingSheet, choice: Choice, pair: ReviewPair, problem: Problem, answer: Any
) -> HttpResponse:
    """Return the pair again as it stands, with what was typed and what is wrong with it."""
    posted = request.POST
    is_about_uses = posted.get("verb") == USES
    reason = "" if is_about_uses else " ".join(problem.fields.get("reason", []))
    messages.error(request, "Nothing was decided: correct the marked field." if reason else problem.message)
    if isinstance(problem, StaleVersion) and not is_about_uses:
        messages.warning(request, f"{_theirs(problem, training_sheet.pk, answer)} Yours is in the form.")
    pair.refresh_from_db()
    shown = shown_pair(training_sheet, pair, typed=answer, faults=problem.fields.get("answer", []))
    said = None if is_about_uses else {**posted.dict(), "reason_fault": reason}
    refused = UsesForm.of_posted(posted, problem.fields) if is_about_uses else None
    return _page(request, training_sheet, choice, shown, code=problem.status, said=said, uses_form=refused)


def _taken(request: HttpRequest, pair: ReviewPair) -> dict[str, Any]:
    """Return the answer of the item's label for the form, where the reader asked for that and may see it."""
    other = other_label_of(pair) if request.GET.get("take") == "label" else None
    actor, gives = request.user.get_username(), request.user.has_perm(GIVE)
    return {"typed": other.label.answer} if other and other.label.may_be_seen(actor, gives_opinions=gives) else {}


def _next(request: HttpRequest, choice: Choice, *skipped: str, **more: str) -> HttpResponse:
    """Lead to what comes next, without what was skipped until now."""
    skip = [*request.GET.getlist("skip"), *skipped]
    query = {**more, **choice.query, "skip": skip[-MOST_SKIPPED:]}
    return redirect(f"{request.path}?{urlencode(query, doseq=True)}")


def _theirs(problem: StaleVersion, key: str, mine: Any) -> str:
    text = assistant_answer(problem.details["theirs"]["messages"]) or ""
    return theirs_in_words(as_answer(text, checker(frame_of(key).output_schema)), mine)


def _decision(request: HttpRequest, key: str, pair: ReviewPair, verb: str, answer: Any) -> Decision:
    posted: Mapping[str, str] = request.POST
    stored = as_answer(assistant_answer(pair.state["messages"]) or "", checker(frame_of(key).output_schema))
    # Who changed a field and presses Approve approves what the form says.
    edits = verb == "edit" or (verb == "approve" and answer != stored)
    more: dict[str, Any] = {"answer": answer} if edits else {}
    confidence = posted.get("confidence", "")
    return Decision(
        pair_id=pair.pk,
        action=ReviewEvent.Action.EDIT.value if edits else verb,
        action_id=posted.get("action_id") or str(uuid4()),
        version=whole(posted.get("version", "")),
        reason=posted.get("reason", ""),
        undoes=posted.get("undoes", ""),
        label_version=whole(posted.get("label_version", "")),
        notes=posted.get("notes") or None,
        confidence=confidence if confidence in Confidence.values else "",
        **rights_of(request.user),
        **more,
    )


def _uses_decision(request: HttpRequest, pair: ReviewPair) -> Decision:
    posted: Mapping[str, str] = request.POST
    return Decision(
        pair_id=pair.pk,
        action=USES,
        action_id=posted.get("action_id") or str(uuid4()),
        version=whole(posted.get("version", "")),
        reason=posted.get("reason", ""),
        uses=posted_uses(posted),
        **rights_of(request.user),
    )
