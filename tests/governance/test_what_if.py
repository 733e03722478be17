"""What a change would take from exports and models, told before it is saved."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from governance.models import TagPolicy, UsageConstraintAudit
from training.models import Export, ModelTrainingLineage, QAPair, TrainingSheet

URL = "/api/v1/governance/what-if"
TABLE = "mirion_vital.raw.parsed_invoices"


@pytest.fixture
def api(omar: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(omar)
    return client


def training(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.json()
    return next((each for each in answer.json() if each["use"] == "training"), {})


def test_a_tag_takes_pairs_from_exports_and_models_and_nothing_is_written(
    api: APIClient, invoices: TrainingSheet
) -> None:
    assert api.get(f"/api/v1/training-sheets/{invoices.pk}/export/jsonl").getvalue()
    pairs = list(QAPair.objects.filter(status="labeled").permitted("training").values_list("pk", flat=True))
    ModelTrainingLineage.objects.create(
        model_id="m", model_name="main.models.m", model_version="1", training_sheet=invoices, qa_pair_ids=pairs[:2],
        train_pair_count=2, trained_at=timezone.now(), created_by="nils",
    )  # fmt: skip
    before = UsageConstraintAudit.objects.count()
    found = training(api.post(URL, {"kind": "tag", "place": TABLE, "key": "PHI"}))
    assert (found["leave"], found["come_back"]) == (5, 0)
    (sheet,) = found["training_sheets"]
    assert (sheet["id"], len(sheet["first"])) == (invoices.pk, 5)
    assert [(each["id"], each["pairs"]) for each in found["exports"]] == [(Export.objects.get().pk, 5)]
    assert [(each["model_id"], each["pairs"]) for each in found["models"]] == [("m", 2)]
    assert UsageConstraintAudit.objects.count() == before
    assert QAPair.objects.filter(status="labeled").permitted("training").count() == 5


def test_a_loosened_tag_rule_gives_back_what_it_alone_held(api: APIClient, invoices: TrainingSheet, sql: Any) -> None:
    sql(f"ALTER TABLE {TABLE} SET TAGS ('PHI')")
    assert training(api.post(URL, {"kind": "tag_rule", "tag": "phi", "remove": True}))["come_back"] == 5
    assert training(api.post(URL, {"kind": "tag", "place": TABLE, "key": "PHI", "remove": True}))["come_back"] == 5
    assert training(api.post(URL, {"kind": "tag_rule", "tag": "SECRET", "prohibited_uses": ["training"]})) == {}


def test_limits_of_a_sheet_of_pairs_of_labels_and_of_an_item(api: APIClient, invoices: TrainingSheet) -> None:
    pair = QAPair.objects.filter(status="labeled").permitted("training")[0]
    asked: list[tuple[dict[str, Any], int]] = [
        ({"kind": "sheets", "sheet": invoices.sheet_id, "prohibit": ["training"]}, 5),
        ({"kind": "pairs", "ids": [pair.pk], "prohibit": ["training"]}, 1),
        ({"kind": "labels", "ids": [pair.canonical_label_id], "prohibit": ["training"]}, 1),
        ({"kind": "item", "sheet": invoices.sheet_id, "item_ref": pair.item_ref}, 1),
    ]
    assert [training(api.post(URL, each))["leave"] for each, _ in asked] == [leave for _, leave in asked]


def test_what_is_missing_is_named(api: APIClient, invoices: TrainingSheet) -> None:
    assert "place: Needed for this kind." in api.post(URL, {"kind": "tag"}).content.decode()
    assert api.post(URL, {"kind": "pairs", "ids": ["no-such"], "prohibit": ["training"]}).status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "leave"),
    [
        ({"place": "mirion_vital.raw.parsed_invoice"}, 404, 0),
        ({"place": TABLE, "level": "Table"}, 400, 0),
        ({"place": "raw.parsed_invoices", "level": "table"}, 400, 0),
        ({"place": TABLE.upper(), "level": "table"}, 200, 5),
        ({"place": TABLE.upper()}, 200, 5),
        ({"kind": "item", "item_ref": "no such"}, 404, 0),
    ],
)
def test_what_is_not_there_is_told_and_not_taken_for_no_effect(
    api: APIClient, invoices: TrainingSheet, asked: dict[str, str], status: int, leave: int
) -> None:
    answer = api.post(URL, {"kind": "tag", "key": "PHI", "sheet": invoices.sheet_id} | asked)
    assert answer.status_code == status
    assert status != 200 or training(answer)["leave"] == leave


def test_a_tag_rule_is_saved_only_after_it_was_shown_what_it_does(
    client: Client, omar: User, invoices: TrainingSheet, sql: Any
) -> None:
    client.force_login(omar)
    sql(f"ALTER TABLE {TABLE} SET TAGS ('SECRET')")
    url = reverse("admin:governance_tagpolicy_add")
    given = {"tag": "SECRET", "prohibited_uses": ["training"], "data_classification": "", "reason": "Legal"}
    shown = client.post(url, given)
    assert "main.models" not in shown.text and "5</b> approved pairs leave exports" in shown.text
    assert "Please correct" not in shown.text and "Save the rule" in shown.text
    assert not TagPolicy.objects.filter(tag="SECRET").exists()
    assert client.post(url, given | {"seen": shown.wsgi_request.seen}).status_code == 302  # type: ignore[attr-defined]
    assert TagPolicy.objects.get(tag="SECRET").prohibited_uses == ["training"]


def test_the_page_of_uses_shows_what_leaves(client: Client, omar: User, invoices: TrainingSheet) -> None:
    client.force_login(omar)
    url = reverse("admin:sheets_sheet_change_uses", args=[invoices.sheet_id])
    shown = client.post(url, {"step": "look", "use_training": "prohibit", "reason": "Legal"})
    assert "5</b> approved pairs leave exports" in shown.text
