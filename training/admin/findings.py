"""The admin of findings: what was found where, with masked evidence, and dismissing what is none."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter
from unfold.decorators import display

from governance.reason_page import reason_page
from governance.sensitive.detectors import KINDS
from training.actions.findings import dismiss
from training.findings.marking import place_in_words
from training.models import Finding, QAPair
from workbench.admin_base import ReadOnlyAdmin, link
from workbench.admin_filters import VisibleRelated
from workbench.sheet_rights import need_work_on

MOST = 1_000
SHOWN = 30


class Standing(admin.SimpleListFilter):
    """Whether somebody dismissed it."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "stands"), ("no", "dismissed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Finding]) -> QuerySet[Finding]:
        match self.value():
            case "yes":
                return queryset.filter(dismissed_at=None)
            case "no":
                return queryset.exclude(dismissed_at=None)
        return queryset


class HasFinding(admin.SimpleListFilter):
    """Pairs in which sensitive data of a kind stands."""

    title = "sensitive data"
    parameter_name = "finding"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(KINDS.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[QAPair]:
        kind = self.value()
        found: QuerySet[QAPair] = queryset.with_finding(kind) if kind in KINDS else queryset
        return found


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    """Sensitive data in pairs."""

    when_empty = "What looks like sensitive data in pairs comes here, after they were generated."
    actions = ("dismiss_selected",)
    list_display = ("kind", "excerpt", "where", "pair", "why", "dismissed_by")
    list_select_related = ("training_sheet",)
    list_filter = (
        ("training_sheet", VisibleRelated),
        Standing,
        ("kind", ChoicesDropdownFilter),
        ("place", FieldTextFilter),
    )
    search_fields = ("item_ref", "place")
    fieldsets = (
        (None, {"fields": (("kind", "excerpt"), ("where", "start", "end"), "why", "pair")}),
        ("Dismissed", {"fields": (("dismissed_by", "dismissed_at"), "dismissed_reason")}),
        ("Kept by the workbench", {"fields": (("detector_version", "found_at"),)}),
    )

    @display(description="where", ordering="place")
    def where(self, finding: Finding) -> str:
        return place_in_words(finding.place)

    @display(description="pair", ordering="item_ref")
    def pair(self, finding: Finding) -> str:
        return link(finding.item_ref, "training_qapair_change", finding.qa_pair_id)

    def has_dismiss_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("training.change_qapair"))

    @admin.action(description="Dismiss …", permissions=["dismiss"])
    def dismiss_selected(self, request: HttpRequest, queryset: QuerySet[Finding]) -> HttpResponse | None:
        need_work_on(request.user, queryset)
        chosen = list(queryset.filter(dismissed_at=None)[:MOST])
        actor = request.user.get_username()

        def do(reason: str) -> str:
            for each in chosen:
                dismiss(each, reason, actor=actor)
            return f"{len(chosen):,} findings are dismissed."

        return reason_page(
            self, request, [each.pk for each in chosen], do,
            title=f"Dismiss {len(chosen):,} findings", button="Dismiss", action="dismiss_selected",
            lines=[
                f"{each.get_kind_display()} {each.excerpt} in {place_in_words(each.place)} of {each.item_ref}"
                for each in chosen[:SHOWN]
            ],
        )  # fmt: skip


def evidence(pair: QAPair) -> str:
    """Return what stands in a pair, one a line, each with its place and form."""
    standing = Finding.objects.standing().filter(training_sheet_id=pair.training_sheet_id, qa_pair=pair)
    rows = [
        (
            link(each.get_kind_display(), "training_finding_change", each.pk),
            each.excerpt,
            place_in_words(each.place),
            each.why,
        )
        for each in standing[:SHOWN]
    ]
    if not rows:
        return "nothing found, or not looked for yet"
    lines = format_html_join("", "<li>{} <code>{}</code> in {}: {}</li>", rows)
    return format_html('<ul class="wb-reasons">{}</ul>', lines)
