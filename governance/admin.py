"""The audit of usage constraints: who limited what, when and why; nobody edits it."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import FieldTextFilter
from unfold.decorators import display

from governance.admin_filters import ChangedWithin, ClassificationChanged
from governance.models import UsageConstraintAudit
from governance.showing import badge, changes_in_words
from workbench.admin_base import ReadOnlyAdmin, link
from workbench.concepts import short


@admin.register(UsageConstraintAudit)
class UsageConstraintAuditAdmin(ReadOnlyAdmin):
    list_display = ("modified_at", "subject", "change", "classification", "why", "modified_by")
    list_filter = (
        ChangedWithin,
        ClassificationChanged,
        ("modified_by", FieldTextFilter),
        ("new_data_classification", FieldTextFilter),
    )
    search_fields = ("qa_pair_id", "canonical_label_id", "reason", "modified_by")
    fieldsets = (
        (None, {"fields": ("subject", "change", "classification", "reason", "modified_by", "modified_at")}),
        ("Before", {"fields": ("old_allowed_uses", "old_prohibited_uses", "old_data_classification")}),
        ("After", {"fields": ("new_allowed_uses", "new_prohibited_uses", "new_data_classification")}),
    )

    @display(description="of")
    def subject(self, row: UsageConstraintAudit) -> str:
        if row.canonical_label_id:
            return link("canonical label", "labels_canonicallabel_change", row.canonical_label_id)
        return link("pair", "training_qapair_change", row.qa_pair_id)

    @display(description="change")
    def change(self, row: UsageConstraintAudit) -> str:
        before = row.old_allowed_uses, row.old_prohibited_uses
        return ", ".join(changes_in_words(before, (row.new_allowed_uses, row.new_prohibited_uses))) or "uses unchanged"

    @display(description="classification")
    def classification(self, row: UsageConstraintAudit) -> SafeString:
        if row.old_data_classification == row.new_data_classification:
            return badge(row.new_data_classification)
        return badge(f"{row.old_data_classification} → {row.new_data_classification}", "warning")

    @display(description="reason")
    def why(self, row: UsageConstraintAudit) -> str:
        return short(row.reason, 80)
