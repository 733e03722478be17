"""From an item to all that it reached, a report that shows when it was changed, and withdrawing it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit, Withdrawal
from labels.actions import record_label
from labels.models import CanonicalLabel
from sheets.models import Sheet
from sheets.withdrawing import withdraw_item
from training.models import Export, ModelTrainingLineage, QAPair, TrainingSheet
from workbench.models import Refusal

pytestmark = pytest.mark.usefixtures("beats_in_vain")

URL = "/api/v1/governance"
REASON = "Patient withdrew consent"


@pytest.fixture
def api(omar: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(omar)
    return client


@pytest.fixture
def pair(invoices: TrainingSheet, api: APIClient) -> QAPair:
    """A pair that left in an export, and that a model was trained on."""
    assert api.get(f"/api/v1/training-sheets/{invoices.pk}/export/jsonl").getvalue()
    pair = QAPair.objects.filter(status="labeled").permitted("training").order_by("position")[0]
    ModelTrainingLineage.objects.create(
        model_id="m1", model_name="main.models.invoices", model_version="3", training_sheet=invoices,
        qa_pair_ids=[pair.pk], train_pair_count=1, trained_at=timezone.now(), created_by="nils",
    )  # fmt: skip
    return pair


def about(pair: QAPair) -> dict[str, str]:
    return {"sheet": Sheet.objects.get().pk, "item_ref": pair.item_ref}


def test_recall_finds_all_that_an_item_reached(
    api: APIClient, pair: QAPair, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(24, using="lakehouse"):
        found = api.get(f"{URL}/recall", about(pair)).json()
    assert [each["id"] for each in found["pairs"]] == [pair.pk]
    assert [each["version"] for each in found["labels"][0]["versions"]] == [1]
    (export,) = found["exports"]
    assert (export["export_id"], export["pair_version"]) == (Export.objects.get().pk, pair.version)
    assert export["label_id"] == pair.canonical_label_id and not export["note"]
    assert [(each["model_name"], each["pair_ids"]) for each in found["models"]] == [("main.models.invoices", [pair.pk])]
    assert found["is_in_source"] and not found["is_withdrawn"]


def test_recall_tells_of_exports_of_labels_since_there_is_one(api: APIClient, pair: QAPair, client: Client) -> None:
    sheet, url = Sheet.objects.get(), "/api/v1/canonical-labels/export"
    label = CanonicalLabel.objects.get(item_ref=pair.item_ref)
    for asked in ({"label_type": label.label_type, "use": "training"}, {}):
        assert api.get(url, {"sheet": sheet.pk} | asked).getvalue()
    record_label(sheet=sheet, item_ref=pair.item_ref, label_type="later", label_data={"x": 1}, actor="rosa")
    assert api.get(url, {"sheet": sheet.pk, "label_type": "later"}).getvalue()
    found = api.get(f"{URL}/recall", about(pair)).json()["label_exports"]
    assert [each["words"].split(" left ")[1] for each in found] == [
        "for training as jsonl (api)",
        "as the whole record as jsonl (api)",
        "as the whole record as jsonl (api)",
    ]
    assert {each["left_by"] for each in found} == {"omar"} and "may have the item" in found[0]["note"]
    other = QAPair.objects.filter(canonical_label=None)[0].item_ref
    assert api.get(f"{URL}/recall", {"sheet": sheet.pk, "item_ref": other}).json()["label_exports"] == []
    client.force_login(User.objects.get(username="omar"))
    page = client.get(reverse("admin:governance_usageconstraintaudit_recall"), about(pair)).content.decode()
    assert "left for training as jsonl" in page
    report = api.get(f"{URL}/recall/report", about(pair)).content
    assert len(json.loads(report.split(b"\n")[0])["label_exports"]) == 3


def test_recall_names_the_drafts_that_were_copied_from_a_label(api: APIClient, boards: TrainingSheet) -> None:
    drafted = [pair for pair in QAPair.objects.of(boards.pk) if pair.based_on]
    assert drafted and {pair.model for pair in drafted} == {"offline-nearest"}
    item = drafted[0].based_on[0]
    assert QAPair.objects.of(boards.pk).get(item_ref=item).labeling_mode == "canonical"
    given = {"sheet": boards.sheet_id, "item_ref": item}
    found = api.get(f"{URL}/recall", given).json()["drafts"]
    assert {each["id"] for each in found} == {pair.pk for pair in drafted if item in pair.based_on}
    assert drafted[0].item_ref in {each["item_ref"] for each in found}
    page = reverse("admin:governance_usageconstraintaudit_recall")
    client = Client()
    client.force_login(User.objects.get(username="omar"))
    assert "Drafts copied from its labels" in client.get(page, given).content.decode()


def test_an_item_that_never_was_is_not_found(api: APIClient, invoices: TrainingSheet) -> None:
    given = {"sheet": invoices.sheet_id, "item_ref": "no such"}
    assert api.get(f"{URL}/recall", given).status_code == 404
    assert api.post(f"{URL}/withdraw", given | {"reason": REASON}).status_code == 404


def exported(api: APIClient, invoices: TrainingSheet) -> int:
    return int(api.get(f"/api/v1/training-sheets/{invoices.pk}/export/summary").json()["exported"])


def test_a_withdrawn_item_leaves_nothing_until_it_is_released(
    api: APIClient, pair: QAPair, invoices: TrainingSheet, django_assert_num_queries: Any
) -> None:
    assert api.post(f"{URL}/withdraw", about(pair) | {"reason": " "}).status_code == 400
    answers = [api.post(f"{URL}/withdraw", about(pair) | {"reason": REASON}).json() for _ in range(2)]
    assert answers[0] == answers[1] and not answers[0]["is_released"]
    summary = api.get(f"/api/v1/training-sheets/{invoices.pk}/export/summary").json()
    assert summary["exported"] == 4
    assert f"training prohibited: item withdrawn: {REASON}" in {each["reason"] for each in summary["exclusions"]}
    for use in ("training", "few_shot", "testing"):
        assert pair not in QAPair.objects.permitted(use)
    assert api.post(f"/api/v1/exports/{Export.objects.get().pk}/link").status_code == 404
    assert api.get(f"{URL}/recall", about(pair)).json()["is_withdrawn"]
    with django_assert_num_queries(1, using="lakehouse"):
        (listed,) = api.get("/api/v1/withdrawals", {"is_released": "false"}).json()["results"]
    assert (listed["item_ref"], listed["reason"]) == (pair.item_ref, REASON)
    released = api.post(f"{URL}/release", about(pair) | {"reason": "Consent given again"})
    assert released.status_code == 200 and exported(api, invoices) == 5
    words = [row.reason for row in UsageConstraintAudit.objects.filter(kind="uses").order_by("sequence")]
    assert words == [f"Withdrawn: {REASON}", "Released: Consent given again"]


def test_pairs_made_later_are_withdrawn_too(api: APIClient, pair: QAPair, invoices: TrainingSheet) -> None:
    api.post(f"{URL}/withdraw", about(pair) | {"reason": REASON})
    asked = {"sheet_id": invoices.sheet_id, "template_id": invoices.template_id, "labeling_mode": "manual"}
    later = api.post("/api/v1/training-sheets/generate", asked).json()
    new = QAPair.objects.get(item_ref=pair.item_ref, training_sheet_id=later["id"])
    assert new.status == "labeled" and new not in QAPair.objects.permitted("training")


def test_killed_between_audit_and_row_the_same_call_ends_it(
    pair: QAPair, invoices: TrainingSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = Sheet.objects.get()
    with monkeypatch.context() as killed:
        killed.setattr(
            type(Withdrawal.objects.all()), "bulk_create", lambda *_, **__: (_ for _ in ()).throw(SystemExit)
        )
        with pytest.raises(SystemExit):
            withdraw_item(sheet, pair.item_ref, REASON, actor="omar")
    withdraw_item(sheet, pair.item_ref, REASON, actor="omar")
    assert UsageConstraintAudit.objects.filter(kind="uses").count() == 1
    assert Withdrawal.objects.get().item_ref == pair.item_ref


def test_who_may_change_uses_withdraws_but_only_a_lead_releases(pair: QAPair, nils: User) -> None:
    nils.groups.add(Group.objects.get(name="data scientist"))
    client = APIClient()
    client.force_authenticate(nils)
    assert client.post(f"{URL}/withdraw", about(pair) | {"reason": REASON}).status_code == 200
    assert client.post(f"{URL}/release", about(pair) | {"reason": "mistake"}).status_code == 403
    assert UsageConstraintAudit.objects.filter(kind="refusal").count() == 1
    assert not Withdrawal.objects.get().is_released


def test_a_refusal_that_a_page_tells_is_kept(pair: QAPair, dora: User, client: Client) -> None:
    client.force_login(dora)
    page = reverse("admin:governance_usageconstraintaudit_recall")
    done = [
        client.post(page, {**about(pair), "verb": verb, "reason": REASON}, follow=True)
        for verb in ("withdraw", "release")
    ]
    assert "platform lead" in done[1].content.decode() and not Withdrawal.objects.get().is_released
    kept = Refusal.objects.get(user="dora", path=page)
    assert kept.status == 403 and "platform lead" in kept.why


def test_a_report_is_verified_and_a_changed_one_is_not(api: APIClient, pair: QAPair, tmp_path: Path) -> None:
    file = tmp_path / "recall.jsonl"
    file.write_bytes(api.get(f"{URL}/recall/report", about(pair)).content)
    out = io.StringIO()
    call_command("verify_report", file, stdout=out)
    assert "whole and signed" in out.getvalue() and "1 models" in out.getvalue()
    key = json.loads(file.read_text().splitlines()[1])["public_key"]
    call_command("verify_report", file, "--public-key", key, stdout=out)
    with pytest.raises(CommandError, match="signed by the key"):
        call_command("verify_report", file, "--public-key", "00" * 32)
    file.write_text(file.read_text().replace("main.models.invoices", "main.models.none"))
    with pytest.raises(CommandError, match="was changed since it was signed"):
        call_command("verify_report", file)
