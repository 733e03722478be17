"""The labeling screen: one page on which an item of a sheet gets its canonical label, with or without scripts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from labels.checking import existing_item
from labels.labeling.holds import held_by_others, hold, let_go
from labels.labeling.posted import beside_in, give_posted, record_posted
from labels.labeling.progress import progress_of
from labels.labeling.shown import ShownItem, Task, shown_item
from labels.labeling.sight import LOOK_ONLY, expect_sheet, may_label
from labels.labeling.templates_of import templates_for
from labels.labeling.walking import ORDERS, walk
from labels.opinions.due import is_blind
from sheets.reading import ref_before
from templates_app.answer_form import answer_of
from templates_app.theirs import theirs_in_words
from workbench.csp import strict
from workbench.problems import Conflict, Invalid, Problem
from workbench.signed_in import sign_in_pages

ORDER_WORDS = {
    "gaps": "without a label",
    "all": "all, in sequence",
    "stale": "changed since labeled",
    "second": "for a second opinion",
}


@strict
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, sheet_id: str, label_type: str) -> HttpResponse:
    """Return the screen with the item of `?item=`, else with the next one of `?order=` behind `?after=`."""
    task = task_of(request, sheet_id, label_type)
    if request.method == "POST":
        return _do(request, task)
    shown = None
    try:
        asked = request.GET.get("item", "").strip()
        if item_ref := _named(task, asked) if asked else _next(request, task):
            shown = shown_item(task, item_ref, is_opinion=_is_blind(request, task, item_ref))
    except Problem as problem:
        messages.error(request, " ".join(problem.fields.get("item_ref", ())) or problem.message)
    return _page(request, task, shown)


@strict
@never_cache
@login_required
@require_GET
def item(request: HttpRequest, sheet_id: str, label_type: str) -> HttpResponse:
    """Return the parts of the screen that belong to the item `?ref=`; looking takes no hold of it."""
    task = task_of(request, sheet_id, label_type)
    item_ref = request.GET.get("ref", "")
    shown = shown_item(task, item_ref, is_opinion=_is_blind(request, task, item_ref))
    return render(request, "labels/item.html", _item_context(request, task, shown))


@strict
@never_cache
@login_required
@require_GET
def progress(request: HttpRequest, sheet_id: str, label_type: str) -> HttpResponse:
    """Return how far the labels are, as the top of the screen shows it."""
    context = _progress_context(request, task_of(request, sheet_id, label_type))
    return render(request, "labels/progress.html", context)


def task_of(request: HttpRequest, sheet_id: str, label_type: str) -> Task:
    """Return what is labeled, in the form of `?template=` or of the one published latest."""
    sheet = expect_sheet(request.user, sheet_id)
    offered = templates_for(label_type)
    if not offered:
        raise Http404(f"No published template is for {label_type!r}: publish one, its schema makes the form.")
    chosen = [template for template in offered if template.pk == request.GET.get("template")]
    return Task(sheet, label_type, (chosen or offered)[0])


def query_of(request: HttpRequest, task: Task, **more: str) -> str:
    """Return the query that keeps what the reader chose."""
    order, text = _filters(request)
    chosen = {"order": order, "text": text, "template": request.GET.get("template", "")}
    return urlencode({name: value for name, value in (chosen | more).items() if value})


def _filters(request: HttpRequest) -> tuple[str, str]:
    order = request.GET.get("order", "gaps")
    return order if order in ORDERS else "gaps", request.GET.get("text", "").strip()


def _named(task: Task, asked: str) -> str:
    """Return the item of that name, or the only one that has it in its name or row; Invalid with near misses."""
    try:
        return existing_item(task.sheet, asked).ref
    except Invalid:
        found = walk(task.sheet, task.label_type, order="all", text=asked, limit=2).stops
        if len(found) != 1:
            raise
    return found[0].item_ref


def _next(request: HttpRequest, task: Task) -> str | None:
    """Return the next item that nobody else has on the screen; whoever may label holds it from now on."""
    order, text = _filters(request)
    actor = request.user.get_username()
    takes, after = may_label(request.user, task.sheet), request.GET.get("after")
    held = held_by_others(task.sheet, task.label_type, actor=actor) if takes else set()
    while True:
        found = walk(
            task.sheet, task.label_type, order=order, text=text, after=after, limit=5, without=held, actor=actor
        )
        for stop in found.stops:
            if not takes or _is_taken(task, stop.item_ref, actor):
                return stop.item_ref
        if found.after is None:
            return None
        after = found.after


def _is_blind(request: HttpRequest, task: Task, item_ref: str) -> bool:
    return is_blind(task.sheet, task.label_type, item_ref, request.user)


def _is_taken(task: Task, item_ref: str, actor: str) -> bool:
    try:
        hold(task.sheet, task.label_type, item_ref, actor=actor)
    except Conflict:
        return False
    return True


def _page(request: HttpRequest, task: Task, shown: ShownItem | None, code: int = 200) -> HttpResponse:
    order, text = _filters(request)
    context = {
        **_item_context(request, task, shown),
        **_progress_context(request, task),
        "task": task,
        "templates": templates_for(task.label_type),
        "order": order,
        "text": text,
        "asked": request.GET.get("item", ""),
        "orders": ORDER_WORDS.items(),
        "look_only": LOOK_ONLY,
        "setup": {
            "sheet": task.sheet.pk,
            "label_type": task.label_type,
            "template": task.template.pk,
            "user": request.user.get_username(),
            "order": order,
            "text": text,
            "may_label": may_label(request.user, task.sheet),
            "page": request.path,
            "chosen": query_of(request, task),
            **sign_in_pages(),
        },
    }
    return render(request, "labels/label.html", context, status=code)


def _progress_context(request: HttpRequest, task: Task) -> dict[str, Any]:
    try:
        found = progress_of(task.sheet, task.label_type, user=request.user)
    except Problem:  # the page says what is wrong with the sheet
        return {"progress": None, "bar": []}
    fresh = found.mine + found.others
    counts = (("mine", found.mine), ("others", fresh - found.mine))
    bar = [{"name": name, "percent": round(100 * count / found.total, 2)} for name, count in counts if count]
    return {"progress": found, "bar": bar}


def _item_context(request: HttpRequest, task: Task, shown: ShownItem | None) -> dict[str, Any]:
    return {"shown": shown, "read_only": not may_label(request.user, task.sheet)}


def _do(request: HttpRequest, task: Task) -> HttpResponse:
    """Do what a posted form says, and show the next item; a refusal shows the same one, with what was typed."""
    actor, item_ref = request.user.get_username(), request.POST.get("item_ref", "")
    verb = request.POST.get("verb", "")
    if verb == "previous":
        before = ref_before(task.sheet, item_ref, 1) or item_ref
        return redirect(f"{request.path}?{query_of(request, task, item=before)}")
    onwards = f"{request.path}?{query_of(request, task, after=item_ref)}"
    if not may_label(request.user, task.sheet):
        messages.error(request, LOOK_ONLY)
        return redirect(onwards) if verb != "save" else _page(request, task, None, code=403)
    if verb == "save":
        try:
            said = _save(request, task, item_ref)
        except Problem as problem:
            return _refused(request, task, item_ref, problem)
        messages.success(request, said)
    let_go(task.sheet, task.label_type, item_ref, actor=actor)
    return redirect(onwards)


def _save(request: HttpRequest, task: Task, item_ref: str) -> str:
    """Save what was posted, and return what happened in words."""
    if request.POST.get("is_opinion"):
        give_posted(task, item_ref, request.POST, user=request.user)
        return f"Saved: your second opinion on {item_ref}."
    label = record_posted(task, item_ref, request.POST, user=request.user)
    return f"Saved: {item_ref}, version {label.version}."


def _refused(request: HttpRequest, task: Task, item_ref: str, problem: Problem) -> HttpResponse:
    """Show the item again with what was typed; beside another's newer label, which saving once more would replace."""
    messages.error(request, problem.message)
    typed = answer_of(task.output_schema, request.POST)
    if problem.details:
        theirs = theirs_in_words(problem.details["theirs"]["label_data"], typed)
        messages.warning(request, f"{theirs} Yours is in the form.")
    shown = shown_item(
        task,
        item_ref,
        typed=typed,
        beside=beside_in(request.POST),
        problems=problem.fields,
        is_opinion=_is_blind(request, task, item_ref),
    )
    return _page(request, task, shown, code=problem.status)
