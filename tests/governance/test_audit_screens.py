"""The questions of an auditor, the audit as a file, and what happened to a pair."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from governance.audit import append, entry
from governance.models import UsageConstraintAudit
from labels.actions import record_label
from labels.models import CanonicalLabel
from labels.opinions.actions import ask_for_opinions
from training.models import QAPair, TrainingSheet
from workbench.canonical import canonical_bytes

AUDIT = "/api/v1/usage-constraint-audit"


@pytest.fixture
def api(omar: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(omar)
    return client


@pytest.fixture
def pair(invoices: TrainingSheet, api: APIClient) -> QAPair:
    """A pair that was exported, and then limited."""
    assert api.get(f"/api/v1/training-sheets/{invoices.pk}/export/jsonl").getvalue()
    pair = QAPair.objects.filter(status="labeled").permitted("training")[0]
    change = {"version": pair.version, "prohibit": ["training"], "data_classification": "restricted", "reason": "PHI"}
    assert api.post(f"/api/v1/qa-pairs/{pair.pk}/uses", change).status_code == 200
    return pair


def test_each_question_is_one_query(api: APIClient, pair: QAPair, django_assert_num_queries: Any) -> None:
    questions: list[dict[str, Any]] = [
        {"qa_pair_id": pair.pk, "lost": "training"},
        {"reclassified": "true", "new_data_classification": "restricted"},
        {"since": "2020-01-01T00:00:00Z", "kind": "uses"},
        {"text": "phi"},
    ]
    for question in questions:
        with django_assert_num_queries(1, using="lakehouse"):
            (row,) = api.get(AUDIT, question).json()["results"]
        assert (row["qa_pair_id"], row["modified_by"]) == (pair.pk, "omar")
    assert api.get(AUDIT, {"gained": "training"}).json()["results"] == []


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00", "yesterday"])
def test_a_time_that_is_none_is_refused(api: APIClient, lakehouse: Path, moment: str) -> None:
    for name in ("since", "until"):
        answer = api.get(AUDIT, {name: moment})
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [name])


def test_the_audit_leaves_as_the_same_bytes_and_each_line_proves_itself(
    api: APIClient, client: Client, omar: User, pair: QAPair, tmp_path: Path
) -> None:
    client.force_login(omar)
    for name in ("jsonl", "csv"):
        target = tmp_path / f"audit.{name}"
        call_command("export_audit", "--out", str(target), "--format", name, stderr=io.StringIO())
        page = client.get(reverse(f"admin:governance_usageconstraintaudit_as_{name}"))
        assert target.read_bytes() == api.get(f"{AUDIT}/export", {"format": name}).getvalue() == page.getvalue()
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    for line in lines:
        claimed = line.pop("row_hash")
        assert hashlib.sha256(canonical_bytes(line)).hexdigest() == claimed
    rows = list(csv.DictReader(io.StringIO((tmp_path / "audit.csv").read_text())))
    assert [row["reason"] for row in rows] == [line["reason"] for line in lines]
    assert api.get(f"{AUDIT}/export", {"format": "xml"}).status_code == 400


def test_the_chain_is_verified_by_a_button_and_by_api(
    api: APIClient, client: Client, omar: User, pair: QAPair, sql: Any
) -> None:
    client.force_login(omar)
    url = reverse("admin:governance_usageconstraintaudit_verify_now")
    assert "The audit is whole: 3 rows" in client.get(url, follow=True).text
    sql("UPDATE mirion_vital.workbench.usage_constraint_audit SET reason = 'nothing' WHERE kind = 'uses'")
    found = api.get(f"{AUDIT}/verification").json()
    assert not found["is_whole"] and found["faults"]
    page = client.get(url, follow=True).text
    assert "Row 3" in page and "changed</span>" in page


def test_a_timeline_tells_all_in_order(api: APIClient, client: Client, omar: User, pair: QAPair) -> None:
    told = api.get("/api/v1/governance/timeline", {"pair": pair.pk}).json()
    assert [each["kind"] for each in told] == ["label", "generated", "export", "uses"]
    assert told[-1]["words"] == "training prohibited, classification internal → restricted"
    item = {"sheet": pair.training_sheet.sheet_id, "item_ref": pair.item_ref}
    assert api.get("/api/v1/governance/timeline", item).json() == told
    assert api.get("/api/v1/governance/timeline", {"sheet": item["sheet"]}).status_code == 400
    client.force_login(omar)
    page = client.get(reverse("admin:governance_usageconstraintaudit_timeline"), {"pair": pair.pk}).text
    assert "exported for training as chat" in page and "training prohibited" in page


def test_the_timeline_of_an_item_tells_of_no_other_items_reservation(api: APIClient, pair: QAPair) -> None:
    sheet = pair.training_sheet.sheet_id
    other = QAPair.objects.exclude(item_ref=pair.item_ref)[0].item_ref
    reserved = {"sheet": sheet, "item_refs": [pair.item_ref, other], "reason": "Golden set"}
    assert api.post("/api/v1/held-out/reserve", reserved).status_code == 200
    # As rows were before their subject was the item.
    for ref in (pair.item_ref, other):
        append([entry("uses", f"sheet {sheet}", reason=f"Item {ref} reserved for testing: Earlier", actor="omar")])
    told = api.get("/api/v1/governance/timeline", {"sheet": sheet, "item_ref": pair.item_ref}).json()
    assert [(each["about"], each["reason"]) for each in told[-2:]] == [
        ("item", "Reserved for evaluation: Golden set"),
        ("sheet", f"Item {pair.item_ref} reserved for testing: Earlier"),
    ]
    assert len(told) == 6


def test_a_timeline_tells_no_answer_to_who_gives_the_second_opinion(boards: TrainingSheet, nils: User) -> None:
    label = CanonicalLabel.objects.filter(sheet=boards.sheet)[0]
    about = {"sheet": label.sheet_id, "item_ref": label.item_ref}
    ask_for_opinions(sheet=label.sheet, label_type=label.label_type, share=100, actor="omar")
    changed = label.label_data | {"severity": "critical" if label.label_data["severity"] != "critical" else "minor"}
    answer = {**about, "label_type": label.label_type, "label_data": changed, "change_note": "Looked again"}
    record_label(**answer | {"sheet": label.sheet, "actor": "rosa"}, template=label.template)

    def timeline() -> Any:
        client = APIClient()
        client.force_authenticate(User.objects.get(pk=nils.pk))
        return client.get("/api/v1/governance/timeline", about).json()

    all_told = timeline()
    nils.user_permissions.add(Permission.objects.get(codename="add_labelopinion"))
    told = timeline()
    assert [each["words"] for each in told] == [each["words"] for each in all_told]
    assert {(each["actor"], each["reason"], len(each["changes"])) for each in told if each["kind"] == "label"} == {
        ("", "", 0)
    }
    assert [(each["actor"], len(each["changes"])) for each in all_told if each["reason"] == "Looked again"] == [
        ("rosa", 1)
    ]


def test_exclusions_are_counted_by_day_and_drawn_with_their_table(
    api: APIClient, client: Client, omar: User, pair: QAPair, invoices: TrainingSheet, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1, using="lakehouse"):
        found = api.get("/api/v1/governance/exclusions", {"use": "training"}).json()
    (day,) = found["days"]
    assert (day["exports"], day["exported"], sum(day["counts"])) == (1, 5, 25)
    client.force_login(omar)
    page = client.get(reverse("admin:governance_usageconstraintaudit_exclusions")).text
    assert (
        page.count("<rect") == len(found["reasons"])
        and found["reasons"][0] in page
        and "<script" not in page.split("<svg")[1].split("</svg>")[0]
    )
    # The change of uses, and that the export began and what left.
    assert UsageConstraintAudit.objects.count() == 3
