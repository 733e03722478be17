"""What stands at the head of a row's page: its name, the buttons that are used most, and no way that leads nowhere."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from labels.models import CanonicalLabel
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
