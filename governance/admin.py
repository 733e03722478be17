"""The audit of usage constraints: who limited what, when and why; nobody edits it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from governance import audit, policies
from governance.admin_filters import ChangedWithin, ClassificationChanged, ClassifiedFrom, ClassifiedTo, UseChanged
from governance.audit_export import audit_response
from governance.changing import LOOSEN, use_words
from governance.foresight import foreseen
from governance.models import TagPolicy, UsageConstraintAudit
from governance.naming import KINDS, names_of, subject_of
from governance.showing import badge
from governance.uses_form import UsesField
from workbench.admin_base import ReadOnlyAdmin, VerbAdmin, VerbForm, link
from workbench.admin_filters import DayRange
from workbench.canonical import canonical_json
from workbench.concepts import short
from workbench.problems import Conflict

EXACT = r"Y-m-d H:i:s \U\T\C"


class NamedList(ChangeList):
    """A page of the audit whose rows know the names of what they are about."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        name_them(self.result_list, request.user)


def name_them(rows: list[Any], user: Any) -> None:
    """Note at each row the name of what it is about."""
    names = names_of(rows, user)
    for row in rows:
        row.about_name = names.get(subject_of(row), "")


@admin.register(UsageConstraintAudit)
class UsageConstraintAuditAdmin(ReadOnlyAdmin):
    when_empty = "Each change of uses and rules, each export and each refused change comes here."
    list_display = ("sequence", "hash", "changed_at", "about", "change", "classification", "why", "modified_by")
    list_before_template = "governance/audit_questions.html"
    list_filter = (
        ChangedWithin,
        ("modified_at", DayRange),
        ("kind", ChoicesDropdownFilter),
        UseChanged,
        ClassificationChanged,
        ClassifiedFrom,
        ClassifiedTo,
        ("modified_by", FieldTextFilter),
    )
    actions_list = ("verify_now", "as_csv", "as_jsonl")
    search_fields = ("qa_pair_id", "canonical_label_id", "subject", "reason", "modified_by")
    fieldsets = (
        (None, {"fields": ("sequence", "about", "change", "classification", "reason", "modified_by", "changed_at")}),
        ("Before", {"fields": ("old_allowed_uses", "old_prohibited_uses", "old_data_classification")}),
        ("After", {"fields": ("new_allowed_uses", "new_prohibited_uses", "new_data_classification")}),
        ("Chain", {"fields": ("previous_hash", "row_hash", "hash")}),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NamedList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found:
            name_them([found], request.user)
        return found

    @display(description="of")
    def about(self, row: Any) -> str:
        sheet, item, item_ref = row.subject.removeprefix("sheet ").partition(" item ")
        if item:
            query = "?" + urlencode({"sheet": sheet, "item_ref": item_ref})
            return link(f"item {short(item_ref)}", "governance_usageconstraintaudit_recall", query=query)
        kind, key = subject_of(row)
        if not kind:
            return str(row.subject)
        return link(f"{kind} {short(row.about_name)}".strip(), KINDS[kind].page, key)

    @display(description="time", ordering="modified_at")
    def changed_at(self, row: UsageConstraintAudit) -> str:
        """Return the time with its seconds, since a change of many rows takes less than a minute."""
        return date_format(row.modified_at, EXACT)

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
        return badge(f"{row.old_data_classification or '—'} → {row.new_data_classification or '—'}", "warn")

    @display(description="reason")
    def why(self, row: UsageConstraintAudit) -> str:
        return short(row.reason, 80)

    @display(description="hash")
    def hash(self, row: UsageConstraintAudit) -> SafeString:
        """Return the beginning of the row's hash, and whether the row is what was hashed."""
        if audit.is_unchanged(row):
            return badge(row.row_hash[:8], "good", f"{row.row_hash}: the row is as it was added")
        return badge("changed", "bad", "The row is not what was hashed: verify the audit.")

    @action(description="Verify now", icon="verified_user", variant=ActionVariant.PRIMARY, permissions=["view"])
    def verify_now(self, request: HttpRequest) -> HttpResponse:
        """Walk the whole chain and say what is wrong with it."""
        found = audit.verification()
        if found.is_whole:
            words = f"The audit is whole: {found.rows:,} rows, each with the hash of the one before."
            self.message_user(request, words, messages.SUCCESS)
        for fault in found.faults:
            self.message_user(request, str(fault), messages.ERROR)
        return redirect("admin:governance_usageconstraintaudit_changelist")

    @action(description="CSV", icon="download", permissions=["view"])
    def as_csv(self, request: HttpRequest) -> HttpResponseBase:
        return audit_response(self.get_queryset(request), "csv")

    @action(description="JSONL", icon="download", permissions=["view"])
    def as_jsonl(self, request: HttpRequest) -> HttpResponseBase:
        return audit_response(self.get_queryset(request), "jsonl")


class TagPolicyForm(VerbForm):
    prohibited_uses = UsesField(help_text="What nothing made from a source with this tag may be used for.")
    reason = forms.CharField(widget=UnfoldAdminTextInputWidget, help_text="Kept in the audit.")

    class Meta:
        model = TagPolicy
        fields = ("tag", "prohibited_uses", "data_classification")


@admin.register(TagPolicy)
class TagPolicyAdmin(VerbAdmin):
    when_empty = "A rule says what nothing made from a source with a tag may be used for."
    form = TagPolicyForm
    list_before_template = "governance/rules_lead.html"
    change_form_outer_before_template = "governance/rule_ahead.html"
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
        self._show_ahead(request, {**values, "tag": obj.tag})
        if change:
            stored, may_loosen = TagPolicy.objects.get(pk=obj.pk), request.user.has_perm(LOOSEN)
            saved = policies.change_policy(stored, values, reason, actor=actor, may_loosen=may_loosen)
        else:
            saved = policies.add_policy(values, reason, actor=actor)
        vars(obj).update(vars(saved))

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the page; that the rule was only looked at is no error of the form."""
        if getattr(request, "foreseen", None):
            context["adminform"].form.errors.clear()
            context["errors"] = None
        return super().render_change_form(request, context, *args, **kwargs)

    def _show_ahead(self, request: Any, values: dict[str, Any]) -> None:
        """Raise Conflict, with what the rule will do beside the form, unless that was shown before for these values."""
        asked = canonical_json(values)
        if request.POST.get("seen") == asked:
            return
        ahead = foreseen("tag_rule", values, request.user)
        if ahead:
            request.foreseen, request.seen = ahead, asked
            raise Conflict("Look at what this will do to exports, then save again.")
