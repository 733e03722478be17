"""What limits an item holds in every sheet over the same items, and tells nothing of one that is restricted."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.models import Withdrawal
from labels.actions import record_label
from sheets.models import Sheet
from sheets.restricting import restrict_sheet
from training.models import QAPair, TrainingSheet

pytestmark = pytest.mark.usefixtures("beats_in_vain")

REASON = "Patient withdrew consent"


def as_(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=user.pk))
    return client


@pytest.fixture
def pair(invoices: TrainingSheet) -> QAPair:
    return QAPair.objects.of(invoices.pk).filter(status="labeled").permitted("training")[0]


def second(sheet: Sheet, omar: User) -> Sheet:
    """Make another sheet over the same table, which it spells in its own way."""
    table = ".".join(f"`{part.upper()}`" for part in sheet.primary_table.split("."))
    body = {"name": "Secret study", "primary_table": table, "join_keys": [sheet.item_ref_name]}
    made = as_(omar).post("/api/v1/sheets", body).json()
    assert made["primary_table"] == sheet.primary_table
    return Sheet.objects.get(pk=made["id"])


@pytest.fixture
def again(invoices: TrainingSheet, omar: User) -> Sheet:
    return second(invoices.sheet, omar)


def reasons(training_sheet: TrainingSheet, user: User) -> set[str]:
    summary = as_(user).get(f"/api/v1/training-sheets/{training_sheet.pk}/export/summary").json()
    return {each["reason"] for each in summary["exclusions"]}


def test_a_withdrawal_holds_in_the_other_sheet(
    invoices: TrainingSheet, again: Sheet, pair: QAPair, omar: User, rosa: User
) -> None:
    item = {"sheet": again.pk, "item_ref": pair.item_ref, "reason": REASON}
    foreseen = as_(omar).post("/api/v1/governance/what-if", {"kind": "item", **item}).json()
    assert "training" in [each["use"] for each in foreseen]
    assert as_(omar).post("/api/v1/governance/withdraw", item).status_code == 200
    assert f"training prohibited: item withdrawn: {REASON}" in reasons(invoices, rosa)
    assert pair not in QAPair.objects.permitted("training")
    restrict_sheet(again, [{"user": "omar"}], actor="omar")
    assert "training prohibited: item withdrawn in another sheet" in (said := reasons(invoices, rosa))
    assert REASON not in str(said)
    here = item | {"sheet": invoices.sheet_id}
    refused = as_(omar).post("/api/v1/governance/release", here)
    assert refused.status_code == 409 and "release it there" in refused.json()["error"]["message"]
    assert not Withdrawal.objects.get().is_released


def test_a_sheet_made_tomorrow_gets_nothing_of_it(invoices: TrainingSheet, omar: User) -> None:
    pair = QAPair.objects.of(invoices.pk).filter(canonical_label=None)[0]
    item = {"sheet": invoices.sheet_id, "item_ref": pair.item_ref, "reason": REASON}
    assert as_(omar).post("/api/v1/governance/withdraw", item).status_code == 200
    later = second(invoices.sheet, omar)
    asked = {"sheet_id": later.pk, "template_id": invoices.template_id, "labeling_mode": "manual"}
    made = as_(omar).post("/api/v1/training-sheets/generate", asked)
    assert made.status_code == 201 and made.json()["statistics"]["failed"] == 1
    new = QAPair.objects.get(training_sheet_id=made.json()["id"], item_ref=pair.item_ref)
    assert new.error == f"item withdrawn: {REASON}"
    assert [each["content"] for each in new.messages] == [""]


def test_a_reservation_names_nothing_of_a_restricted_sheet(
    invoices: TrainingSheet, again: Sheet, pair: QAPair, omar: User, rosa: User
) -> None:
    held = {"sheet": again.pk, "item_refs": [pair.item_ref], "use": "evaluation", "reason": "Golden set of the study"}
    assert as_(omar).post("/api/v1/held-out/reserve", held).status_code == 200
    assert "Golden set of the study" in str(reasons(invoices, rosa))
    restrict_sheet(again, [{"user": "omar"}], actor="omar")
    assert "training not allowed: held out, reserved by another sheet" in (said := reasons(invoices, rosa))
    checks = as_(rosa).get(f"/api/v1/training-sheets/{invoices.pk}/export/checks")
    assert checks.status_code == 200 and "study" not in checks.content.decode() + str(said)


def test_reserving_names_no_training_sheet_of_a_restricted_one(
    invoices: TrainingSheet, again: Sheet, pair: QAPair, omar: User, rosa: User
) -> None:
    restrict_sheet(invoices.sheet, [{"user": "omar"}], actor="omar")
    held = {"sheet": again.pk, "item_refs": [pair.item_ref], "use": "evaluation", "reason": "x", "preview": True}
    looked = as_(rosa).post("/api/v1/held-out/reserve", held).content.decode()
    assert "another sheet" in looked and invoices.name not in looked


def test_recall_leads_to_the_other_sheet(invoices: TrainingSheet, again: Sheet, pair: QAPair, omar: User) -> None:
    record_label(sheet=again, item_ref=pair.item_ref, label_type="severity", label_data={"x": 1}, actor="rosa")
    for sheet, other in ((invoices.sheet_id, again.pk), (again.pk, invoices.sheet_id)):
        found = as_(omar).get("/api/v1/governance/recall", {"sheet": sheet, "item_ref": pair.item_ref}).json()
        assert [each["sheet_id"] for each in found["elsewhere"]] == [other]


def test_an_export_applies_what_waits_for_the_other_sheet(
    invoices: TrainingSheet, again: Sheet, pair: QAPair, omar: User, settings: Any
) -> None:
    client = as_(omar)
    asked = {"sheet_id": again.pk, "template_id": invoices.template_id, "labeling_mode": "manual"}
    made = client.post("/api/v1/training-sheets/generate", asked).json()
    there = QAPair.objects.get(training_sheet_id=made["id"], item_ref=pair.item_ref)
    settings.REVIEW_APPLY = "worker"
    body = {"allowed_uses": ["evaluation", "testing"], "reason": "Golden set"}
    assert client.post(f"/api/v1/qa-pairs/{there.pk}/uses", body).status_code == 200
    assert QAPair.objects.get(pk=there.pk).allowed_uses != body["allowed_uses"]
    assert client.get(f"/api/v1/training-sheets/{invoices.pk}/export/jsonl").getvalue().count(b"\n") == 4
    assert "reserved by a pair of the training sheet" in str(reasons(invoices, omar))
