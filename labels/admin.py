"""The admin of canonical labels: recorded through their verb, each change a version and, for uses, an audit row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    FieldTextFilter,
)
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from governance.admin_filters import ChangedWithin, ProhibitedUse
from governance.changing import CHANGE_USES, LIMITS, LOOSEN, Outcome
from governance.showing import short_badge
from governance.uses import gate
from governance.uses_form import UsesField
from governance.uses_page import MOST, uses_page
from labels.actions import record_label
from labels.admin_held_out import reserve_selected
from labels.limiting import change_uses
from labels.models import CanonicalLabel, CanonicalLabelVersion, LabelOpinion, SecondOpinion, all_uses
from labels.opinions.actions import ask_for_opinions
from labels.staleness import is_stale, stale_labels
from sheets.models import Sheet
from templates_app.annotations import asks_for_annotations
from templates_app.answer_words import answer_words
from templates_app.schemas import normalise_output_schema
from workbench.admin_base import ReadOnlyAdmin, ReadOnlyInline, VerbAdmin, VerbForm, more
from workbench.admin_filters import DayRange, VisibleRelated
from workbench.concepts import short
from workbench.problems import Forbidden
from workbench.sheet_rights import need_work_on

SHEET = "sheet__id__exact"
KEY = ("sheet", "item_ref", "label_type")
CONFIDENCE = {"high": "success", "medium": "info", "low": "warning"}
CLASSIFICATION = {"public": "success", "internal": "info", "confidential": "warning", "restricted": "danger"}


class LabelForm(VerbForm):
    allowed_uses = UsesField(initial=all_uses)
    prohibited_uses = UsesField(help_text="A prohibition wins over a permission.")
    reason = forms.CharField(
        required=False,
        label="Why uses or classification change",
        widget=UnfoldAdminTextInputWidget,
        help_text="Needed only for such a change; it is kept in the audit.",
    )
    change_note = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What changed in the label; it goes to the version.",
    )

    class Meta:
        model = CanonicalLabel
        fields = (
            *KEY, "label_data", "confidence", "notes", "template",
            "allowed_uses", "prohibited_uses", "usage_reason", "data_classification",
        )  # fmt: skip


class VersionInline(ReadOnlyInline):
    model = CanonicalLabelVersion
    fields = ("version", "answer", "confidence", "modified_by", "modified_at", "change_note")
    readonly_fields = fields
    show_change_link = True

    @display(description="label")
    def answer(self, version: CanonicalLabelVersion) -> str:
        return short(answer_words(version.label_data), 90)


class ChangedSince(admin.SimpleListFilter):
    """Labels of one sheet whose item changed since; asked only where a sheet is chosen, because it reads its items."""

    title = "item"
    parameter_name = "item"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("changed", "changed since it was labeled")] if SHEET in request.GET else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[CanonicalLabel]) -> QuerySet[CanonicalLabel]:
        sheet = Sheet.objects.visible_to(request.user).filter(pk=request.GET.get(SHEET)).first()
        if self.value() != "changed" or sheet is None:
            return queryset
        return queryset.filter(pk__in=[label.pk for label in stale_labels(sheet)])


@admin.register(CanonicalLabel)
class CanonicalLabelAdmin(VerbAdmin):
    when_empty = "Canonical labels come from labeling, imports and approved pairs."
    form = LabelForm
    list_display = ("item_ref", "label_type", "answer", "how_sure", "uses", "classification", "labeled_by", "version")
    list_filter = (
        ("sheet", VisibleRelated),
        ChangedSince,
        ("label_type", FieldTextFilter),
        ("confidence", ChoicesDropdownFilter),
        ("data_classification", ChoicesDropdownFilter),
        ProhibitedUse,
        ("labeled_by", FieldTextFilter),
        ("labeled_at", DayRange),
    )
    ordering = ("-last_modified_at", "-id")
    search_fields = ("item_ref", "notes", "label_data", "labeled_by")
    inlines = (VersionInline,)
    actions = ("change_uses_selected", "reserve_selected")
    actions_list = ("label_items",)
    actions_detail = ("open_item", "versions", more("as_jsonl", "as_coco", "as_yolo"))
    fieldsets = (
        ("Item", {"fields": KEY}),
        ("Label", {"fields": ("label_data", "confidence", "notes", "template", "change_note")}),
        (
            "What it may be used for",
            {"fields": ("allowed_uses", "prohibited_uses", "usage_reason", "data_classification", "reason")},
        ),
        (
            "Kept by the workbench",
            {
                "fields": (
                    ("version", "item_hash", "item_is"),
                    ("labeled_by", "labeled_at"),
                    ("last_modified_by", "last_modified_at"),
                    ("decided_by", "opinions_by"),
                )
            },
        ),
    )
    kept = (
        "version", "item_hash", "item_is", "labeled_by", "labeled_at", "last_modified_by", "last_modified_at",
        "decided_by", "opinions_by",
    )  # fmt: skip

    @action(description="All of this type as JSONL", icon="download", permissions=["view"])
    def as_jsonl(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return _export(request, object_id, "jsonl")

    @action(description="as COCO", icon="crop_free", permissions=["view"])
    def as_coco(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return _export(request, object_id, "coco")

    @action(description="as YOLO", icon="crop_free", permissions=["view"])
    def as_yolo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return _export(request, object_id, "yolo")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Leave out COCO and YOLO where a label has no shapes."""
        every = super().get_actions_detail(request, object_id)
        label = CanonicalLabel.objects.filter(pk=object_id).first()
        shaped = label is not None and asks_for_annotations(normalise_output_schema(label.output_schema or {}))
        return every if shaped else [each for each in every if not each.action_name.endswith(("_as_coco", "_as_yolo"))]

    @display(description="item", label={"as it was labeled": "success", "changed since": "warning"})
    def item_is(self, label: CanonicalLabel) -> str:
        return ("changed since" if is_stale(label) else "as it was labeled") if label.item_hash else "—"

    def create(self, data: Mapping[str, Any], *, actor: str) -> CanonicalLabel:
        return record_label(**data, actor=actor)

    def update(self, row: Any, data: Mapping[str, Any], *, actor: str) -> CanonicalLabel:
        """Record what changed on top of what is there; the verb takes everything but uses as given."""
        present = {name: getattr(row, name) for name in (*KEY, "label_data", "confidence", "notes")}
        return record_label(**(present | dict(data)), actor=actor)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and set(LIMITS) & set(form.changed_data) and not self.has_limit_permission(request):
            raise Forbidden("You may record labels, but not change what they may be used for: leave uses as they are.")
        super().save_model(request, obj, form, change)

    def has_limit_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(CHANGE_USES))

    @admin.action(description="Change uses …", permissions=["limit"])
    def change_uses_selected(self, request: HttpRequest, queryset: QuerySet[CanonicalLabel]) -> HttpResponse | None:
        keys = list(queryset.values_list("pk", flat=True)[: MOST + 1])

        need_work_on(request.user, queryset)

        def change(uses: dict[str, Any], reason: str, _batch_id: str, preview: bool) -> Outcome:
            may_loosen, actor = request.user.has_perm(LOOSEN), request.user.get_username()
            return change_uses(keys, uses, reason, actor=actor, preview=preview, may_loosen=may_loosen)

        return uses_page(self, request, keys, change, action="change_uses_selected")

    @admin.action(description="Reserve for evaluation …", permissions=["limit"])
    def reserve_selected(self, request: HttpRequest, queryset: QuerySet[CanonicalLabel]) -> HttpResponse | None:
        rows = list(queryset.values_list("pk", "sheet_id", "item_ref")[: MOST + 1])
        return reserve_selected(self, request, [key for key, *_ in rows], [(sheet, ref) for _, sheet, ref in rows])

    @action(description="Label, import and export", icon="edit_note", variant=ActionVariant.PRIMARY)
    def label_items(self, _request: HttpRequest) -> HttpResponse:
        return redirect("label-entry")

    @action(description="Open in labeling", icon="edit_note", variant=ActionVariant.PRIMARY, permissions=["view"])
    def open_item(self, request: HttpRequest, object_id: str) -> HttpResponse:
        label = get_object_or_404(CanonicalLabel.objects.visible_to(request.user), pk=object_id)
        return redirect(
            f"{reverse('label', args=[label.sheet_id, label.label_type])}?{urlencode({'item': label.item_ref})}"
        )

    @action(description="Versions", icon="history", url_path="versions", permissions=["view"])
    def versions(self, _request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("label-versions", label_id=object_id)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes ground truth: pairs and their history point at it."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.kept, *KEY) if obj else self.kept

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj and not self.has_change_permission(request, obj):  # the form's own fields are no columns
            return [(title, {**options, "fields": _columns(options["fields"])}) for title, options in fieldsets]
        return fieldsets if obj else fieldsets[:-1]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()

    @display(description="label")
    def answer(self, label: CanonicalLabel) -> str:
        return short(answer_words(label.label_data), 40)

    @display(description="confidence", ordering="confidence", label=CONFIDENCE)
    def how_sure(self, label: CanonicalLabel) -> str:
        return label.confidence

    @display(description="classification", ordering="data_classification", label=CLASSIFICATION)
    def classification(self, label: CanonicalLabel) -> str:
        return label.data_classification

    @display(description="uses")
    def uses(self, label: CanonicalLabel) -> SafeString:
        return short_badge(gate(label=label))


@admin.register(CanonicalLabelVersion)
class CanonicalLabelVersionAdmin(ReadOnlyAdmin):
    when_empty = "Each version of a canonical label comes here."
    list_display = (
        "canonical_label",
        "version",
        "answer",
        "confidence",
        "change_note",
        "modified_by",
        "modified_at",
    )
    list_select_related = ("canonical_label",)
    ordering = ("-modified_at", "-id")
    list_filter = (ChangedWithin, ("modified_by", FieldTextFilter), ("confidence", ChoicesDropdownFilter))
    search_fields = ("canonical_label__item_ref", "change_note", "modified_by")
    fields = (
        "canonical_label", "version", "label_data", "confidence", "notes", "allowed_uses", "prohibited_uses",
        "usage_reason", "data_classification", "change_note", "modified_by", "modified_at", "decided_by",
    )  # fmt: skip

    @display(description="label")
    def answer(self, version: CanonicalLabelVersion) -> str:
        return short(answer_words(version.label_data), 90)


class SecondOpinionForm(VerbForm):
    class Meta:
        model = SecondOpinion
        fields = ("sheet", "label_type", "share", "tolerance", "min_iou")
        labels: ClassVar[dict[str, str]] = {"min_iou": "Overlap of boxes"}


@admin.register(SecondOpinion)
class SecondOpinionAdmin(VerbAdmin):
    form = SecondOpinionForm
    when_empty = "A rule has a second expert answer a share of a sheet's items."
    fieldsets = (
        (None, {"fields": ("sheet", "label_type", "share")}),
        ("When two answers are the same", {"fields": ("tolerance", "min_iou")}),
        ("Kept by the workbench", {"fields": (("updated_by", "updated_at"),)}),
    )
    list_display = ("sheet", "label_type", "percent", "tolerance", "overlap", "updated_by", "updated_at")
    list_select_related = ("sheet",)
    list_filter = (("sheet", VisibleRelated), ("label_type", FieldTextFilter))
    search_fields = ("label_type", "updated_by")
    actions_detail = ("agreement",)

    @display(description="overlap of boxes", ordering="min_iou")
    def overlap(self, rule: SecondOpinion) -> str:
        return f"{rule.min_iou:g}"

    @display(description="share", ordering="share")
    def percent(self, rule: SecondOpinion) -> str:
        return f"{rule.share} %"

    @action(description="Agreement", icon="balance", variant=ActionVariant.PRIMARY, permissions=["view"])
    def agreement(self, _request: HttpRequest, object_id: str) -> HttpResponse:
        rule = get_object_or_404(SecondOpinion, pk=object_id)
        return redirect("agreement", sheet_id=rule.sheet_id, label_type=rule.label_type)

    def create(self, data: Mapping[str, Any], *, actor: str) -> SecondOpinion:
        return ask_for_opinions(**data, actor=actor)

    def update(self, row: Any, data: Mapping[str, Any], *, actor: str) -> SecondOpinion:
        names = ("sheet", "label_type", "share", "tolerance", "min_iou")
        return ask_for_opinions(**{name: getattr(row, name) for name in names} | dict(data), actor=actor)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A share of 0 asks for none, and keeps who asked for what."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("updated_by", "updated_at", "sheet", "label_type") if obj else ("updated_by", "updated_at")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj else fieldsets[:-1]


@admin.register(LabelOpinion)
class LabelOpinionAdmin(ReadOnlyAdmin):
    when_empty = "Answers of second experts come here, where second opinions are asked for."
    list_display = ("item_ref", "label_type", "answer", "first_author", "author", "status", "decided_by", "made_at")
    list_filter = (
        ("sheet", VisibleRelated),
        ("status", ChoicesDropdownFilter),
        ("author", FieldTextFilter),
        ("label_type", FieldTextFilter),
    )
    search_fields = ("item_ref", "author", "first_author", "decided_by")
    fields = (
        "sheet", "item_ref", "label_type", "first_author", "label_version", "author", "label_data", "confidence", "notes",
        "made_at", "status", "decided_by", "decided_at",
    )  # fmt: skip

    @display(description="second opinion")
    def answer(self, opinion: LabelOpinion) -> str:
        return short(answer_words(opinion.label_data), 40)


def _export(request: HttpRequest, label_id: str, form: str) -> HttpResponse:
    """Send the browser to the file of all labels of the sheet and type of one."""
    label = get_object_or_404(CanonicalLabel.objects.visible_to(request.user), pk=label_id)
    query = urlencode({"sheet": label.sheet_id, "label_type": label.label_type, "format": form})
    return redirect(f"{reverse('canonicallabel-export')}?{query}")


def _columns(names: Any) -> list[Any]:
    return [name for name in names if name not in ("reason", "change_note")]
