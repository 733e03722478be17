"""The audit of usage constraints: who limited what, when and why; nobody edits it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from governance import policies
from governance.admin_filters import ChangedWithin, ClassificationChanged
from governance.changing import LOOSEN, use_words
from governance.models import TagPolicy, UsageConstraintAudit
from governance.showing import badge
from governance.uses_form import UsesField
from workbench.admin_base import ReadOnlyAdmin, VerbAdmin, VerbForm, link
from workbench.concepts import short


@admin.register(UsageConstraintAudit)
class UsageConstraintAuditAdmin(ReadOnlyAdmin):
    list_display = ("sequence", "modified_at", "about", "change", "classification", "why", "modified_by")
    list_filter = (
        ChangedWithin,
        ("kind", ChoicesDropdownFilter),
        ClassificationChanged,
        ("modified_by", FieldTextFilter),
        ("new_data_classification", FieldTextFilter),
    )
    search_fields = ("qa_pair_id", "canonical_label_id", "subject", "reason", "modified_by")
    fieldsets = (
        (None, {"fields": ("sequence", "about", "change", "classification", "reason", "modified_by", "modified_at")}),
        ("Before", {"fields": ("old_allowed_uses", "old_prohibited_uses", "old_data_classification")}),
        ("After", {"fields": ("new_allowed_uses", "new_prohibited_uses", "new_data_classification")}),
        ("Chain", {"fields": ("previous_hash", "row_hash")}),
    )

    @display(description="of")
    def about(self, row: UsageConstraintAudit) -> str:
        if row.canonical_label_id:
            return link("canonical label", "labels_canonicallabel_change", row.canonical_label_id)
        return link("pair", "training_qapair_change", row.qa_pair_id) if row.qa_pair_id else row.subject

    @display(description="change")
    def change(self, row: UsageConstraintAudit) -> str:
        before, after = (
            {name: getattr(row, f"{when}_{name}") for name in ("allowed_uses", "prohibited_uses")}
            for when in ("old", "new")
        )
        return ", ".join(use_words(before, after)) or row.get_kind_display()

    @display(description="classification")
    def classification(self, row: UsageConstraintAudit) -> SafeString:
        if row.old_data_classification == row.new_data_classification:
            return badge(row.new_data_classification or "—")
        return badge(f"{row.old_data_classification or '—'} → {row.new_data_classification or '—'}", "warning")

    @display(description="reason")
    def why(self, row: UsageConstraintAudit) -> str:
        return short(row.reason, 80)


class TagPolicyForm(VerbForm):
    prohibited_uses = UsesField(help_text="What nothing made from a source with this tag may be used for.")
    reason = forms.CharField(widget=UnfoldAdminTextInputWidget, help_text="Kept in the audit.")

    class Meta:
        model = TagPolicy
        fields = ("tag", "prohibited_uses", "data_classification")


@admin.register(TagPolicy)
class TagPolicyAdmin(VerbAdmin):
    form = TagPolicyForm
    list_display = ("tag", "prohibits", "data_classification", "updated_by", "updated_at")
    search_fields = ("tag",)
    fieldsets = (
        (None, {"fields": ("tag", "prohibited_uses", "data_classification", "reason")}),
        ("Kept by the workbench", {"fields": (("updated_by", "updated_at"),)}),
    )

    @display(description="prohibits")
    def prohibits(self, policy: TagPolicy) -> str:
        return ", ".join(policy.prohibited_uses) or "nothing"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("updated_by", "updated_at", "tag") if obj else ("updated_by", "updated_at")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)[:1]
        if not self.has_change_permission(request, obj):  # the form's own field is no column
            return [(None, {"fields": ("tag", "prohibits", "data_classification", "updated_by", "updated_at")})]
        return super().get_fieldsets(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting has no place for the reason that it needs: the API has one."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values, actor = dict(form.cleaned_data), request.user.get_username()
        reason = values.pop("reason")
        if change:
            stored, may_loosen = TagPolicy.objects.get(pk=obj.pk), request.user.has_perm(LOOSEN)
            saved = policies.change_policy(stored, values, reason, actor=actor, may_loosen=may_loosen)
        else:
            saved = policies.add_policy(values, reason, actor=actor)
        vars(obj).update(vars(saved))
