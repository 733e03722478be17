"""A tag is put on a place and taken away by form and API: what it does is shown before, told in the audit, and holds at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from governance import audit
from governance.models import UsageConstraintAudit
from sheets import tagging
from sheets.restricting import restrict_sheet
from sheets.source_uses import uses_of
from training.models import QAPair, TrainingSheet

URL = "/api/v1/governance/tags"
TABLE = "mirion_vital.raw.parsed_invoices"
PHI = {"level": "table", "place": TABLE, "key": "PHI", "reason": "Names of patients"}


def as_(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def told() -> UsageConstraintAudit:
    return UsageConstraintAudit.objects.order_by("-sequence")[0]


def leaving() -> int:
    return QAPair.objects.filter(status="labeled").permitted("training").count()


def test_the_form_shows_what_the_tag_does_and_only_then_sets_it(
    client: Client, dora: User, invoices: TrainingSheet
) -> None:
    client.force_login(dora)
    url = reverse("admin:sheets_sheet_tag")
    table = reverse("admin:sheets_sheet_catalog", args=TABLE.split("."))
    assert f"{url}?level=table&amp;place={TABLE}" in client.get(table).text
    assert url in client.get(reverse("admin:governance_usageconstraintaudit_changelist")).text
    assert url in client.get(reverse("admin:governance_tagpolicy_changelist")).text
    form = {**PHI, "step": "look"}
    assert client.post(url, form | {"reason": " "}).status_code == 400
    unseen = client.post(url, form | {"step": "do"})
    shown = client.post(url, form)
    for page in (unseen, shown):
        assert page.status_code == 200 and "5</b> approved pairs leave exports" in page.text
    assert "training" in uses_of(invoices.sheet).allowed_uses
    seen = shown.context["seen"]
    other = client.post(url, form | {"step": "do", "seen": seen, "key": "PII"})
    assert other.status_code == 200 and "Nothing is changed yet" in other.text
    done = client.post(url, form | {"step": "do", "seen": seen}, follow=True)
    assert done.redirect_chain == [(table, 302)] and f"Tag PHI set on the table {TABLE}" in done.text
    assert "training" not in uses_of(invoices.sheet).allowed_uses
    row = told()
    assert (row.kind, row.subject, row.modified_by) == ("tag_rule", f"table {TABLE}", "dora")
    assert row.reason == f"Tag PHI set on the table {TABLE}: Names of patients"
    assert "training" in row.old_allowed_uses and "training" in row.new_prohibited_uses
    assert audit.verification().is_whole


def test_taking_one_away_needs_the_right_to_loosen(
    client: Client, dora: User, omar: User, invoices: TrainingSheet
) -> None:
    assert as_(dora).post(URL, PHI).json() == {"level": "table", "name": TABLE, "tags": {"PHI": ""}, "problem": ""}
    away = {**PHI, "remove": True, "reason": "It was a mistake"}
    refused = as_(dora).post(URL, away)
    assert refused.status_code == 403 and "platform lead" in refused.json()["error"]["message"]
    assert (told().kind, told().subject) == ("refusal", f"table {TABLE}")
    client.force_login(dora)
    shown = client.post(reverse("admin:sheets_sheet_tag"), {**away, "remove": "1", "step": "look"})
    assert "A platform lead may do that" in shown.text and "tag-do" not in shown.text
    assert as_(omar).post(URL, away).json()["tags"] == {}
    assert "training" in uses_of(invoices.sheet).allowed_uses and "training" in told().new_allowed_uses


def test_a_value_that_says_less_loosens(dora: User, omar: User, invoices: TrainingSheet) -> None:
    given = {**PHI, "level": "column", "place": f"{TABLE}.Extracted_Text", "key": "data class", "value": "phi"}
    assert as_(dora).post(URL, given).json()["name"] == f"{TABLE}.extracted_text"
    assert "training" not in uses_of(invoices.sheet).allowed_uses
    for value, status in (("it's 50% public\\", 403), ("CONFIDENTIAL", 403), ("phi", 409), ("PII", 200)):
        assert as_(dora).post(URL, given | {"value": value}).status_code == status, value
    assert as_(omar).post(URL, given | {"value": "it's 50% public\\"}).json()["tags"] == {
        "data class": "it's 50% public\\"
    }
    assert "training" in uses_of(invoices.sheet).allowed_uses


@pytest.mark.parametrize(
    ("level", "place"),
    [
        ("catalog", "mirion_vital"),
        ("schema", "Mirion_Vital.raw"),
        ("volume", "mirion_vital.raw.medical_invoices"),
        ("volume", "/Volumes/mirion_vital/raw/medical_invoices"),
    ],
)
def test_every_level_takes_a_tag(omar: User, invoices: TrainingSheet, level: str, place: str) -> None:
    given = {**PHI, "level": level, "place": place}
    assert as_(omar).post(URL, given).status_code == 200
    assert "training" not in uses_of(invoices.sheet).allowed_uses
    assert as_(omar).post(URL, {**given, "remove": True}).status_code == 200
    assert "training" in uses_of(invoices.sheet).allowed_uses


def test_what_is_wrong_is_named(omar: User, invoices: TrainingSheet) -> None:
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({"level": "tabel"}, 400, "Did you mean 'table'"),
        ({"place": "mirion_vital.raw"}, 400, "name a table as catalog.schema.table"),
        ({"place": f"{TABLE}x"}, 404, TABLE),
        ({"level": "column", "place": f"{TABLE}.extracted_txt"}, 404, "extracted_text"),
        ({"level": "volume"}, 404, "There is no volume"),
        ({"level": "schema", "place": "mirion_vital.rw"}, 404, "Did you mean 'raw'"),
        ({"key": "  "}, 400, "key"),
        ({"key": "a\nb"}, 400, "control character"),
        ({"reason": " "}, 400, "Say why"),
        ({"remove": True}, 409, "no such tag"),
    ]
    before = UsageConstraintAudit.objects.count()
    for given, status, words in wrong:
        answer = as_(omar).post(URL, PHI | given)
        assert answer.status_code == status and words in answer.json()["error"]["message"], answer.json()
    assert UsageConstraintAudit.objects.count() == before


def test_what_the_lakehouse_refuses_is_told_in_the_audit(
    omar: User, invoices: TrainingSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_change: object) -> None:
        raise DatabaseError("PERMISSION_DENIED: APPLY TAG")

    monkeypatch.setattr(tagging, "write_tag", refuse)
    answer = as_(omar).post(URL, PHI)
    assert answer.status_code == 409 and "PERMISSION_DENIED" in answer.json()["error"]["message"]
    assert told().reason.startswith("Not done") and "training" in told().new_allowed_uses
    assert leaving() == 5


def test_a_place_of_a_sheet_that_one_may_not_work_on_is_left_alone(
    dora: User, omar: User, invoices: TrainingSheet
) -> None:
    restrict_sheet(invoices.sheet, [{"user": "dora", "level": "read"}], actor="omar")
    for given in ({}, {"level": "schema", "place": "mirion_vital.raw"}, {"level": "column", "place": f"{TABLE}.npi"}):
        assert as_(User.objects.get(pk=dora.pk)).post(URL, PHI | given).status_code in (403, 404), given
    assert as_(omar).post(URL, PHI).status_code == 200
    restrict_sheet(invoices.sheet, [{"user": "omar"}], actor="omar")
    hidden = as_(User.objects.get(pk=dora.pk))
    assert hidden.post(URL, PHI).status_code == 404
    assert hidden.post(URL, {**PHI, "level": "catalog", "place": "mirion_vital"}).status_code == 403
    subjects = [row["subject"] for row in hidden.get("/api/v1/usage-constraint-audit").json()["results"]]
    assert f"table {TABLE}" not in subjects


def test_a_what_if_of_a_level_is_of_that_alone(omar: User, invoices: TrainingSheet, sql: Any) -> None:
    sql(f"CREATE VOLUME {TABLE}")
    asked = {"kind": "tag", "place": TABLE, "key": "PHI"}
    for level, count in (("table", 5), ("volume", 0)):
        found = as_(omar).post("/api/v1/governance/what-if", {**asked, "level": level}).json()
        assert sum(each["leave"] for each in found if each["use"] == "training") == count
