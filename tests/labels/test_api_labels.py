"""Canonical labels over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from tests.labels.conftest import Record
from workbench.router import LAKEHOUSE

URL = "/api/v1/canonical-labels"


@pytest.fixture
def body(boards: Sheet) -> dict[str, Any]:
    return {"sheet_id": boards.pk, "item_ref": "a1", "label_type": "defect", "label_data": {"defect": "none"}}


def test_a_label_is_made_then_changed(api: APIClient, body: dict[str, Any]) -> None:
    made = api.post(URL, body)
    assert made.status_code == 201
    assert (made.json()["version"], made.json()["labeled_by"], made.json()["sheet_id"]) == (1, "rosa", body["sheet_id"])
    assert api.post(URL, body).status_code == 200
    changed = api.post(URL, body | {"label_data": {"defect": "scratch"}, "change_note": "seen again"})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    url = f"{URL}/{made.json()['id']}"
    assert api.get(url).json() == changed.json()
    versions = api.get(f"{url}/versions").json()["results"]
    assert [(each["version"], each["change_note"]) for each in versions] == [(2, "seen again"), (1, "")]
    assert versions[1]["label_data"] == {"defect": "none"}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"item_ref": "c33"}, "item_ref", "The sheet 'Boards' has no item 'c33'. Did you mean 'c3'?"),
        ({"sheet_id": "nothing"}, "sheet_id", "nothing"),
        ({"prohibited_uses": ["traning"], "usage_reason": "x"}, "prohibited_uses", "Did you mean 'training'"),
        ({"prohibited_uses": "training"}, "prohibited_uses", "list"),
        ({"prohibited_uses": ["training"]}, "usage_reason", "Say why"),
        ({"data_classification": "secret"}, "data_classification", "secret"),
        ({"label_data": None}, "label_data", "null"),
    ],
)
def test_a_wrong_label_is_refused(
    api: APIClient, body: dict[str, Any], changes: dict[str, Any], field: str, words: str
) -> None:
    answer = api.post(URL, body | changes)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["fields"][field][0]
    assert not CanonicalLabel.objects.exists()


def test_the_answer_fits_the_template(api: APIClient, body: dict[str, Any], template: PromptTemplate) -> None:
    answer = api.post(URL, body | {"template_id": template.pk, "label_data": {"defect": "burnt"}})
    assert answer.status_code == 400 and "allowed are" in answer.json()["error"]["fields"]["label_data"][0]
    assert api.post(URL, body | {"template_id": template.pk}).json()["template_id"] == template.pk


def test_a_change_of_uses_without_a_reason_is_refused(api: APIClient, body: dict[str, Any]) -> None:
    api.post(URL, body)
    change = body | {"prohibited_uses": ["training"], "usage_reason": "PHI"}
    answer = api.post(URL, change)
    assert answer.status_code == 400 and list(answer.json()["error"]["fields"]) == ["reason"]
    assert api.post(URL, change | {"reason": "Privacy review"}).json()["prohibited_uses"] == ["training"]
    assert UsageConstraintAudit.objects.get().reason == "Privacy review"


def test_the_list_is_filtered(api: APIClient, record: Record, boards: Sheet) -> None:
    record()
    record(item_ref="b2", confidence="low", actor="omar")
    record(item_ref="c3", label_type="quality", data_classification="public")
    wanted = {
        "item_ref": "b2", "label_type": "quality", "confidence": "low", "labeled_by": "omar",
        "data_classification": "public", "sheet": boards.pk,
    }  # fmt: skip
    found = {name: len(api.get(URL, {name: value}).json()["results"]) for name, value in wanted.items()}
    assert found == {name: 3 if name == "sheet" else 1 for name in wanted}
    assert api.get(URL, {"sheet": "nothing"}).status_code == 400


def test_a_list_is_two_queries_one_for_who_is_blind(
    api: APIClient, record: Record, django_assert_num_queries: Any
) -> None:
    for ref in ("a1", "b2", "c3"):
        record(item_ref=ref)
    with django_assert_num_queries(2, connection=connections[LAKEHOUSE]):
        assert len(api.get(URL).json()["results"]) == 3


def test_who_is_not_signed_in_gets_nothing(record: Record, body: dict[str, Any]) -> None:
    stranger, url = APIClient(), f"{URL}/{record().pk}"
    answers = [stranger.get(address) for address in (URL, url, f"{url}/versions", f"{URL}/export")]
    answers.append(stranger.post(URL, body | {"label_data": 2}))
    assert {answer.status_code for answer in answers} == {401}
    assert CanonicalLabel.objects.get().version == 1
