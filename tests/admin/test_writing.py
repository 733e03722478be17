"""Sheets, templates and labels are written through their verbs, and a refusal comes back at its field."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from training.models import TrainingSheet

SHEET = {
    "name": "Lines", "description": "", "primary_table": "mirion_vital.samples.pcb_inspections", "secondary_sources": "[]",
    "join_keys": "image_id", "item_ref_column": "", "filter_condition": "", "sample_size": "",
}  # fmt: skip
TEMPLATE = {
    "name": "Short", "version": "1.0.0", "label_type": "classification", "system_prompt": "", "base_model": "",
    "user_prompt_template": "What is {{ image_id }}?", "input_schema": '[{"name": "image_id", "type": "string"}]',
    "output_schema": '{"type": "object"}', "examples": "[]", "temperature": "0", "max_tokens": "64", "guidelines": "",
}  # fmt: skip


def test_a_sheet_is_made_with_its_row_count(admin: Client, boards: TrainingSheet) -> None:
    response: Any = admin.post(reverse("admin:sheets_sheet_add"), SHEET)
    made = Sheet.objects.get(name="Lines")
    assert (response.status_code, made.row_count, made.created_by) == (302, 50, "rosa")
    assert LogEntry.objects.get().object_id == made.pk


def test_a_table_that_does_not_exist_is_named_at_its_field(admin: Client, boards: TrainingSheet) -> None:
    given = SHEET | {"primary_table": "mirion_vital.samples.pcb_inspection"}
    response = admin.post(reverse("admin:sheets_sheet_add"), given)
    faults = response.context["adminform"].form.errors
    assert "pcb_inspections" in faults["primary_table"][0]
    assert not Sheet.objects.filter(name="Lines").exists()


def test_wrong_json_is_told_with_its_line(admin: Client, boards: TrainingSheet) -> None:
    response = admin.post(reverse("admin:sheets_sheet_add"), SHEET | {"secondary_sources": '[\n {"type": "table",}]'})
    assert "Line 2, column" in response.context["adminform"].form.errors["secondary_sources"][0]


def test_a_filter_is_changed_and_counted(admin: Client, boards: TrainingSheet) -> None:
    admin.post(reverse("admin:sheets_sheet_add"), SHEET)
    made = Sheet.objects.get(name="Lines")
    admin.post(
        reverse("admin:sheets_sheet_change", args=[made.pk]), SHEET | {"filter_condition": "humidity_pct > 1000"}
    )
    made.refresh_from_db()
    assert (made.filter_condition, made.row_count) == ("humidity_pct > 1000", 0)


def test_a_sheet_in_use_is_not_deleted(admin: Client, boards: TrainingSheet) -> None:
    url = reverse("admin:sheets_sheet_delete", args=[boards.sheet_id])
    assert "training_sheet" not in str(admin.get(url).context["deleted_objects"])
    response = admin.post(url, {"post": "yes"}, follow=True)
    assert "point at the sheet" in response.content.decode()
    assert Sheet.objects.filter(pk=boards.sheet_id).exists()
    assert not LogEntry.objects.exists()


def test_a_template_goes_from_draft_to_published_to_archived(admin: Client, boards: TrainingSheet) -> None:
    admin.post(reverse("admin:templates_app_prompttemplate_add"), TEMPLATE)
    made = PromptTemplate.objects.get(name="Short")
    for verb, status in (("publish", "published"), ("archive", "archived")):
        url = f"/admin/templates_app/prompttemplate/{made.pk}/{verb}/"
        assert "dialog" in admin.get(url).content.decode()
        assert made.status != status
        assert "HX-Redirect" in admin.post(url, {"_form_submitted": "1"}).headers
        made.refresh_from_db()
        assert made.status == status


def test_a_published_template_is_not_edited_but_duplicated(admin: Client, boards: TrainingSheet) -> None:
    page = f"/admin/templates_app/prompttemplate/{boards.template_id}"
    assert admin.post(f"{page}/change/", TEMPLATE).status_code == 403
    admin.post(f"{page}/duplicate/", {"_form_submitted": "1"})
    copy = PromptTemplate.objects.get(name=boards.template.name, version="1.1.0")
    assert (copy.status, copy.created_by) == ("draft", "rosa")
    assert (
        'name="user_prompt_template"'
        in admin.get(f"/admin/templates_app/prompttemplate/{copy.pk}/change/").content.decode()
    )


def test_a_template_with_faults_is_not_published(admin: Client, boards: TrainingSheet) -> None:
    admin.post(reverse("admin:templates_app_prompttemplate_add"), TEMPLATE | {"user_prompt_template": "{{ other }}"})
    made = PromptTemplate.objects.get(name="Short")
    admin.post(f"/admin/templates_app/prompttemplate/{made.pk}/publish/", {"_form_submitted": "1"})
    shown = admin.get(f"/admin/templates_app/prompttemplate/{made.pk}/change/").content.decode()
    assert "was not published" in shown
    assert "other" in shown


def form_of(label: CanonicalLabel) -> dict[str, Any]:
    return {
        "label_data": '{"defect_type": "scratch", "severity": "major", "location": "top_left_quadrant"}', "confidence": "low",
        "notes": label.notes, "template": "", "allowed_uses": label.allowed_uses, "prohibited_uses": label.prohibited_uses,
        "usage_reason": label.usage_reason, "data_classification": label.data_classification, "reason": "",
        "change_note": "Looked again", "versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0,
    }  # fmt: skip


def test_a_label_gets_a_version(admin: Client, boards: TrainingSheet) -> None:
    label = CanonicalLabel.objects.filter(sheet_id=boards.sheet_id)[0]
    admin.post(reverse("admin:labels_canonicallabel_change", args=[label.pk]), form_of(label))
    label.refresh_from_db()
    newest = label.versions.get(version=2)
    assert (label.version, label.confidence, label.last_modified_by) == (2, "low", "rosa")
    assert (newest.change_note, newest.label_data["severity"]) == ("Looked again", "major")
    assert not UsageConstraintAudit.objects.exists()


def test_a_change_of_uses_needs_a_reason_and_is_audited(admin: Client, boards: TrainingSheet) -> None:
    label = CanonicalLabel.objects.filter(sheet_id=boards.sheet_id)[0]
    url = reverse("admin:labels_canonicallabel_change", args=[label.pk])
    given = form_of(label) | {"allowed_uses": ["testing"], "prohibited_uses": ["training"]}
    assert "reason" in admin.post(url, given).context["adminform"].form.errors
    admin.post(url, given | {"reason": "The customer asked"})
    audit = UsageConstraintAudit.objects.get()
    assert (audit.reason, audit.new_prohibited_uses, audit.modified_by) == ("The customer asked", ["training"], "rosa")
