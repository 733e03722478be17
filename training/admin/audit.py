"""What is kept about pairs and training sheets: review events, exports. Nobody edits it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html_join
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    FieldTextFilter,
)
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from training.actions.kept_exports import link_to
from training.admin.ground_truth_page import ground_truth_page
from training.admin.showing import STATUSES, sheet_link
from training.exports.views import manifest_response
from training.models import Export, ReviewEvent
from workbench.admin_base import ReadOnlyAdmin, link, refused
from workbench.admin_filters import DayRange, VisibleRelated
from workbench.concepts import short
from workbench.problems import Problem
from workbench.sheet_rights import need_work

ACTIONS = {
    "approve": "success",
    "edit": "primary",
    "reject": "danger",
    "flag": "info",
    "reopen": "warning",
    "undo": "warning",
}


@admin.register(ReviewEvent)
class ReviewEventAdmin(ReadOnlyAdmin):
    when_empty = "Each decision of a reviewer comes here."
    list_display = ("created_at", "what", "pair", "within", "before", "after", "why", "actor")
    list_select_related = ("qa_pair", "training_sheet")
    ordering = ("-created_at", "-id")
    list_filter = (
        ("training_sheet", VisibleRelated),
        ("action", ChoicesDropdownFilter),
        ("actor", FieldTextFilter),
        ("created_at", DayRange),
    )
    search_fields = ("actor", "reason", "qa_pair__item_ref")
    actions_list = ("ground_truth",)
    fields = (
        ("what", "actor"), ("pair", "training_sheet"), ("before", "after"), "changes", "reason",
        ("created_at", "pair_version"), "action_id",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReviewEvent]:
        events: QuerySet[ReviewEvent] = super().get_queryset(request)
        return events.select_related("qa_pair", "training_sheet")

    def has_ground_truth_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        """An export is a row of its own, so who exports needs the right to add one."""
        return bool(request.user.has_perm("training.add_export"))

    @action(description="Ground truth", icon="fact_check", variant=ActionVariant.PRIMARY, permissions=["ground_truth"])
    def ground_truth(self, request: HttpRequest) -> HttpResponseBase:
        return ground_truth_page(self, request)

    @display(description="training sheet", ordering="training_sheet__name")
    def within(self, event: ReviewEvent) -> str:
        return sheet_link(event.training_sheet)

    @display(description="pair", ordering="qa_pair")
    def pair(self, event: ReviewEvent) -> str:
        return link(str(event.qa_pair), "training_qapair_change", event.qa_pair_id)

    @display(description="action", ordering="action", label=ACTIONS)
    def what(self, event: ReviewEvent) -> str:
        return event.action

    @display(description="from", label=STATUSES)
    def before(self, event: ReviewEvent) -> str:
        return event.old_status

    @display(description="to", label=STATUSES)
    def after(self, event: ReviewEvent) -> str:
        return event.new_status

    @display(description="reason")
    def why(self, event: ReviewEvent) -> str:
        return short(event.reason) or "—"


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    when_empty = "Each file that left comes here: export from the page of a training sheet."
    list_display = (
        "created_at",
        "within",
        "use",
        "format",
        "split",
        "exported",
        "excluded",
        "size",
        "whole",
        "channel",
        "created_by",
    )
    list_select_related = ("training_sheet",)
    list_filter = (
        ("training_sheet", VisibleRelated),
        ("use", FieldTextFilter),
        ("format", FieldTextFilter),
        ("channel", FieldTextFilter),
        "is_complete",
        ("created_by", FieldTextFilter),
        ("created_at", DayRange),
    )
    search_fields = ("sha256", "created_by", "training_sheet__name")
    fields = (
        ("training_sheet", "use"), ("format", "split"), ("validation_percent", "stratify_by"), ("profile", "since"),
        ("exported", "excluded"), "why_excluded", ("size", "whole"), "path", "checksum", "manifest_checksum",
        ("channel", "created_by"), "created_at",
    )  # fmt: skip
    actions_detail = ("download", "manifest")

    def has_fetch_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        """Who takes what left needs the right to export it."""
        return bool(request.user.has_perm("training.add_export"))

    @action(description="Manifest", icon="fact_check", permissions=["fetch"])
    def manifest(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        try:
            return manifest_response(self._taken(request, object_id))
        except Problem as problem:
            return refused(self, request, problem, object_id)

    @action(description="Download", icon="download", variant=ActionVariant.PRIMARY, permissions=["fetch"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Fetch the kept file by a link of its own, for which the gates are asked again."""
        try:
            return redirect(link_to(self._taken(request, object_id), actor=request.user.get_username()).path)
        except Problem as problem:
            return refused(self, request, problem, object_id)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Leave out the manifest where the export has none."""
        every = super().get_actions_detail(request, object_id)
        has_one = Export.objects.filter(pk=object_id).exclude(manifest_sha256="").exists()
        return every if has_one else [each for each in every if not each.action_name.endswith("_manifest")]

    def _taken(self, request: HttpRequest, object_id: str) -> Export:
        export: Export = get_object_or_404(self.get_queryset(request), pk=object_id)
        need_work(request.user, export)
        return export

    @display(description="training sheet", ordering="training_sheet__name")
    def within(self, export: Export) -> str:
        return sheet_link(export.training_sheet)

    @display(description="exported", ordering="exported_pairs")
    def exported(self, export: Export) -> str:
        return f"{export.exported_pairs:,} of {export.total_pairs:,}"

    @display(description="SHA-256 of the file")
    def checksum(self, export: Export) -> str:
        return export.sha256 or "—"

    @display(description="SHA-256 of the manifest")
    def manifest_checksum(self, export: Export) -> str:
        return export.manifest_sha256 or "—"

    @display(description="excluded", ordering="excluded_pairs")
    def excluded(self, export: Export) -> str:
        return f"{export.excluded_pairs:,}"

    @display(description="size", ordering="size_bytes")
    def size(self, export: Export) -> str:
        return filesizeformat(export.size_bytes)

    @display(description="complete", boolean=True, ordering="is_complete")
    def whole(self, export: Export) -> bool:
        return export.is_complete

    @display(description="why excluded")
    def why_excluded(self, export: Export) -> str:
        rows = ((f"{entry['count']:,}", entry["reason"]) for entry in export.exclusions)
        return format_html_join("", '<div class="wb-use"><b>{}</b> <span>{}</span></div>', rows) or "—"
