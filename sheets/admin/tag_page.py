"""The page that puts a tag on a place of the catalog or takes it away, after it has shown what that does to exports."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from governance.changing import CHANGE_USES, LOOSEN
from governance.foresight import foreseen
from governance.policies import current_policy
from sheets.admin.showing import need
from sheets.catalog import browser
from sheets.tagged import LEVELS, Place, Tagged
from sheets.tagging import FORMS, TagChange, change_tag, effect_of, need_reason, place_named, tag_change
from workbench.canonical import canonical_json
from workbench.problems import Problem
from workbench.refusals import told

NAMES = ("level", "place", "key", "value")


def tag_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """Return the form, once it was looked at with what will happen; what was shown is done by posting it again."""
    need(request, CHANGE_USES)
    given = request.POST if request.method == "POST" else request.GET
    asked: dict[str, Any] = {name: given.get(name, "").strip() for name in NAMES}
    asked |= {"remove": given.get("remove") == "1"}
    reason = given.get("reason", "")
    context: dict[str, Any] = {}
    problem: Problem | None = None
    if request.method == "POST":
        try:
            change = tag_change(**asked, user=request.user)
            need_reason(reason)
            if request.POST.get("step") == "do" and request.POST.get("seen") == canonical_json(change.asked):
                return _done(request, change, reason)
            context = _ahead(request, change)
        except Problem as refused:
            problem = refused
            told(request, problem)
    context |= {
        **admin.admin_site.each_context(request),
        "title": "Tag a place", "asked": asked, "reason": reason, "problem": problem,
        "levels": [(level, FORMS[level]) for level in LEVELS], "known": sorted(current_policy()),
        "present": _present(request, asked), "may_loosen": request.user.has_perm(LOOSEN),
    }  # fmt: skip
    return TemplateResponse(request, "sheets/tag.html", context, status=problem.status if problem else 200)


def _ahead(request: HttpRequest, change: TagChange) -> dict[str, Any]:
    """Return what the change will do, and the change in the one form that is posted again."""
    effect = effect_of(change)
    ahead = foreseen("tag", change.asked, request.user)
    return {"change": change, "effect": effect, "foreseen": ahead, "seen": canonical_json(change.asked)}


def _done(request: HttpRequest, change: TagChange, reason: str) -> HttpResponse:
    may_loosen = request.user.has_perm(LOOSEN)
    change_tag(change, reason, actor=request.user.get_username(), may_loosen=may_loosen)
    messages.success(request, f"{change.words}. It holds from now on.")
    return redirect(_page_of(change.place))


def _present(request: HttpRequest, asked: dict[str, Any]) -> Tagged | None:
    """Return the tags that the place has, None where no place is named yet."""
    try:
        place = place_named(asked["level"], asked["place"], user=request.user)
    except (Problem, KeyError):
        return None
    return browser().tags([place])[0]


def _page_of(place: Place) -> str:
    if place.level == "volume":
        return reverse("admin:sheets_sheet_volume", args=place.parts)
    return reverse("admin:sheets_sheet_catalog", args=place.parts[:3])
