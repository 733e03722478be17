"""The page of a training file: its counts, distributions and conversations; downloads, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from templates_app.form_fields import words_of
from training.actions.training_files import (
    archive_training_file,
    delete_training_file,
    rebuild_training_file,
    remove_conversations,
    restore_training_file,
    with_members,
)
from training.admin.training_file_rows import listed
from training.audited import downloads_of
from training.files.building import SHAPES, Member, under_way
from training.files.gate import forbidden, in_words
from training.files.quality import percentage
from training.files.seeing import file_seen, file_to_work_on
from training.files.standing import changed_in
from training.files.views import file_response
from training.models import TrainingFile
from workbench.admin_base import page_of, refused
from workbench.problems import Invalid, NotFound, Problem

SHOWN, DOWNLOADS = 200, 10
CHANGE, DELETE = "training.change_trainingfile", "training.delete_trainingfile"
Verb = Callable[..., Any]
# A verb of the page, the permission that it needs, and what it says when it is done.
VERBS: dict[str, tuple[Verb, str, str]] = {
    "archive": (archive_training_file, CHANGE, "Archived."),
    "restore": (restore_training_file, CHANGE, "Active again."),
    "rebuild": (rebuild_training_file, CHANGE, "Built anew."),
    "delete": (delete_training_file, DELETE, "Deleted; its conversations are still there."),
    "remove": (remove_conversations, CHANGE, "Taken out."),
}


def file_page(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Return the page of a training file."""
    row, members = with_members(partial(_found, admin, request, object_id))
    closed = forbidden([member.as_built for member in members])
    changed = set(changed_in([row.build]).values_list("conversation_id", flat=True))
    context = {
        **admin.admin_site.each_context(request),
        "title": row.name,
        "row": row,
        "reviewed": f"{percentage(row.human_reviewed_count, row.total_training_pairs):g}",
        "distributions": [_bars(name, counts) for name, counts in row.scaffolding_distribution.items()],
        "members": [_listed(member, closed, changed) for member in members[:SHOWN]],
        "more": max(0, len(members) - SHOWN),
        "closed": in_words(closed) if closed else "",
        "changed": len(changed),
        "building": under_way([row.pk]).get(row.pk),
        "shapes": [(shape, getattr(row, f"{shape}_file_size"), getattr(row, f"{shape}_sha256")) for shape in SHAPES],
        "downloads": downloads_of(row)[:DOWNLOADS],
        "may_change": request.user.has_perm(CHANGE),
        "may_delete": request.user.has_perm(DELETE),
        "may_export": request.user.has_perm("training.add_export"),
    }
    return TemplateResponse(request, "training/training_file.html", context)


def file_act(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Do the verb of the page and go back to it, or to the list where the file is gone."""
    asked = request.POST.get("verb", "")
    verb, permission, words = VERBS.get(asked, (None, "training.change_trainingfile", ""))
    if not request.user.has_perm(permission):
        raise PermissionDenied
    row = _found(admin, request, object_id, work=True)
    if verb is None:
        return refused(admin, request, Invalid(f"Found {asked!r}: use one of the page's buttons."), row.pk)
    given = [request.POST.getlist("conversation")] if verb is remove_conversations else []
    try:
        verb(row.pk, *given, actor=request.user.get_username())
    except Problem as problem:
        return refused(admin, request, problem, row.pk)
    messages.success(request, words)
    gone = verb is delete_training_file
    return redirect("admin:training_trainingfile_changelist") if gone else redirect(page_of(admin.opts, row.pk))


def file_download(admin: Any, request: HttpRequest, object_id: str) -> HttpResponseBase:
    """Return one shape of the file, the same bytes as the API's link opens."""
    if not request.user.has_perm("training.add_export"):
        raise PermissionDenied
    shape = request.POST.get("format", "")
    try:
        row, members = with_members(partial(_found, admin, request, object_id, work=True))
        if shape not in SHAPES:
            raise Invalid(f"Found {shape!r}: use {' or '.join(SHAPES)}.")
        return file_response(row, members, shape, actor=request.user.get_username(), channel="admin")
    except Problem as problem:
        return refused(admin, request, problem, object_id)


def _found(admin: Any, request: HttpRequest, object_id: str, *, work: bool = False) -> TrainingFile:
    if not admin.has_view_permission(request):
        raise PermissionDenied
    try:
        return (file_to_work_on if work else file_seen)(object_id, request.user)
    except NotFound as problem:
        raise Http404(problem.message) from problem


def _listed(member: Member, closed: Mapping[str, str], changed: Collection[str]) -> dict[str, Any]:
    key = member.row["id"]
    return {**listed(member.row), "closed": closed.get(key, ""), "changed": key in changed}


def _bars(name: str, counts: Mapping[str, int]) -> dict[str, Any]:
    most = max(counts.values(), default=1)
    ordered = sorted(counts.items(), key=lambda each: -each[1])
    bars = [(key, words_of(key, upper=False), count, round(100 * count / most)) for key, count in ordered]
    return {"name": words_of(name, upper=False), "bars": bars}
