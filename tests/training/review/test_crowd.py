"""Many reviewers over many pairs: none given to two, none lost, and the counters are right, before and after applying."""

from __future__ import annotations

import multiprocessing
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django_q.models import OrmQ, Schedule

from tests.lakebase.conftest import postgres
from tests.lakebase.postgres import ROLE, Postgres
from tests.training.review.elsewhere import batches_over_each_other, count_and_apply, review_all
from training.models import QAPair, ReviewAction, ReviewPair, ReviewSheet, TrainingSheet
from workbench import databases

__all__ = ["postgres"]

PROCESSES = 2
LEFT = "SELECT count(*), sum(waiting), sum(version - 2) FROM review_pairs"
DECIDED = "SELECT count(*), count(DISTINCT pair_id), count(applied_at) FROM review_actions"


def test_a_crowd_on_sqlite(boards: TrainingSheet, lakehouse: Path, tmp_path: Path) -> None:
    file = tmp_path / "default.sqlite3"
    file.write_bytes(connections["default"].connection.serialize())
    crowd(f"sqlite://{file}", boards, lakehouse, pairs=100, reviewers=10)
    with sqlite3.connect(file) as database:
        assert [database.execute(sql).fetchone() for sql in (LEFT, DECIDED)] == [(100, 0, 0), (100, 100, 100)]


@pytest.fixture
def database(postgres: Postgres) -> Iterator[DatabaseWrapper]:
    """A PostgreSQL database with the tables of review."""
    postgres.change_password("a password")
    name = postgres.make_database(f"crowd_{secrets.token_hex(4)}")
    database = DatabaseWrapper(connections.settings["default"] | databases.default(url_of(postgres, name)), "crowd")
    with database.schema_editor(atomic=False) as editor:
        for model in (ReviewPair, ReviewSheet, ReviewAction, OrmQ, Schedule):
            editor.create_model(model)
    yield database
    database.close()


def url_of(postgres: Postgres, name: str) -> str:
    return f"postgresql://{ROLE}:a%20password@127.0.0.1:{postgres.port}/{name}"


def test_two_hundred_reviewers_on_postgresql(
    boards: TrainingSheet, lakehouse: Path, postgres: Postgres, database: DatabaseWrapper
) -> None:
    url = url_of(postgres, database.settings_dict["NAME"])
    crowd(url, boards, lakehouse, pairs=2_000, reviewers=200)
    with database.cursor() as cursor:
        counts = [cursor.execute(sql).fetchone() for sql in (LEFT, DECIDED)]
    assert counts == [(2_000, 0, 0), (2_000, 2_000, 2_000)]


def test_batches_over_each_other_wait_in_no_circle(
    boards: TrainingSheet, lakehouse: Path, postgres: Postgres, database: DatabaseWrapper
) -> None:
    pairs = list(QAPair.objects.filter(status="unlabeled").order_by("position").values_list("pk", flat=True))
    url = url_of(postgres, database.settings_dict["NAME"])
    context = multiprocessing.get_context("forkserver")
    told = context.Queue()
    at_work = context.Process(target=batches_over_each_other, args=(str(lakehouse), url, pairs, told))
    at_work.start()
    assert told.get(timeout=120) == ["", ""]
    at_work.join(60)
    with database.cursor() as cursor:
        assert cursor.execute("SELECT count(*) > 0 FROM review_actions").fetchone() == (True,)


def crowd(url: str, training_sheet: TrainingSheet, lakehouse: Path, *, pairs: int, reviewers: int) -> None:
    """Let the reviewers, each on a connection of its own, reject all pairs; then apply, and read what Delta has."""
    many_waiting(pairs)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.training.review.elsewhere"])
    told, names = context.Queue(), [f"reviewer {n}" for n in range(reviewers)]
    given = (str(lakehouse), url, training_sheet.pk)
    at_work = [context.Process(target=review_all, args=(*given, names[n::PROCESSES], told)) for n in range(PROCESSES)]
    for process in at_work:
        process.start()
    taken = [pair for _ in names for pair, _ in told.get(timeout=600)]
    for process in at_work:
        process.join(120)
    assert (len(taken), len(set(taken))) == (pairs, pairs)
    last = context.Process(target=count_and_apply, args=(*given, told))
    last.start()
    assert [told.get(timeout=600) for _ in range(2)] == [[pairs, pairs, 0]] * 2
    last.join(120)
    tables = lakehouse / "mirion_vital/workbench"
    assert pl.read_delta(str(tables / "qa_pairs"))["status"].value_counts().rows() == [("rejected", pairs)]
    events = pl.read_delta(str(tables / "review_events"))
    assert (events.height, events["qa_pair_id"].n_unique()) == (pairs, pairs)
    assert TrainingSheet.objects.get().status == "approved"


def many_waiting(pairs: int) -> None:
    example = QAPair.objects.filter(status="unlabeled", error="").values()[0]
    QAPair.objects.all()._raw_delete("lakehouse")
    QAPair.objects.bulk_create(
        QAPair(**example | {"id": str(uuid4()), "item_ref": f"BOARD-{at}", "position": at}) for at in range(pairs)
    )
