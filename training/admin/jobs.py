"""The admin of jobs: a list of what ran and runs, and a page for each that moves while it does."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter
from unfold.decorators import display
from unfold.views import ChangeList

from training.admin.job_page import RUNS, job_ask, job_now, job_page
from training.admin.showing import sheet_link
from training.jobs.record import with_live
from training.models import JobRun
from workbench.admin_base import ReadOnlyAdmin
from workbench.admin_filters import DayRange, VisibleRelated


class LiveChangeList(ChangeList):  # type: ignore[misc]  # unfold has no types
    """Rows with what their jobs do now, in one query of the default database."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: Any = with_live(self.result_list)


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    when_empty = "Generations and exports of many items come here, to be watched, paused and resumed."
    list_display = ("created_at", "job_type", "state", "within", "done", "created_by", "completed_at")
    list_select_related = ("training_sheet",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("job_type", FieldTextFilter),
        ("training_sheet", VisibleRelated),
        ("created_at", DayRange),
    )
    search_fields = ("job_type", "error", "created_by")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        return LiveChangeList

    def get_urls(self) -> list[URLPattern]:
        now, ask = (self.admin_site.admin_view(partial(view, self)) for view in (job_now, job_ask))
        return [
            path("<path:object_id>/now/", now, name="training_jobrun_now"),
            path("<path:object_id>/ask/", require_POST(ask), name="training_jobrun_ask"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return job_page(self, request, object_id)

    def has_steer_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("training.change_jobrun"))

    @display(description="training sheet", ordering="training_sheet__name")
    def within(self, run: JobRun) -> str:
        return sheet_link(run.training_sheet) if run.training_sheet else "—"

    @display(description="status", ordering="status", label=RUNS)
    def state(self, run: JobRun) -> str:
        return run.status

    @display(description="done")
    def done(self, run: JobRun) -> str:
        return f"{run.live.done:,} / {run.live.total:,}" if run.live.total else "—"
