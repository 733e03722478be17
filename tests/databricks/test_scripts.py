"""The SQL files of the project, run as they stand on the local engine and through the connector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from tests.databricks.loopback import TOKEN, Loopback
from training.models import ModelEvaluation, ModelTrainingLineage, QAPair, TrainingSheet
from workbench import databases
from workbench.lakehouse.base import DatabaseWrapper
from workbench.router import LAKEHOUSE

ROOT = Path(__file__).parents[2]
Runs = Callable[[str], list[list[tuple[Any, ...]]]]


@pytest.fixture(params=["local", "databricks"])
def script(request: pytest.FixtureRequest, lakehouse: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """Runs a file's statements in order and returns the rows of each."""
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    with Loopback(lakehouse) as server:
        entry = connections.settings[LAKEHOUSE] | databases.lakehouse(server.url)
        wrapper = connections[LAKEHOUSE] if request.param == "local" else DatabaseWrapper(entry, "warehouse")

        def run(file: str) -> list[list[tuple[Any, ...]]]:
            answers = []
            for statement in wrapper.ops.prepare_sql_script((ROOT / file).read_text(encoding="utf-8")):
                with wrapper.cursor() as cursor:
                    cursor.execute(statement)
                    answers.append([tuple(row) for row in cursor.fetchall()] if cursor.description else [])
            return answers

        yield run
        wrapper.close()


def trained(model: str, pairs: list[str], day: int, **more: Any) -> ModelTrainingLineage:
    counts = {"train_pair_count": len(pairs), "training_sheet_id": "training-sheet-123"} | more
    return ModelTrainingLineage(
        model_id=model, model_name=f"main.models.{model}", model_version="1", qa_pair_ids=pairs, trained_at=noon(day),
        training_config={"base_model": "llama", "temperature": 0.2}, **counts,
    )  # fmt: skip


def pair(key: str, position: int, status: str = "labeled", score: float | None = None) -> QAPair:
    return QAPair(
        id=key, training_sheet_id="training-sheet-123", item_ref=f"item {key}", position=position, messages=[],
        status=status, labeling_mode="manual", quality_score=score, created_at=noon(1), updated_at=noon(1),
    )  # fmt: skip


def noon(day: int) -> datetime:
    return datetime(2026, 11, day, 12, tzinfo=UTC)


def test_the_four_questions_of_lineage(script: Runs) -> None:
    TrainingSheet.objects.create(id="training-sheet-123", name="Boards", sheet_id="s", template_id="t")
    QAPair.objects.bulk_create([pair("a", 2, score=0.5), pair("b", 1), pair("c", 3), pair("d", 4, "rejected")])
    ModelTrainingLineage.objects.bulk_create(
        [
            trained("model-456", ["a", "b"], 2),
            trained("model-789", ["a"], 3),
            trained("other", ["c"], 4, training_sheet_id="another"),
        ]
    )
    ModelEvaluation.objects.create(
        model_id="model-456", model_version="1", accuracy=0.9, f1_score=0.8, evaluated_at=noon(5)
    )
    models, sheets, pairs, compared = script("docs/lineage.sql")
    assert [(row[0], row[4]) for row in models] == [("model-789", 1), ("model-456", 2)]
    assert sheets == [("training-sheet-123", "Boards", 3, "ai_generated", noon(2), 2)]
    assert [(row[0], row[3], row[4]) for row in pairs] == [("b", "labeled", None), ("a", "labeled", 0.5)]
    assert [row[3:] for row in compared] == [("llama", "0.2", 0.9, 0.8), ("llama", "0.2", None, None)]


def test_the_seed_data_loads_once(script: Runs, sql: Callable[..., list[tuple[Any, ...]]]) -> None:
    tables = ("samples.pcb_inspections", "raw.parsed_invoices", "workbench.sheets", "workbench.canonical_labels")
    for _ in range(2):
        script("seed_data/load_seed_data.sql")
        counts = [sql(f"SELECT COUNT(*) FROM mirion_vital.{table}")[0][0] for table in tables]
        assert counts == [50, 30, 2, 18]
