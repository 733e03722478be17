"""What the audit's screen leads to: timelines, recall with withdrawing, and why pairs stayed out of exports."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from governance.admin import UsageConstraintAuditAdmin
from governance.changing import CHANGE_USES, LOOSEN
from governance.foresight import foreseen
from governance.models import UsageConstraintAudit
from governance.uses import USES
from sheets.models import Sheet
from sheets.withdrawing import release_item, withdraw_item
from training.models import TrainingSheet
from training.tracing.chart import chart_of
from training.tracing.exclusions import DAYS, exclusions_by_day
from training.tracing.recall import Recall, recall
from training.tracing.serializers import ExclusionsAskedSerializer, TimelineAskedSerializer
from training.tracing.timeline import Happened, timeline_of_item, timeline_of_pair
from training.tracing.views import report_response
from workbench.api.errors import flattened
from workbench.problems import Invalid, NotFound, Problem
from workbench.refusals import told
from workbench.sheet_rights import may_work, need_work
from workbench.signing import public_key

PAGES = {
    "pair": "training_qapair_change",
    "label": "labels_canonicallabel_change",
    "export": "training_export_change",
    "training file": "training_trainingfile_change",
    "sheet": "sheets_sheet_change",
}
RECALL = "admin:governance_usageconstraintaudit_recall"

# The audit's own app cannot know of pairs and exports, so its screen gets these pages here.
admin.site.unregister(UsageConstraintAudit)


@admin.register(UsageConstraintAudit)
class TracingAdmin(UsageConstraintAuditAdmin):
    def get_urls(self) -> list[URLPattern]:
        """Return the admin's own addresses behind those of the pages of this module."""
        pages = (("timeline", timeline_page), ("recall", recall_page), ("exclusions", exclusions_page))
        own = [
            path(
                f"{name}/",
                self.admin_site.admin_view(partial(view, self)),
                name=f"governance_usageconstraintaudit_{name}",
            )
            for name, view in pages
        ]
        return [*own, *super().get_urls()]


def timeline_page(page: Any, request: HttpRequest) -> HttpResponse:
    """Return what happened to the pair or item of the address."""
    _expect_reader(page, request)
    happened: list[Happened] = []
    links: list[tuple[str, str]] = []
    problem = None
    try:
        asked = _asked(TimelineAskedSerializer, request)
        if "pair" in asked.validated_data:
            pair = asked.pair_asked()
            title, happened = f"Timeline of {pair.item_ref}", timeline_of_pair(pair, user=request.user)
            item = {"sheet": pair.training_sheet.sheet_id, "item_ref": pair.item_ref}
            links = [("all of the item", f"?{urlencode(item)}"), ("the pair", _page("pair", pair.pk))]
        else:
            item = {name: asked.validated_data[name] for name in ("sheet", "item_ref")}
            title = f"Timeline of {item['item_ref']}"
            happened = timeline_of_item(asked.sheet_asked(), item["item_ref"], user=request.user)
        links.append(("what it reached", f"{reverse(RECALL)}?{urlencode(item)}"))
    except Problem as found:
        title, problem = "Timeline", found
    shown = [(each, _page(each.about, each.key)) for each in happened]
    context = {"title": title, "happened": shown, "links": links, "problem": problem}
    return _answer(page, request, "timeline", context)


def recall_page(page: Any, request: HttpRequest) -> HttpResponse:
    """Return what the item of the address reached; a post withdraws or releases it, `?report=1` is the signed report."""
    _expect_reader(page, request)
    given = request.POST if request.method == "POST" else request.GET
    asked = {name: given.get(name, "") for name in ("sheet", "item_ref")}
    context: dict[str, Any] = {"title": "Recall", "asked": asked, "public_key": public_key()}
    try:
        if all(asked.values()):
            sheet = Sheet.objects.visible_to(request.user).filter(pk=asked["sheet"]).first()
            if sheet is None:
                raise NotFound(f"There is no sheet {asked['sheet']!r}, or you may not see it.")
            if request.method == "POST":
                return _decided(page, request, sheet, asked)
            found = recall(sheet, asked["item_ref"], user=request.user)
            if request.GET.get("report"):
                return report_response(found, request.user.get_username())
            context |= _recalled(request, sheet, found)
    except Problem as problem:
        context["problem"] = problem
    sheets = Sheet.objects.visible_to(request.user).order_by("name").values_list("pk", "name")
    return _answer(page, request, "recall", {**context, "sheets": sheets, "query": urlencode(asked)})


def exclusions_page(page: Any, request: HttpRequest) -> HttpResponse:
    """Return the bars of exclusions by day, and the table that they show."""
    _expect_reader(page, request)
    asked, problem = {"days": DAYS, "training_sheet": "", "use": ""}, None
    try:
        asked = dict(_asked(ExclusionsAskedSerializer, request).validated_data)
    except Problem as found:
        problem = found
    shown = exclusions_by_day(request.user, **asked)  # type: ignore[arg-type]  # as the serializer gives them
    sheets = TrainingSheet.objects.visible_to(request.user).order_by("-id").values_list("pk", "name")[:500]
    context = {
        "title": "Exclusions", "found": shown, "chart": chart_of(shown), "asked": asked, "uses": USES,
        "training_sheets": sheets, "problem": problem,
    }  # fmt: skip
    return _answer(page, request, "exclusions", context)


def _recalled(request: HttpRequest, sheet: Sheet, found: Recall) -> dict[str, Any]:
    may_change = request.user.has_perm(CHANGE_USES) and may_work(request.user, sheet)
    item = {"sheet_id": sheet.pk, "item_ref": found.item_ref}
    ahead = foreseen("item", item, request.user) if may_change and not found.is_withdrawn else []
    may_loosen = request.user.has_perm(LOOSEN)
    return {"found": found, "may_change": may_change, "may_loosen": may_loosen, "foreseen": ahead}


def _decided(page: Any, request: HttpRequest, sheet: Sheet, asked: dict[str, str]) -> HttpResponse:
    if not request.user.has_perm(CHANGE_USES):
        raise PermissionDenied
    need_work(request.user, sheet)
    actor, reason = request.user.get_username(), request.POST.get("reason", "")
    item_ref = asked["item_ref"]
    try:
        if request.POST.get("verb") == "release":
            may_loosen = request.user.has_perm(LOOSEN)
            release_item(sheet, item_ref, reason, actor=actor, may_loosen=may_loosen)
            said = f"{item_ref} is released."
        else:
            recall(sheet, item_ref, user=request.user)  # an item that never was is not found
            withdraw_item(sheet, item_ref, reason, actor=actor)
            said = f"{item_ref} is withdrawn: nothing made from it may be used for anything."
        page.message_user(request, said, messages.SUCCESS)
    except Problem as problem:
        told(request, problem)
        page.message_user(request, problem.message, messages.ERROR)
    return redirect(f"{reverse(RECALL)}?{urlencode(asked)}")


def _asked(kind: Any, request: HttpRequest) -> Any:
    asked = kind(data=request.GET.dict(), context={"request": request})
    if not asked.is_valid():
        raise Invalid.of_fields("This cannot be shown.", flattened(asked.errors))
    return asked


def _page(about: str, key: str) -> str:
    return reverse(f"admin:{PAGES[about]}", args=[key]) if about in PAGES else ""


def _expect_reader(page: Any, request: HttpRequest) -> None:
    if not page.has_view_permission(request):
        raise PermissionDenied


def _answer(page: Any, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    problem = context.get("problem")
    shown = {**page.admin_site.each_context(request), **context}
    return TemplateResponse(request, f"tracing/{name}.html", shown, status=problem.status if problem else 200)
