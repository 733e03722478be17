"""Where a worker applies: told once, it looks each minute, and leaves a warehouse that is away alone for a while."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.core.management import call_command
from django.db import connections
from django_q.models import OrmQ, Schedule

from tests.databricks.loopback import TOKEN, Loopback
from tests.training.review.conftest import Act
from training.models import QAPair, ReviewSheet, TrainingSheet
from training.review import waking
from training.review.applying import waiting as what_waits
from training.tasks import apply_reviews
from workbench import databases
from workbench.router import LAKEHOUSE


@pytest.fixture
def by_worker(settings: Any) -> None:
    settings.REVIEW_APPLY = "worker"
    waking.keep_looking.cache_clear()


def test_a_worker_is_told_once_and_looks_each_minute(by_worker: None, waiting: QAPair, act: Act) -> None:
    act(waiting, "approve")
    act(waiting, "flag", reason="look again")
    assert (OrmQ.objects.count(), Schedule.objects.get().func) == (1, "training.tasks.apply_reviews")
    assert what_waits().actions == 2
    assert apply_reviews(waiting.training_sheet_id) == 2
    assert QAPair.objects.get(pk=waiting.pk).status == "flagged"
    act(waiting, "reopen")
    assert OrmQ.objects.count() == 2
    assert apply_reviews() == 1


def test_the_command_applies(by_worker: None, waiting: QAPair, act: Act, capsys: Any) -> None:
    act(waiting, "approve")
    call_command("apply_reviews")
    assert capsys.readouterr().out == "1 decisions applied.\n"


@pytest.fixture
def warehouse(waiting: QAPair, lakehouse: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """The lakehouse of this test behind a loopback warehouse."""
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    entry, before = connections.settings[LAKEHOUSE], connections[LAKEHOUSE]
    with Loopback(lakehouse) as server:
        connections.settings[LAKEHOUSE] = entry | databases.lakehouse(server.url)
        connections[LAKEHOUSE] = connections.create_connection(LAKEHOUSE)
        yield server
        connections[LAKEHOUSE].close()
    connections.settings[LAKEHOUSE], connections[LAKEHOUSE] = entry, before


def test_a_warehouse_that_is_away_loses_nothing(
    by_worker: None, warehouse: Loopback, waiting: QAPair, act: Act, api: Any
) -> None:
    act(waiting, "flag", reason="look again")  # review knows the pair from now on
    assert apply_reviews() == 1
    sent = len(warehouse.statements)
    assert act(waiting, "approve").json()["pair"]["status"] == "labeled"
    assert len(warehouse.statements) == sent
    warehouse.fail("[INTERNAL_ERROR] The warehouse is being stopped.")
    assert (apply_reviews(), what_waits().actions) == (0, 1)
    assert apply_reviews() == 0  # left alone for now
    sheet = ReviewSheet.objects.get()
    assert (sheet.failed, sheet.retry_at is not None) == (1, True)
    assert api.get(f"/api/v1/qa-pairs/{waiting.pk}").json()["status"] == "labeled"
    ReviewSheet.objects.update(retry_at=None)
    assert (apply_reviews(), what_waits().actions) == (1, 0)
    assert QAPair.objects.get(pk=waiting.pk).status == "labeled"


def test_inline_a_warehouse_that_is_away_is_no_error(warehouse: Loopback, waiting: QAPair, act: Act) -> None:
    act(waiting, "flag", reason="look again")
    warehouse.fail("[INTERNAL_ERROR] The warehouse is being stopped.")
    assert act(waiting, "approve").status_code == 200
    assert what_waits().actions == 1
    act(waiting, "flag", reason="again")
    assert what_waits().actions == 0


def test_a_warehouse_that_is_away_for_long(
    by_worker: None, warehouse: Loopback, boards: TrainingSheet, act: Act, api: Any, lakehouse: Path
) -> None:
    sheet = f"/api/v1/training-sheets/{boards.pk}"
    fitting = QAPair.objects.of(boards.pk).filter(status="unlabeled", misfits__len=0, error="")
    first, *more = fitting[:3]
    api.get(f"{sheet}/queue", {"limit": 40})
    warehouse.fail(*["[INTERNAL_ERROR] The warehouse is being stopped."] * 500)
    for pair in (first, *more):
        for verb in ("flag", "approve"):
            assert act(pair, verb, reason="look again").status_code == 200
        ReviewSheet.objects.update(retry_at=None)
        assert apply_reviews() == 0
    assert act(first, "undo").status_code == 200
    assert api.post(f"{sheet}/queue/claim", {}).json()["pair"]["status"] == "unlabeled"
    assert (what_waits().actions, ReviewSheet.objects.get().failed) == (7, 3)
    warehouse.failures.clear()
    ReviewSheet.objects.update(retry_at=None)
    assert (apply_reviews(), what_waits().actions) == (7, 0)
    events = pl.read_delta(str(lakehouse / "mirion_vital/workbench/review_events"))
    assert events.height == events["action_id"].n_unique() == 7
    assert [QAPair.objects.get(pk=pair.pk).status for pair in (first, *more)] == ["flagged", "labeled", "labeled"]
