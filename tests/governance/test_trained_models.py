"""What docs/recall.md tells a trainer to write is what recall then finds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from training.models import ModelTrainingLineage, QAPair, TrainingSheet

pytestmark = pytest.mark.usefixtures("beats_in_vain")


def test_the_statements_of_the_page_make_a_model_known(
    invoices: TrainingSheet, sql: Callable[..., list[tuple[Any, ...]]], omar: User
) -> None:
    first, second = QAPair.objects.filter(status="labeled")[:2]
    page = Path(settings.BASE_DIR, "docs/recall.md").read_text(encoding="utf-8")
    for own, key in {"PAIR-1": first.pk, "PAIR-2": second.pk, "TRAINING-SHEET": invoices.pk}.items():
        page = page.replace(own, key)
    for statement in page.split("```sql\n")[1].split("```")[0].strip().rstrip(";").split(";\n"):
        sql(statement)
    api = APIClient()
    api.force_authenticate(omar)
    asked = {"sheet": invoices.sheet_id, "item_ref": first.item_ref}
    found = api.get("/api/v1/governance/recall", asked).json()
    assert [each["model_id"] for each in found["models"]] == ["model-456"]
    columns = {field.column for field in ModelTrainingLineage._meta.concrete_fields}
    assert set(page.split("model_training_lineage (")[1].split(")")[0].replace(",", " ").split()) == columns
    invoices.refresh_from_db()
    assert invoices.status == TrainingSheet.Status.TRAINED
