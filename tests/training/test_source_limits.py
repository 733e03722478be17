"""Tags of the sources at work: a tag set today stops an export today, and limits new pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from tests.conftest import Stage
from tests.seeded import loaded
from training.actions.export import Options, open_export
from training.actions.generate import generate
from training.models import QAPair, TrainingSheet
from workbench.problems import Conflict


@pytest.fixture
def sheet(stage: Stage) -> Sheet:
    stage(loaded, "medical_invoices")
    return Sheet.objects.get()


def made(sheet: Sheet) -> TrainingSheet:
    return generate(sheet=sheet, template=PromptTemplate.objects.get(), actor="omar")


def test_a_tag_set_today_stops_an_export_today(sheet: Sheet, sql: Callable[..., Any], api: APIClient) -> None:
    url = f"/api/v1/training-sheets/{made(sheet).pk}/export"
    assert api.get(f"{url}/summary").json()["exported"] == 5
    sql(f"ALTER TABLE {sheet.primary_table} SET TAGS ('PHI' = '')")
    summary = api.get(f"{url}/summary").json()
    assert (summary["total"], summary["exported"]) == (30, 0)
    reasons = {each["reason"]: each["count"] for each in summary["exclusions"]}
    assert reasons["training prohibited, table tag PHI"] == 5
    answer = api.get(f"{url}/jsonl")
    assert answer.status_code == 409 and "table tag PHI" in answer.json()["error"]["message"]
    assert api.get(f"{url}/summary", {"use": "few_shot"}).json()["exported"] > 0
    sql(f"ALTER TABLE {sheet.primary_table} UNSET TAGS ('PHI')")
    assert api.get(f"{url}/summary").json()["exported"] == 5


def test_tags_that_cannot_be_read_stop_it_too(sheet: Sheet, sql: Callable[..., Any], api: APIClient) -> None:
    training_sheet = made(sheet)
    sql(f"DROP TABLE {sheet.primary_table}")
    answer = api.get(f"/api/v1/training-sheets/{training_sheet.pk}/export/jsonl")
    assert answer.status_code == 409
    assert f"tags of {sheet.primary_table} could not be read" in answer.json()["error"]["message"]


def test_new_pairs_start_under_the_limits_of_their_sources(sheet: Sheet, sql: Callable[..., Any]) -> None:
    sql(f"ALTER TABLE {sheet.primary_table} SET TAGS ('CONFIDENTIAL' = '')")
    training_sheet = made(sheet)
    drafted = QAPair.objects.of(training_sheet.pk).filter(canonical_label=None)[0]
    assert drafted.allowed_uses == ["training", "validation", "testing"]
    assert drafted.prohibited_uses == ["evaluation", "few_shot"]
    assert (drafted.usage_reason, drafted.data_classification) == ("table tag CONFIDENTIAL", "confidential")
    restricted = QAPair.objects.of(training_sheet.pk).filter(prohibited_uses__contains=["training"])
    assert restricted[0].usage_reason.endswith("; table tag CONFIDENTIAL")
    assert restricted[0].data_classification == "restricted"
    with pytest.raises(Conflict, match="5 pairs: few_shot prohibited: table tag CONFIDENTIAL"):
        open_export(training_sheet, Options(use="few_shot"), actor="omar", channel="api")
