"""Many reviewers over many pairs: none given to two, none lost, and the counters are right."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from pathlib import Path
from uuid import uuid4

import polars as pl
from django.db import connections

from tests.training.review.elsewhere import apply_until, review_all
from training.models import QAPair, TrainingSheet

# CROWD=20 is two hundred reviewers over two thousand pairs, which takes a minute.
CROWD = int(os.environ.get("CROWD", "1"))
PAIRS, REVIEWERS, PROCESSES = 100 * CROWD, 10 * CROWD, 2


def many_waiting() -> None:
    example = QAPair.objects.filter(status="unlabeled", error="").values()[0]
    QAPair.objects.all()._raw_delete("lakehouse")
    QAPair.objects.bulk_create(
        QAPair(**example | {"id": str(uuid4()), "item_ref": f"BOARD-{at}", "position": at}) for at in range(PAIRS)
    )


def test_a_crowd_of_reviewers(boards: TrainingSheet, lakehouse: Path, tmp_path: Path) -> None:
    many_waiting()
    database = tmp_path / "default.sqlite3"
    database.write_bytes(connections["default"].connection.serialize())
    sqlite3.connect(database).execute("PRAGMA journal_mode=WAL")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.training.review.elsewhere"])
    handed_out = context.Queue()
    names = [f"reviewer {n}" for n in range(REVIEWERS)]
    given = (str(lakehouse), str(database), boards.pk)
    crowd = [
        context.Process(target=review_all, args=(*given, names[n::PROCESSES], handed_out)) for n in range(PROCESSES)
    ]
    for process in crowd:
        process.start()
    taken = [pair for _ in names for pair, _ in handed_out.get(timeout=300)]
    for process in crowd:
        process.join(120)
    assert (len(taken), len(set(taken))) == (PAIRS, PAIRS)
    last = context.Process(target=apply_until, args=(*given, 0))
    last.start()
    last.join(120)
    tables = lakehouse / "mirion_vital/workbench"
    assert pl.read_delta(str(tables / "qa_pairs"))["status"].value_counts().rows() == [("rejected", PAIRS)]
    assert pl.read_delta(str(tables / "review_events"))["qa_pair_id"].n_unique() == PAIRS
    left = "SELECT count(*), sum(waiting), sum(version - 2) FROM review_pairs"
    assert sqlite3.connect(database).execute(left).fetchone() == (PAIRS, 0, 0)
    assert TrainingSheet.objects.get().status == "approved"
