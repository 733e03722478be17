"""Columns that hold sensitive data are suggested to be tagged, which stops exports at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from governance.models import UsageConstraintAudit
from sheets.models import Sheet
from sheets.source_uses import uses_of
from sheets.suggesting import suggestions, tag_column
from training.seeds import load
from workbench.problems import Invalid


@pytest.fixture
def invoices(lakehouse: Path) -> Sheet:
    load("medical_invoices")
    return Sheet.objects.get()


def test_a_lead_tags_a_suggested_column_with_a_reason(invoices: Sheet, client: Client, omar: User, rosa: User) -> None:
    url = reverse("admin:sheets_sheet_sensitive", args=[invoices.pk])
    given = {"column": "extracted_text", "tag": "PII", "reason": "Names of patients"}
    rosa.user_permissions.remove(*rosa.user_permissions.filter(codename="change_tagpolicy"))
    client.force_login(rosa)
    assert b"A platform lead sets it" in client.get(url).content
    assert client.post(url, given).status_code == 403
    client.force_login(omar)
    assert client.post(url, given | {"reason": " "}).status_code == 400
    assert "training" in uses_of(invoices).allowed_uses
    assert client.post(url, given).status_code == 302
    assert "training" not in uses_of(invoices).allowed_uses
    told = UsageConstraintAudit.objects.order_by("-sequence")[0]
    assert (told.kind, told.modified_by) == ("tag_rule", "omar") and told.reason.endswith("Names of patients")
    assert [each.column for each in suggestions(invoices) if each.tagged] == ["extracted_text"]


def test_evidence_is_counted_and_nothing_else_can_be_tagged(invoices: Sheet) -> None:
    found = {each.column: dict(each.kinds) for each in suggestions(invoices)}
    assert found["extracted_text"]["name"] == 30 and found["provider_npi"] == {"npi": 30}
    for wrong in ({"column": "page_count"}, {"tag": "PHI"}):
        given: Any = {"column": "extracted_text", "tag": "PII", **wrong}
        with pytest.raises(Invalid):
            tag_column(invoices, reason="x", actor="omar", **given)
