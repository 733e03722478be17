"""The page of a job: how far it is, while it runs, and what people may ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from templates_app.prices import cost_of
from training.actions.jobs import GENERATE, VERBS
from training.actions.kept_exports import EXPORT
from training.admin.showing import MODE_WORDS, pairs_url
from training.jobs.following import seen
from training.jobs.states import ASKED, STEPS, UNDER_WAY
from training.models import JobRun, LiveJob
from training.progress_bar import in_words
from workbench.admin_base import page_of, refused
from workbench.problems import Invalid, Problem
from workbench.sheet_rights import need_work

RUNS = {
    "queued": "default", "running": "info", "paused": "warning", "succeeded": "success", "failed": "danger",
    "cancelled": "warning",
}  # fmt: skip
# The same in the words of our own pages; the ones above are unfold's.
TONES = {
    "queued": "plain", "running": "info", "paused": "warn", "succeeded": "good", "failed": "bad", "cancelled": "warn",
}  # fmt: skip
ICONS = {"pause": "pause", "resume": "play_arrow", "retry": "replay", "cancel": "stop"}


@dataclass(frozen=True)
class Verb:
    """A button of the page."""

    name: str
    words: str
    icon: str


def job_page(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Return the page of a job; while the job is under way, the page asks for `job_now` every second."""
    run = _found(admin, request, object_id)
    context = {
        **admin.admin_site.each_context(request),
        **_context(admin, request, run),
        "title": f"Job: {run.training_sheet or run}",
        "mode": MODE_WORDS[run.training_sheet.labeling_mode] if run.training_sheet and run.job_type == GENERATE else "",
        # Pairs: of a dict with the key "items", a template's `.items` is that number.
        "statistics": [(name.replace("_", " "), count) for name, count in run.result.get("statistics", {}).items()],
    }
    return TemplateResponse(request, "training/job.html", context)


def job_now(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Return how far the job is as a piece of its page, with new buttons when its state is not `?state=` any more."""
    context = _context(admin, request, _found(admin, request, object_id))
    context["changed"] = request.GET.get("state") != context["state"]
    return TemplateResponse(request, "training/job_now.html", context)


def job_ask(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Do the verb that was asked for and go back to the page."""
    if not admin.has_steer_permission(request):
        raise PermissionDenied
    run, verb = _found(admin, request, object_id), request.POST.get("verb", "")
    if verb not in VERBS:
        return refused(admin, request, Invalid(f"Found {verb!r}: use one of the page's buttons."), object_id)
    need_work(request.user, run)
    try:
        VERBS[verb](run, actor=request.user.get_username())
    except Problem as problem:
        return refused(admin, request, problem, object_id)
    admin.log_change(request, run, f"Asked to {verb}.")
    messages.success(request, f"Asked to {verb}.")
    return redirect(page_of(admin.opts, object_id))


def _found(admin: Any, request: HttpRequest, object_id: str) -> JobRun:
    if not admin.has_view_permission(request):
        raise PermissionDenied
    run = JobRun.objects.visible_to(request.user).select_related("training_sheet").filter(pk=object_id).first()
    if run is None:
        raise Http404(f"There is no job {object_id}.")
    return seen(run)


def _context(admin: Any, request: HttpRequest, run: JobRun) -> dict[str, Any]:
    job = run.live
    return {
        "run": run,
        "job": job,
        "state": f"{job.status}{job.wish and ' '}{job.wish}",
        "tone": TONES[job.status],
        "under_way": job.status in UNDER_WAY,
        "percent": 100 * job.done / job.total if job.total else 0,
        "rate": f"{job.rate:,.0f}" if job.rate >= 10 else f"{job.rate:.1f}",
        "left": None if job.seconds_left is None else in_words(job.seconds_left),
        "cost": cost_of(job.prompt_tokens, job.completion_tokens),
        "heard": _heard(job),
        "verbs": _verbs(job) if admin.has_steer_permission(request) else [],
        "drafts": run.job_type == GENERATE,
        "export": run.asked["export_id"] if run.job_type == EXPORT and job.status == "succeeded" else "",
        "pairs": pairs_url(run.training_sheet_id) if run.training_sheet_id and run.job_type != EXPORT else None,
        "failed_pairs": pairs_url(run.training_sheet_id, "&problem=error") if run.training_sheet_id else None,
    }


def _heard(job: LiveJob) -> str:
    """Say in words whether a worker is at the job."""
    if job.status == "queued":
        return "waiting for a worker" if job.run_id is None else "waiting for its run to start"
    if job.status != "running" or job.heartbeat_at is None:
        return ""
    ago = in_words((timezone.now() - job.heartbeat_at).total_seconds())
    if job.is_leased:
        return f"worker {job.worker}, heard of {ago} ago"
    next_step = "another worker goes on as soon as one is free" if job.run_id is None else "its run is looked at"
    return f"not heard of for {ago}: {next_step}"


def _verbs(job: LiveJob) -> list[Verb]:
    # A wish is on its way already; only cancelling goes further.
    names = ["cancel"] if job.wish == "pause" else [] if job.wish == "cancel" else ASKED
    words = {"retry": f"Retry {job.failed:,} failed"}
    allowed = [name for name in names if job.status in STEPS[name] and (name != "retry" or job.failed)]
    return [Verb(name, words.get(name, name.capitalize()), ICONS[name]) for name in allowed]
