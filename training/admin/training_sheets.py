"""The admin of training sheets: how far each is, and the way to its pairs, to a new one and to its export."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    FieldTextFilter,
)
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from training.admin.export_page import export_page
from training.admin.generate_page import counts_panel, generate_page
from training.admin.guard_page import guard_page
from training.admin.showing import MODE_WORDS, SHEET_STATUSES, counter_links, pairs_url, shares
from training.admin.trial_page import trial_panel
from training.jobs.record import with_live
from training.models import JobRun, TrainingSheet
from training.review.overlay import recounted
from workbench.admin_base import ReadOnlyAdmin, link, more
from workbench.admin_filters import DayRange, VisibleRelated


class CountedList(ChangeList):
    """The list with the counters as review left them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = recounted(self.result_list)


@admin.register(TrainingSheet)
class TrainingSheetAdmin(ReadOnlyAdmin):
    when_empty = 'Training sheets come from "Generate": a sheet, a template, and a pair for each item.'
    has_history = True
    list_display = ("name", "state", "progress", "to_review", "mode", "created_by", "created_at")
    list_select_related = ("sheet", "template")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("labeling_mode", ChoicesDropdownFilter),
        ("sheet", VisibleRelated),
        ("template", VisibleRelated),
        ("created_by", FieldTextFilter),
        ("created_at", DayRange),
    )
    search_fields = ("name", "created_by")
    actions = ("export_selected",)
    actions_list = ("generate",)
    actions_detail = ("open_review", "export", more("pairs", "guarded"))
    fieldsets = (
        (None, {"fields": ("name", ("state", "mode"), ("sheet", "template"))}),
        ("Pairs", {"fields": ("progress", "counters")}),
        ("Generation", {"fields": ("counted", "job", "generation_config", "error")}),
        (
            "Kept by the workbench",
            {"fields": (("generation_started_at", "generation_completed_at"), ("created_by", "created_at"), "id")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainingSheet]:
        return (
            TrainingSheet.objects.visible_to(request.user)
            .with_counters()
            .select_related("sheet", "template")
            .order_by(*self.get_ordering(request))
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CountedList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> TrainingSheet | None:
        found = super().get_object(request, object_id, from_field)
        return recounted([found])[0] if found else None

    def get_urls(self) -> list[URLPattern]:
        counts = self.admin_site.admin_view(partial(counts_panel, self))
        guard = self.admin_site.admin_view(partial(guard_page, self))
        trial = self.admin_site.admin_view(partial(trial_panel, self))
        own = [
            path("generate/counts/", counts, name="training_trainingsheet_counts"),
            path("try/", trial, name="training_trainingsheet_try"),
            path("<str:object_id>/guard/", guard, name="training_trainingsheet_guard"),
        ]
        return [*own, *super().get_urls()]

    def has_generate_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        return bool(request.user.has_perm("training.add_trainingsheet"))

    def has_export_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        """An export is a row of its own, so who exports needs the right to add one."""
        return bool(request.user.has_perm("training.add_export"))

    @action(description="Generate", icon="auto_awesome", variant=ActionVariant.PRIMARY, permissions=["generate"])
    def generate(self, request: HttpRequest) -> HttpResponse:
        return generate_page(self, request)

    @admin.action(description="Export JSONL", permissions=["export"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet[TrainingSheet]) -> HttpResponse | None:
        chosen = list(queryset[:2])
        if len(chosen) > 1:
            self.message_user(request, "Choose one training sheet: an export is the file of one.", messages.WARNING)
            return None
        return redirect("admin:training_trainingsheet_export", object_id=chosen[0].pk)

    @action(description="Open in review", icon="rate_review", variant=ActionVariant.PRIMARY, permissions=["view"])
    def open_review(self, _request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("review", training_sheet_id=object_id)

    @action(description="Export JSONL", icon="download", variant=ActionVariant.PRIMARY, permissions=["export"])
    def export(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return export_page(self, request, object_id)

    @action(description="Pairs", icon="forum", permissions=["view"])
    def pairs(self, _request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect(pairs_url(object_id))

    @action(description="Held out and sensitive", icon="visibility_off", url_path="guarded", permissions=["view"])
    def guarded(self, _request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("admin:training_trainingsheet_guard", object_id=object_id)

    @display(description="status", ordering="status", label=SHEET_STATUSES)
    def state(self, training_sheet: TrainingSheet) -> str:
        return training_sheet.status

    @display(description="mode", ordering="labeling_mode")
    def mode(self, training_sheet: TrainingSheet) -> str:
        return MODE_WORDS[training_sheet.labeling_mode]

    @display(description="labeled")
    def progress(self, training_sheet: Any) -> str:
        context = {
            "shares": shares(training_sheet),
            "done": training_sheet.labeled_pairs,
            "total": training_sheet.total_pairs,
        }
        return render_to_string("training/progress.html", context)

    @display(description="to review")
    def to_review(self, training_sheet: Any) -> str:
        url = reverse("review", args=[training_sheet.pk])
        return format_html('<a class="wb-link" href="{}">{}</a>', url, f"{training_sheet.unlabeled_pairs:,}")

    @display(description="counts")
    def counters(self, training_sheet: Any) -> str:
        links = ((url, f"{count:,}", words) for words, count, url in counter_links(training_sheet))
        return format_html_join("", '<a class="wb-count" href="{}"><b>{}</b> {}</a>', links)

    @display(description="job")
    def job(self, training_sheet: TrainingSheet) -> str:
        runs = with_live(JobRun.objects.filter(training_sheet=training_sheet)[:1])
        return (
            link(
                f"{runs[0].status}: {runs[0].live.done:,} of {runs[0].live.total:,} items",
                "training_jobrun_change",
                runs[0].pk,
            )
            if runs
            else "—"
        )

    @display(description="items by where their answer came from")
    def counted(self, training_sheet: TrainingSheet) -> str:
        counts = ((f"{count:,}", name.replace("_", " ")) for name, count in training_sheet.statistics.items() if count)
        return format_html_join("", '<span class="wb-count"><b>{}</b> {}</span>', counts) or "—"
