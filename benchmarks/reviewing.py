"""What a reviewer waits for: the acknowledgement of an action and the next pair, also on a slow warehouse."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, p50, p95, times
from benchmarks.invented import sheet_id
from benchmarks.stage import opened

REPEAT = 50
SLOW = 0.3


def review(directory: Path, rows: int) -> Iterator[Figure]:
    """All pairs in one training sheet: by a worker, in the request, and with 300 ms more for each statement."""
    with opened(directory / f"one-{rows}") as lakehouse:
        yield from _in_mode("worker", rows, sheet_id(0))
        yield from _in_mode("inline", rows, sheet_id(0))
        yield from _on_slow_warehouse(lakehouse, rows)


def _in_mode(mode: str, rows: int, sheet: str, where: str = "") -> Iterator[Figure]:
    from django.conf import settings

    from training.actions.review import review as act
    from training.models import ReviewPair
    from training.review.journal import Decision
    from training.review.queue import claim

    _ready(sheet)
    settings.REVIEW_APPLY = mode
    claimed: list[Any] = []
    claims = times(lambda n: claimed.append(claim(sheet, actor=f"reviewer {mode}{where} {n}")), REPEAT)
    pairs = [pair for pair in claimed if isinstance(pair, ReviewPair)]
    assert len(pairs) == REPEAT
    acts = times(lambda n: act(Decision(pairs[n].pk, "reject", reason="old"), actor=pairs[n].holder), REPEAT)
    most = 50 if mode == "worker" else None
    yield Figure(f"review, {mode}{where}: acknowledged p50", rows, p50(acts), "ms")
    yield Figure(f"review, {mode}{where}: acknowledged p95", rows, p95(acts), "ms", most=most)
    yield Figure(f"review, {mode}{where}: next pair p95", rows, p95(claims), "ms", most=100)


def _on_slow_warehouse(lakehouse: Path, rows: int) -> Iterator[Figure]:
    from django.db import connections

    from tests.databricks.loopback import TOKEN, Loopback
    from workbench import databases

    class Slow(Loopback):
        def ExecuteStatement(self, req: Any) -> Any:  # noqa: N802 - the protocol's name
            time.sleep(SLOW)
            return super().ExecuteStatement(req)

    os.environ["DATABRICKS_TOKEN"] = TOKEN
    before = connections.settings["lakehouse"]
    with Slow(lakehouse) as server:
        connections.settings["lakehouse"] = before | databases.lakehouse(server.url)
        connections["lakehouse"] = connections.create_connection("lakehouse")
        yield from _in_mode("worker", rows, sheet_id(0), " on a slow warehouse")
        connections["lakehouse"].close()
    connections.settings["lakehouse"] = before
    connections["lakehouse"] = connections.create_connection("lakehouse")


def _ready(sheet: str) -> None:
    """Have the tables of the default database, a template for the training sheet, and a clean journal."""
    from django.core.management import call_command

    from templates_app.models import PromptTemplate
    from training.models import TrainingSheet

    call_command("migrate", database="default", verbosity=0)
    if not PromptTemplate.objects.filter(pk=sheet).exists():
        PromptTemplate.objects.create(
            pk=sheet, name="review", label_type="classification", output_schema={"type": "object"}
        )
    if not TrainingSheet.objects.filter(pk=sheet).exists():
        TrainingSheet.objects.create(pk=sheet, name="review", sheet_id=sheet, template_id=sheet, status="review")
