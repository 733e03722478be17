"""Columns that hold sensitive data are suggested to be tagged, which stops exports at once."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from governance.models import UsageConstraintAudit
from sheets.models import Sheet
from sheets.source_uses import uses_of
from sheets.suggesting import suggestions
from tests.conftest import Stage
from tests.seeded import loaded


@pytest.fixture
def invoices(stage: Stage) -> Sheet:
    stage(loaded, "medical_invoices")
    return Sheet.objects.get()


def test_a_suggested_column_is_tagged_by_the_form_that_it_leads_to(invoices: Sheet, client: Client, dora: User) -> None:
    client.force_login(dora)
    page = client.get(reverse("admin:sheets_sheet_sensitive", args=[invoices.pk])).text
    link = next(unescape(each) for each in re.findall(r'href="([^"]*/tag/[^"]*)"', page) if "extracted_text" in each)
    asked = dict(parse_qsl(urlsplit(link).query))
    assert asked["place"] == "mirion_vital.raw.parsed_invoices.extracted_text" and asked["key"] == "PII"
    assert f'value="{escape(asked["reason"])}"' in client.get(link).text
    seen = client.post(link, asked | {"step": "look"}).context["seen"]
    assert "training" in uses_of(invoices).allowed_uses
    assert client.post(link, asked | {"step": "do", "seen": seen}).status_code == 302
    assert "training" not in uses_of(invoices).allowed_uses
    told = UsageConstraintAudit.objects.order_by("-sequence")[0]
    assert (told.kind, told.modified_by) == ("tag_rule", "dora") and told.reason.endswith(asked["reason"])
    assert [each.column for each in suggestions(invoices) if each.tagged] == ["extracted_text"]


def test_who_may_not_limit_uses_is_told_of_the_suggestions_only(invoices: Sheet, client: Client, dora: User) -> None:
    dora.groups.clear()
    dora.user_permissions.add(Permission.objects.get(codename="view_sheet"))
    client.force_login(dora)
    page = client.get(reverse("admin:sheets_sheet_sensitive", args=[invoices.pk])).text
    assert "Suggested tag: PII" in page and "/tag/" not in page


def test_evidence_is_counted(invoices: Sheet) -> None:
    found = {each.column: dict(each.kinds) for each in suggestions(invoices)}
    assert found["extracted_text"]["name"] == 30 and found["provider_npi"] == {"npi": 30}
