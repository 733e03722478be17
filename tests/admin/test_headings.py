"""What a row's page and its line in a list say of it: names and times, the buttons that are used most, no way to nowhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from governance import audit
from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel, CanonicalLabelVersion
from training.models import TrainingSheet


def buttons(page: Any) -> list[str]:
    return [each["title"] for each in page.context["actions_detail"]]


def test_a_sheets_rarer_buttons_stand_behind_one(client: Client, omar: User, boards: TrainingSheet) -> None:
    client.force_login(omar)
    page: Any = client.get(f"/admin/sheets/sheet/{boards.sheet_id}/change/")
    assert buttons(page) == ["Generate training sheet", "Label items", "All items", "More"]
    behind = [each["title"] for each in page.context["actions_detail"][-1]["items"]]
    assert behind == ["Check items", "Sensitive data", "Change uses", "Who sees it"]
    assert 'role="button" tabindex="0"' in page.content.decode()


def test_the_history_is_offered_where_there_is_one(admin: Client, boards: TrainingSheet) -> None:
    address = f"/admin/training/trainingsheet/{boards.pk}/change/"
    assert "/history/" not in admin.get(address).content.decode()
    given = {"sheet": boards.sheet_id, "template": boards.template_id, "mode": "manual", "limit": "1"}
    made: Any = admin.post("/admin/training/trainingsheet/generate/", given, follow=True)
    assert "/history/" in made.content.decode()


def test_a_label_without_shapes_is_offered_as_jsonl_alone(admin: Client, boards: TrainingSheet) -> None:
    label = CanonicalLabel.objects.filter(sheet_id=boards.sheet_id)[0]
    page: Any = admin.get(f"/admin/labels/canonicallabel/{label.pk}/change/")
    assert [each["title"] for each in page.context["actions_detail"][-1]["items"]] == ["All of this type as JSONL"]


def test_the_audit_names_what_a_row_is_about(admin: Client, boards: TrainingSheet) -> None:
    label = CanonicalLabel.objects.all()[0]
    of_label = audit.entry("uses", "", reason="Privacy review", actor="omar", canonical_label_id=label.pk)
    of_sheet = audit.entry("export", f"training sheet {boards.pk}", reason="10 of 50 pairs left", actor="omar")
    audit.append([of_sheet, of_label])
    listed = admin.get(reverse("admin:governance_usageconstraintaudit_changelist")).content.decode()
    assert f"canonical label {label.item_ref}</a>" in listed and f">training sheet {boards.name}"[:60] in listed
    page = admin.get(reverse("admin:governance_usageconstraintaudit_change", args=[of_sheet.pk])).content.decode()
    assert "Row 1: 10 of 50 pairs left" in page and boards.pk not in page.partition("</h1>")[0]


def test_a_version_is_named_by_its_label(admin: Client, boards: TrainingSheet) -> None:
    version = CanonicalLabelVersion.objects.select_related("canonical_label")[0]
    page = admin.get(reverse("admin:labels_canonicallabelversion_change", args=[version.pk])).content.decode()
    assert f"{version.canonical_label}, version 1" in page.partition("</h1>")[0]


def test_times_say_their_zone_and_in_the_audit_their_seconds(admin: Client, boards: TrainingSheet) -> None:
    audit.append([audit.entry("export", f"training sheet {boards.pk}", reason="10 of 50 pairs left", actor="omar")])
    at = UsageConstraintAudit.objects.get().modified_at
    assert f"{at:%Y-%m-%d %H:%M:%S} UTC" in admin.get("/admin/governance/usageconstraintaudit/").content.decode()
    made = f"{boards.created_at:%Y-%m-%d %H:%M} UTC"
    assert made in admin.get("/admin/training/trainingsheet/").content.decode()


def test_an_empty_list_says_what_comes_there(admin: Client, lakehouse: Path) -> None:
    page = admin.get("/admin/training/conversation/").content.decode()
    assert "Conversations come from &quot;Import&quot;" in page and "Reset filters" not in page
    page = admin.get("/admin/training/conversation/", {"q": "nothing like this"}).content.decode()
    assert "No conversations match" in page and "Reset filters" in page


def test_every_list_says_what_comes_there() -> None:
    ours = ("sheets", "templates_app", "labels", "training", "governance", "workbench")
    silent = [str(model) for model, at in site._registry.items() if model._meta.app_label in ours and not at.when_empty]
    assert silent == []


@pytest.mark.parametrize(
    ("address", "entry"),
    [
        ("governance/usageconstraintaudit/recall/", "Recall"),
        ("governance/usageconstraintaudit/exclusions/", "Exclusions"),
        ("governance/usageconstraintaudit/", "Usage changes"),
        ("sheets/sheet/tag/", "Tag rules"),
        ("sheets/sheet/catalog/", "Catalog"),
        ("training/reviewevent/", "Review events"),
    ],
)
def test_one_entry_of_the_sidebar_is_lit(admin: Client, lakehouse: Path, address: str, entry: str) -> None:
    page = admin.get(f"/admin/{address}").content.decode()
    (found,) = re.findall(r'<a href="[^"]*" class="[^"]* active">(.*?)</a>', page, re.DOTALL)
    assert f"<span>{entry}</span>" in found


def test_the_tab_says_what_is_open(admin: Client, boards: TrainingSheet) -> None:
    item = f"/admin/sheets/sheet/{boards.sheet_id}/items/pcb_001_scratch.jpg/"
    assert "pcb_001_scratch.jpg | Item |" in admin.get(item).content.decode()
    studio = f"/admin/templates_app/prompttemplate/{boards.template_id}/studio/"
    assert f"{boards.template} | Template studio |" in admin.get(studio).content.decode()
    listed = admin.get("/admin/training/trainingsheet/").content.decode()
    assert "Training sheets | Training Dataset Workbench</title>" in listed


def test_who_may_not_is_told_which_right_is_missing(client: Client, nils: User, lakehouse: Path) -> None:
    nils.is_staff = True
    nils.save()
    client.force_login(nils)
    asked = {"training/trainingsheet/generate/": "training.add_trainingsheet", "sheets/sheet/": "sheets.view_sheet"}
    for address, right in asked.items():
        page = client.get(f"/admin/{address}")
        assert page.status_code == 403 and f"<code>{right}</code>" in page.content.decode()
