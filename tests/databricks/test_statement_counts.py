"""Each statement costs a user about a second on a warehouse, so what a screen or command sends is counted at the server."""

from __future__ import annotations

import datetime as dt
import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.test import Client
from rest_framework.test import APIClient

from sheets.actions import create_sheet
from templates_app.actions import create_template, publish
from tests.conftest import at
from training import pipeline
from training.actions.generate import generate
from training.models import QAPair, TrainingSheet
from workbench.lakehouse.engines.databricks.inserts import MOST_JSON_ROWS
from workbench.router import LAKEHOUSE

pytestmark = pytest.mark.django_db(databases=["default", LAKEHOUSE])

AT = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
Sent = Callable[[Callable[[], Any]], int]


@pytest.fixture
def sent(migrated: Path, tmp_path: Path) -> Iterator[Sent]:
    """Calls something and returns how many statements the warehouse was sent meanwhile."""
    shutil.copytree(migrated, tmp_path / "lakehouse")
    with at(tmp_path / "lakehouse", warehouse=True) as stage:

        def count(act: Callable[[], Any]) -> int:
            before = len(stage.server.statements)
            act()
            return len(stage.server.statements) - before

        yield count


@pytest.fixture
def generated(sent: Sent) -> TrainingSheet:
    """A training sheet of no pairs over a table of 1,000 items."""
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute("CREATE SCHEMA mirion_vital.line")
        cursor.execute("CREATE TABLE mirion_vital.line.items (id STRING, line STRING) USING DELTA")
        ids = json.dumps([f"item-{n:04}" for n in range(1000)])
        cursor.execute("INSERT INTO mirion_vital.line.items SELECT EXPLODE(FROM_JSON(%s, 'ARRAY<STRING>')), 'A'", [ids])
    sheet = create_sheet({"name": "s", "primary_table": "mirion_vital.line.items", "join_keys": ["id"]}, actor="o")
    template = create_template(
        {
            "name": "t",
            "label_type": "x",
            "user_prompt_template": "{{ line }}",
            "input_schema": [{"name": "line", "type": "string"}],
        },
        actor="o",
    )
    return TrainingSheet.objects.create(
        name="x", sheet=sheet, template=publish(template, actor="o"), status=TrainingSheet.Status.REVIEW, created_by="o"
    )


def approve(training_sheet: TrainingSheet, count: int) -> None:
    """Write approved pairs."""
    messages = [{"role": "user", "content": "Which?"}, {"role": "assistant", "content": "This one."}]
    row = {"training_sheet": training_sheet, "item_hash": "", "messages": messages, "labeling_mode": "manual"}
    row |= {"status": "labeled", "allowed_uses": ["training"], "created_at": AT, "updated_at": AT}
    QAPair.objects.bulk_create(QAPair(item_ref=f"item-{n}", position=n, **row) for n in range(count))


def test_generating_1000_pairs(sent: Sent, generated: TrainingSheet, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a busy machine half of the pairs would be ready, and written, seconds before the rest.
    monkeypatch.setattr(pipeline, "WRITE_EVERY", 600.0)
    # The tag rules, the keys of the sheet, those over the same items, its training sheet, a first small window of its items and the
    # rest; labels and withdrawals of each chunk of 500; the pairs, at once; the end.
    made = {"sheet": generated.sheet, "template": generated.template, "actor": "o", "mode": "manual"}
    assert sent(lambda: generate(**made)) == 13
    assert QAPair.objects.count() == 1000


def test_writing_and_exporting_10000_pairs(sent: Sent, generated: TrainingSheet, tmp_path: Path) -> None:
    # A file goes into the volume, is read by the MERGE, and goes away.
    assert sent(lambda: approve(generated, 10_000)) == 3
    # The training sheet and the number of its pairs; tag rules, held-out items and withdrawals; the windows, the pairs of a
    # first small one and of the rest; the audit's row that it begins; the manifest, by a file in the volume; the row that says
    # what left, and the audit's.
    out = tmp_path / "out.jsonl"
    quiet = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    assert sent(lambda: call_command("export_jsonl", generated.pk, "--out", str(out), **quiet)) == 19
    assert out.read_bytes().count(b"\n") == 10_000


def test_arrow_rows_are_one_file_and_none_comes_twice(sent: Sent, generated: TrainingSheet) -> None:
    count = MOST_JSON_ROWS + 1
    columns = {"training_sheet_id": generated.pk, "item_hash": "", "messages": "[]", "labeling_mode": "manual"}
    columns |= {"created_at": AT, "updated_at": AT}
    table = pa.table({"id": [f"{n}" for n in range(count)], "item_ref": [""] * count, "position": range(count)})
    for name, value in columns.items():
        table = table.append_column(name, pa.array([value] * count))
    assert sent(lambda: QAPair.objects.append_arrow(table)) == 3
    assert QAPair.objects.append_arrow(table) == 0 and QAPair.objects.count() == count


def test_opening_the_list_of_pairs(sent: Sent, generated: TrainingSheet, omar: User, api: APIClient) -> None:
    assert sent(lambda: approve(generated, 100)) == 1
    # The choices of the filter, the number of pairs, and a page of them; the API counts nothing.
    admin = Client()
    admin.force_login(omar)
    assert sent(lambda: admin.get("/admin/training/qapair/")) == 3
    assert sent(lambda: api.get("/api/v1/qa-pairs")) == 1
    # The training sheet that was asked for, so that an unknown one is a fault and not an empty list; after the answer the
    # page that follows, for which nothing is asked any more.
    assert sent(lambda: api.get("/api/v1/qa-pairs", {"training_sheet": generated.pk})) == 3


def test_loading_both_seed_sets(sent: Sent) -> None:
    # For each set: schema, table, rows, volume, and one for sheets, templates, labels and their versions.
    assert sent(lambda: call_command("loadseed", stdout=io.StringIO())) == 16
    # Again: what is there is found out by the same statements, and which labels are ours by one more.
    assert sent(lambda: call_command("loadseed", stdout=io.StringIO())) == 18


def test_many_keys_are_one_statement(sent: Sent, generated: TrainingSheet) -> None:
    approve(generated, 1000)
    keys = list(QAPair.objects.values_list("pk", flat=True))
    assert sent(lambda: QAPair.objects.in_bulk(keys)) == 1
    assert sent(lambda: QAPair.objects.filter(pk__in=keys).update(review_notes="seen")) == 1
    assert sent(lambda: list(TrainingSheet.objects.prefetch_related("pairs"))) == 2
