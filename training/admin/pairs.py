"""The admin of pairs: in the order of their items, shown as the conversation that a model would be trained on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from governance.admin_filters import ProhibitedUse
from governance.changing import CHANGE_USES
from governance.showing import full_badges, short_badge
from governance.uses import Decision, Limit, gate
from labels.admin_held_out import reserve_selected
from templates_app.answer_words import text_words
from training.admin.findings import HasFinding, evidence
from training.admin.review_verbs import MOST, change_uses_selected, review_act, review_selected, verbs_of
from training.admin.showing import MODE_WORDS, MODES, STATUSES, conversation, sheet_link
from training.chat import assistant_answer
from training.models import QAPair
from training.review.overlay import newest, with_status
from workbench.admin_base import ReadOnlyAdmin
from workbench.admin_filters import VisibleRelated
from workbench.concepts import short


class HasProblem(admin.SimpleListFilter):
    """Pairs whose draft does not fit its schema, or that have none."""

    title = "problem"
    parameter_name = "problem"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("misfit", "does not fit the schema"), ("error", "no answer could be drafted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[QAPair]) -> QuerySet[QAPair]:
        match self.value():
            case "misfit":
                return queryset.filter(misfits__len__gt=0)
            case "error":
                return queryset.exclude(error="")
        return queryset


class StatusNow(ChoicesDropdownFilter):  # type: ignore[misc]  # unfold has no types
    """By status as review left it, applied or not."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[QAPair]) -> QuerySet[QAPair]:
        wanted = self.used_parameters.get(self.lookup_kwarg)
        statuses = [wanted] if isinstance(wanted, str) else wanted
        within = request.GET.get("training_sheet__id__exact")
        return with_status(queryset, statuses, within) if statuses else queryset


class MadeFromOlder(admin.SimpleListFilter):
    """Pairs whose canonical label was changed since they were made from it."""

    title = "canonical label"
    parameter_name = "label"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("older", "changed since the pair was made from it")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[QAPair]:
        found: QuerySet[QAPair] = queryset.from_older_labels() if self.value() == "older" else queryset
        return found


class PreApproved(admin.SimpleListFilter):
    """Pairs that the label approved from which they were made, and that nobody reviewed since."""

    title = "review"
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("pre_approved", "pre-approved by a canonical label")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[QAPair]:
        found: QuerySet[QAPair] = queryset.filter(queryset.pre_approved) if self.value() == "pre_approved" else queryset
        return found


class NewestList(ChangeList):
    """The list with each pair as review left it."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = newest(self.result_list)


@admin.register(QAPair)
class QAPairAdmin(ReadOnlyAdmin):
    when_empty = "Pairs come from generating a training sheet."
    actions = ("approve_selected", "reject_selected", "change_uses_selected", "reserve_selected")
    actions_detail = ("open_review", "timeline")
    change_form_outer_before_template = "training/review_verbs.html"
    list_display = ("place", "item_ref", "state", "mode", "made_from", "answer", "sureness", "uses", "reviewed_by")
    list_display_links = ("place", "item_ref")
    list_select_related = ("training_sheet", "canonical_label")
    list_filter = (
        ("training_sheet", VisibleRelated),
        ("status", StatusNow),
        PreApproved,
        MadeFromOlder,
        ("labeling_mode", ChoicesDropdownFilter),
        HasProblem,
        HasFinding,
        ProhibitedUse,
        ("data_classification", ChoicesDropdownFilter),
        ("reviewed_by", FieldTextFilter),
    )
    search_fields = ("item_ref", "messages", "reviewed_by")
    fieldsets = (
        (None, {"fields": (("training_sheet", "item_ref"), ("state", "mode"))}),
        ("Conversation", {"fields": ("messages_shown",)}),
        (
            "Draft",
            {
                "fields": (
                    ("model", "sureness"),
                    "misfits_shown",
                    "error",
                    ("canonical_label", "canonical_label_version", "made_from"),
                )
            },
        ),
        ("Sensitive data", {"fields": ("sensitive",)}),
        ("May be used for", {"fields": ("uses_shown", "classification", "usage_reason")}),
        ("Review", {"fields": (("reviewed_by", "reviewed_at"), "review_notes", "version")}),
        ("Kept by the workbench", {"fields": (("created_at", "updated_at"), "item_hash", "id")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[QAPair]:
        pairs: QuerySet[QAPair] = super().get_queryset(request)
        return pairs.select_related("training_sheet__sheet", "canonical_label")

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(partial(review_act, self))
        return [path("<str:object_id>/review/", act, name="training_qapair_review"), *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> QAPair | None:
        found = super().get_object(request, object_id, from_field)
        return newest([found])[0] if found else None

    def has_review_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("training.change_qapair"))

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        verbs = verbs_of(object_id) if object_id and self.has_review_permission(request) else None
        return super().changeform_view(request, object_id, form_url, {"review": verbs, **(extra_context or {})})

    @admin.action(description="Approve …", permissions=["review"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[QAPair]) -> HttpResponse | None:
        return review_selected(self, request, queryset, "approve")

    @admin.action(description="Reject …", permissions=["review"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[QAPair]) -> HttpResponse | None:
        return review_selected(self, request, queryset, "reject")

    @action(description="Open in review", icon="rate_review", variant=ActionVariant.PRIMARY, permissions=["view"])
    def open_review(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pair = get_object_or_404(self.get_queryset(request), pk=object_id)
        return redirect(f"{reverse('review', args=[pair.training_sheet_id])}?pair={pair.pk}")

    @action(description="Timeline", icon="timeline", permissions=["view"])
    def timeline(self, _request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect(f"{reverse('admin:governance_usageconstraintaudit_timeline')}?pair={object_id}")

    def has_limit_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(CHANGE_USES))

    @admin.action(description="Change uses …", permissions=["limit"])
    def change_uses_selected(self, request: HttpRequest, queryset: QuerySet[QAPair]) -> HttpResponse | None:
        return change_uses_selected(self, request, queryset)

    @admin.action(description="Reserve for evaluation …", permissions=["limit"])
    def reserve_selected(self, request: HttpRequest, queryset: QuerySet[QAPair]) -> HttpResponse | None:
        rows = list(queryset.order_by("pk").values_list("pk", "training_sheet__sheet_id", "item_ref")[: MOST + 1])
        return reserve_selected(self, request, [key for key, *_ in rows], [(sheet, ref) for _, sheet, ref in rows])

    def get_list_display(self, request: HttpRequest) -> Any:
        """Name the training sheet unless the list is that of one."""
        within = "training_sheet__id__exact" in request.GET
        return self.list_display if within else (*self.list_display, "within")

    @display(description="training sheet", ordering="training_sheet__name")
    def within(self, pair: QAPair) -> str:
        return sheet_link(pair.training_sheet)

    @display(description="#", ordering="position")
    def place(self, pair: QAPair) -> str:
        return f"{pair.position + 1:,}"

    @display(description="status", ordering="status", label=STATUSES)
    def state(self, pair: QAPair) -> str:
        return pair.status

    @display(description="made from", label={"an older label": "warning"})
    def made_from(self, pair: QAPair) -> str:
        return "an older label" if pair.is_from_older_label else "—"

    @display(description="answer from", ordering="labeling_mode", label=MODES)
    def mode(self, pair: QAPair) -> str:
        return MODE_WORDS[pair.labeling_mode]

    @display(description="answer")
    def answer(self, pair: QAPair) -> str:
        return short(text_words(assistant_answer(pair.messages) or "") or "—", 44)

    @display(description="confidence", ordering="ai_confidence")
    def sureness(self, pair: QAPair) -> str:
        return "—" if pair.ai_confidence is None else f"{pair.ai_confidence:.0%}"

    @display(description="uses")
    def uses(self, pair: QAPair) -> SafeString:
        return short_badge(decision_of(pair))

    @display(description="uses")
    def uses_shown(self, pair: QAPair) -> SafeString:
        return full_badges(decision_of(pair, pair.source_limits))

    @display(description="effective classification")
    def classification(self, pair: QAPair) -> str:
        return decision_of(pair, pair.source_limits).classification

    @display(description="found")
    def sensitive(self, pair: QAPair) -> str:
        return evidence(pair)

    @display(description="does not fit the schema")
    def misfits_shown(self, pair: QAPair) -> str:
        return format_html_join("", '<p class="wb-problem">{}</p>', ((each,) for each in pair.misfits)) or "—"

    @display(description="messages")
    def messages_shown(self, pair: QAPair) -> str:
        return render_to_string("training/conversation.html", {"messages": conversation(pair)})


def decision_of(pair: QAPair, source_limits: Sequence[Limit] = ()) -> Decision:
    """Return what the pair may be used for, by its own rule and that of its canonical label, and by its sources.

    With the limits of its sources it is what the export decides; for a list they would be read for every row.
    """
    return gate(source_limits, label=pair.canonical_label, pair=pair)
