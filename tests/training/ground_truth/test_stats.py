"""The counts of ground truth, and which fields are corrected most."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.training.ground_truth.conftest import did
from training.models import QAPair, ReviewEvent, TrainingSheet


def stats(api: APIClient, **params: Any) -> Any:
    return api.get("/api/v1/ground-truth/stats", params).json()


def test_counts_are_of_what_stands(reviewed: dict[str, QAPair], api: APIClient, boards: TrainingSheet) -> None:
    found = stats(api)
    assert (found["total_jobs"], found["approved_jobs"], found["jobs_with_corrections"]) == (80, 21, 1)
    corrected = {entry["field_path"]: entry["count"] for entry in found["top_corrected_fields"]}
    assert corrected["location"] == 2 and sum(corrected.values()) == found["total_corrections"]
    assert next(iter(corrected)) == "location"
    assert stats(api, training_sheet=boards.pk)["total_jobs"] == 50
    assert stats(api, until="2001-01-01")["total_corrections"] == 0


def test_rows_of_a_list_count_as_one_field_and_fields_by_their_names(
    reviewed: dict[str, QAPair], api: APIClient, rosa: User
) -> None:
    paths = ("personel[0].nrp", "personel[4].nrp", "header.nrp", "header.perihal")
    changes = [{"field_path": path, "old_value": "1", "new_value": "2"} for path in paths]
    assert ReviewEvent.objects.filter(reason__startswith="It is at").update(changes=changes) == 2
    found = stats(api)
    rows = {"field_path": "personel[0].nrp", "count": 2}
    assert rows in found["top_corrected_fields"], "once an action: a row that is taken away moves all behind it"
    assert found["top_corrected_names"] == [{"name": "nrp", "count": 4}, {"name": "perihal", "count": 2}]
    assert found["total_corrections"] == 6


def test_what_waits_is_counted(reviewed: dict[str, QAPair], api: APIClient, settings: Any) -> None:
    settings.REVIEW_APPLY = "worker"
    did(reviewed["untouched"], "approve")
    assert stats(api)["approved_jobs"] == 22
