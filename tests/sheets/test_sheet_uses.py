"""A sheet's own rule holds for all that is made from it, at once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit
from sheets.models import Sheet
from sheets.source_uses import limits_of, uses_of

HELD_OUT = {"allowed_uses": ["evaluation", "testing"], "reason": "Held out", "data_classification": "confidential"}


def saved(boards: Any) -> Sheet:
    sheet: Sheet = boards()
    sheet.save()
    return sheet


def test_the_api_changes_it_with_a_reason(boards: Any, api: APIClient, nils: User) -> None:
    sheet = saved(boards)
    assert limits_of(sheet) == []
    url = f"/api/v1/sheets/{sheet.pk}/uses"
    assert api.post(url, {**HELD_OUT, "reason": ""}).json()["error"]["fields"]["reason"]
    assert api.post(url, HELD_OUT).json()["allowed_uses"] == ["evaluation", "testing"]
    shown = api.get(url).json()
    assert shown["prohibited_uses"]["training"] == ["training not allowed: Held out"]
    assert uses_of(Sheet.objects.get()).data_classification == "confidential"
    audit = UsageConstraintAudit.objects.get()
    assert (audit.subject, audit.reason, audit.modified_by) == (f"sheet {sheet.pk}", "Held out", "rosa")
    assert api.post(url, HELD_OUT).status_code == 409
    other = APIClient()
    other.force_authenticate(nils)
    assert other.post(url, HELD_OUT).status_code == 403


def test_it_is_not_changed_as_the_pointers_are(boards: Any, api: APIClient) -> None:
    sheet = saved(boards)
    api.patch(f"/api/v1/sheets/{sheet.pk}", {"description": "x", "allowed_uses": ["testing"]})
    assert Sheet.objects.get().allowed_uses == ["training", "validation", "evaluation", "few_shot", "testing"]


def test_the_admin_asks_looks_and_does(boards: Any, rosa: User, client: Client) -> None:
    sheet = saved(boards)
    client.force_login(rosa)
    url = f"/admin/sheets/sheet/{sheet.pk}/uses/"
    asked = client.get(url).content.decode()
    assert f"What {sheet.name} may be used for" in asked and asked.count("now allowed") == 5
    given = {"use_training": "prohibit", "reason": "Held out"}
    look = client.post(url, {**given, "step": "look"})
    assert look.context["changes"] == [("training prohibited", 1)]
    assert not UsageConstraintAudit.objects.exists()
    assert "Say why" in client.post(url, {**given, "reason": "", "step": "do"}).content.decode()
    assert client.post(url, {**given, "step": "do"}).status_code == 302
    assert Sheet.objects.get().prohibited_uses == ["training"]
    assert "now prohibited" in client.get(url).content.decode()
    page = client.get(f"/admin/sheets/sheet/{sheet.pk}/change/").content.decode()
    assert "training" in page and "Held out" in page
