"""The page that exports a training sheet: what would leave, what stays and why, what to know of it, and the file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from governance.uses import USES
from training.actions.export import check_export, export_summary, open_export
from training.actions.kept_exports import start_export
from training.admin.showing import pairs_url
from training.exports.formats import FORMATS
from training.exports.options import Options
from training.exports.profiles import PROFILES
from training.exports.splits import SIDES
from training.exports.views import file_response
from training.models import Export, QAPair, TrainingSheet
from workbench.admin_base import page_of
from workbench.posted import whole
from workbench.problems import Invalid, Problem
from workbench.sheet_rights import need_work

CHOICES: dict[str, tuple[str, dict[str, str]]] = {
    "use": ("Use", {use: use for use in USES}),
    "split": ("Split", {"": "all items"} | {side: side for side in SIDES}),
    "format": ("Format", {name: name for name in FORMATS}),
    "profile": ("Trainer", {"": "any"} | {name: profile.name for name, profile in PROFILES.items()}),
}


@dataclass(frozen=True)
class Pill:
    """One choice: a link to the page with it."""

    words: str
    query: str
    current: bool


def export_page(admin: Any, request: HttpRequest, object_id: str) -> HttpResponseBase:
    """Return the report on what was asked for; on POST the file, the same bytes as the API gives, or a kept one."""
    if not admin.has_export_permission(request):
        raise PermissionDenied
    sheets = TrainingSheet.objects.visible_to(request.user).select_related("sheet", "template")
    training_sheet = sheets.filter(pk=object_id).first()
    if training_sheet is None:
        raise Http404(f"There is no training sheet {object_id}.")
    need_work(request.user, training_sheet)
    asked = request.POST if request.method == "POST" else request.GET
    try:
        options = _options(asked)
        if request.method == "POST":
            return _exported(admin, request, training_sheet, options)
        return _page(admin, request, training_sheet, options)
    except Problem as problem:
        return _page(admin, request, training_sheet, _options_kept(asked), problem)


def _exported(admin: Any, request: HttpRequest, training_sheet: TrainingSheet, options: Options) -> HttpResponseBase:
    actor = request.user.get_username()
    if "keep" not in request.POST:
        return file_response(open_export(training_sheet, options, actor=actor, channel="admin"))
    export, run = start_export(training_sheet, options, actor=actor, channel="admin")
    if run:
        return redirect("admin:training_jobrun_change", run.pk)
    assert export is not None  # noqa: S101 - for the types: one of the two
    admin.message_user(request, f"Exported {export.exported_pairs} pairs to {export.path}.", messages.SUCCESS)
    return redirect("admin:training_export_change", export.pk)


def _options(asked: QueryDict) -> Options:
    given: dict[str, Any] = {name: asked.get(name, "") for name in (*CHOICES, "stratify_by", "since")}
    percent = _number(asked, "validation_percent", "1 to 50")
    given["format"] = given["format"] or "chat"
    if given["split"]:
        given["use"] = ""
    else:
        percent, given["stratify_by"] = None, ""
    return Options(**given, validation_percent=percent)


def _number(asked: QueryDict, name: str, allowed: str) -> int | None:
    given = asked.get(name, "")
    number = whole(given)
    if given and number is None:
        raise Invalid.of_fields("The export was not made.", {name: [f"Found {given!r}: use {allowed}."]})
    return number


def _options_kept(asked: QueryDict) -> Options:
    """Return what can be used of options that were refused: all but those that are at fault."""
    given = asked.copy()
    while True:
        try:
            return _options(given)
        except Problem as problem:
            if not any(given.pop(name, None) for name in problem.fields):
                return Options()


def _report(
    request: HttpRequest, training_sheet: TrainingSheet, options: Options
) -> tuple[dict[str, Any], bool, int | None]:
    """Return the checks, or the summary alone of many pairs that nobody asked to check; which it is; the limit of tokens."""
    checked = "checks" in request.GET or QAPair.objects.of(training_sheet.pk).count() <= settings.EXPORT_JOB_PAIRS
    most = _number(request.GET, "max_tokens", "1 or more")
    if checked:
        return check_export(training_sheet, options, max_tokens=most), checked, most
    return export_summary(training_sheet, options), checked, most


def _page(
    admin: Any,
    request: HttpRequest,
    training_sheet: TrainingSheet,
    options: Options,
    problem: Problem | None = None,
) -> TemplateResponse:
    report, checked, most = None, False, None
    if problem is None:
        try:
            report, checked, most = _report(request, training_sheet, options)
        except Problem as error:
            problem = error
    refused = [each for each in (report or {}).get("problems", []) if each["level"] == "error"]
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Export {training_sheet.name}",
        "training_sheet": training_sheet,
        "page": page_of(admin.opts, training_sheet.pk),
        "pairs": pairs_url(training_sheet.pk),
        "older": pairs_url(training_sheet.pk, "&older=older"),
        "file": options.file_name(training_sheet.pk),
        **_chosen(options),
        "summary": report,
        "checked": checked,
        "max_tokens": most,
        # The checks have put pairs without a side on the one that the export would decide.
        "may_export": bool(report and not refused and (report["exported"] or (report["undecided"] and not checked))),
        "problem": problem,
        "earlier": [_earlier(export, options) for export in _last(training_sheet)],
    }
    return TemplateResponse(request, "training/export.html", context, status=problem.status if problem else 200)


def _chosen(options: Options) -> dict[str, Any]:
    """Return what the page shows of the options, and those that can be chosen instead."""
    return {
        "choices": [(words, _pills(name, allowed, options)) for name, (words, allowed) in CHOICES.items()],
        "asked": _asked(options),
        "options": options,
        "use": options.asked_use,
        "suffix": FORMATS[options.format].suffix,
        "profile": PROFILES.get(options.profile),
        "checks_query": urlencode({**_asked(options), "checks": 1}),
    }


def _asked(options: Options) -> dict[str, Any]:
    """Return the options as parameters of the page, without those that say nothing."""
    return {name: value for name, value in asdict(options).items() if value not in ("", None)}


def _pills(name: str, allowed: dict[str, str], options: Options) -> list[Pill]:
    chosen = {"use": options.asked_use}.get(name, getattr(options, name))
    # A use is asked for all items: a side of a split has its own.
    others = {key: value for key, value in _asked(options).items() if not (name == "use" and key == "split")}
    return [
        Pill(words, urlencode({**others, name: value}), current=value == chosen) for value, words in allowed.items()
    ]


def _last(training_sheet: TrainingSheet) -> list[Export]:
    return list(Export.objects.filter(training_sheet_id=training_sheet.pk)[:5])


def _earlier(export: Export, options: Options) -> dict[str, Any]:
    same = (export.use, export.split, export.format) == (options.asked_use, options.split, options.format)
    since = {**_asked(options), "since": export.pk} if export.is_complete and same else None
    return {"row": export, "since": urlencode(since) if since else ""}
