"""The admin of conversations: what there is, and the page that brings more in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    FieldTextFilter,
    RangeNumericFilter,
)
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from governance.uses import USES
from sheets.hidden_sources import need_file
from training.actions.conversations import Limits, conversations_from, import_conversations, import_from_volume
from training.models import Conversation, TrainingSheet
from workbench.admin_base import ReadOnlyAdmin
from workbench.admin_filters import VisibleRelated
from workbench.concepts import Classification
from workbench.problems import Problem
from workbench.sheet_rights import need_work

ENRICHMENT = {"pending": "default", "processing": "info", "completed": "success", "failed": "danger"}
TIERS = {"seed_dataset": "success", "production": "primary", "experimental": "warning", "rejected": "danger"}
LARGEST = 50 * 1024 * 1024


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Any number of uploaded files."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        return [super(ManyFilesField, self).clean(each, initial) for each in data or []]


class ImportForm(forms.Form):
    """Files from this computer, or paths in volumes; a training sheet has a form of its own."""

    uploads = ManyFilesField(required=False, label="Files", widget=ManyFilesInput(attrs={"accept": ".json"}))
    paths = forms.CharField(
        required=False,
        label="or paths in volumes, one a line",
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "/Volumes/catalog/schema/volume/file.json"}),
    )
    prohibited = forms.MultipleChoiceField(
        required=False,
        label="Must not be used for",
        choices=[(use, use) for use in USES],
        widget=forms.CheckboxSelectMultiple,
    )
    reason = forms.CharField(required=False, label="because")
    classification = forms.ChoiceField(
        choices=Classification.choices, initial=Classification.INTERNAL, label="Classification"
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if bool(given.get("uploads")) == bool(given.get("paths", "").split()):
            raise forms.ValidationError("Choose files or give paths: one of the two.")
        if sum(file.size for file in given["uploads"]) > LARGEST:
            raise forms.ValidationError(f"Upload at most {LARGEST >> 20} MB at once, or put the files into a volume.")
        return given


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    when_empty = 'Conversations come from "Import": from files, or from an approved training sheet.'
    list_display = ("source_file", "enrichment", "score", "tier", "persona", "arc", "topic", "reviewed")
    list_filter = (
        ("enrichment_status", ChoicesDropdownFilter),
        ("quality_score", RangeNumericFilter),
        ("quality_tier", ChoicesDropdownFilter),
        ("persona_key", FieldTextFilter),
        ("emotional_arc_key", FieldTextFilter),
        ("training_topic_key", FieldTextFilter),
        ("batch_id", FieldTextFilter),
        ("training_sheet", VisibleRelated),
    )
    search_fields = ("source_file", "persona_name", "emotional_arc", "training_topic", "batch_id", "id")
    actions_list = ("bring_in",)
    fieldsets = (
        (None, {"fields": ("source_file", ("enrichment", "created_date"), ("score", "tier"))}),
        ("Turns", {"fields": (("total_turns", "training_pairs", "human_reviewed_pairs"), "enriched_file_path", "file_sha256")}),
        (
            "Scaffolding",
            {"fields": (("persona_key", "persona_name"), ("emotional_arc_key", "emotional_arc"), ("training_topic_key", "training_topic"))},
        ),
        ("Uses", {"fields": (("allowed_uses", "prohibited_uses"), ("usage_reason", "data_classification"))}),
        ("Origin", {"fields": (("batch_id", "training_sheet"), "qa_pair_id", ("created_by", "created_at"), "id")}),
    )  # fmt: skip

    def has_bring_in_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        return bool(request.user.has_perm("training.add_conversation"))

    @action(description="Import", icon="upload", variant=ActionVariant.PRIMARY, permissions=["bring_in"])
    def bring_in(self, request: HttpRequest) -> HttpResponse:
        return import_page(self, request)

    @display(description="enrichment", ordering="enrichment_status", label=ENRICHMENT)
    def enrichment(self, row: Conversation) -> str:
        return row.enrichment_status

    @display(description="tier", ordering="quality_tier", label=TIERS)
    def tier(self, row: Conversation) -> str:
        return row.quality_tier

    @display(description="quality", ordering="quality_score")
    def score(self, row: Conversation) -> str:
        return "—" if row.quality_score is None else f"{row.quality_score:g}"

    @display(description="persona", ordering="persona_key")
    def persona(self, row: Conversation) -> str:
        return row.persona_key

    @display(description="arc", ordering="emotional_arc_key")
    def arc(self, row: Conversation) -> str:
        return row.emotional_arc_key

    @display(description="topic", ordering="training_topic_key")
    def topic(self, row: Conversation) -> str:
        return row.training_topic_key

    @display(description="reviewed")
    def reviewed(self, row: Conversation) -> str:
        return f"{row.human_reviewed_pairs} of {row.training_pairs}"


def import_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """Return the page that imports files or makes conversations from a training sheet; on success go to its batch."""
    if not admin.has_bring_in_permission(request):
        raise PermissionDenied
    of_sheet = request.method == "POST" and "training_sheet" in request.POST
    posted = request.method == "POST" and not of_sheet
    form = ImportForm(request.POST, request.FILES) if posted else ImportForm()
    problem: Problem | None = None
    try:
        if of_sheet:
            return _made_from(request)
        if posted and form.is_valid():
            return _imported(request, form.cleaned_data)
    except Problem as refused:
        problem = refused
    context = {
        **admin.admin_site.each_context(request),
        "title": "Import conversations",
        "form": form,
        "problem": problem,
        "faults": list(problem.fields.items()) if problem else [],
        "training_sheets": TrainingSheet.objects.visible_to(request.user)
        .filter(status__in=["approved", "trained"])
        .order_by("-id")[:200],
    }
    return TemplateResponse(
        request, "training/conversations_import.html", context, status=problem.status if problem else 200
    )


def _imported(request: HttpRequest, given: dict[str, Any]) -> HttpResponse:
    limits = Limits(given["prohibited"], given["reason"], given["classification"])
    actor = request.user.get_username()
    if given["uploads"]:
        files = ((file.name, file.read()) for file in given["uploads"])
        batch, ids = import_conversations(files, actor=actor, limits=limits)
    else:
        paths = given["paths"].split()
        for path in paths:
            need_file(request.user, path)
        batch, ids = import_from_volume(paths, actor=actor, limits=limits)
    return _to_batch(request, batch, f"Imported {len(ids):,} conversations.")


def _made_from(request: HttpRequest) -> HttpResponse:
    seen = TrainingSheet.objects.visible_to(request.user).select_related("sheet", "template")
    found = get_object_or_404(seen, pk=request.POST["training_sheet"])
    need_work(request.user, found)
    batch, ledger = conversations_from(found, actor=request.user.get_username())
    rest = "".join(f" {entry['count']:,} stay: {entry['reason']}." for entry in ledger.summary()["exclusions"])
    return _to_batch(request, batch, f"Made {ledger.exported:,} conversations.{rest}")


def _to_batch(request: HttpRequest, batch: str, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect(f"{reverse('admin:training_conversation_changelist')}?batch_id__icontains={batch}")
