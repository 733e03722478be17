"""What a user does on a warehouse, once each: load the seed data, open the list of pairs, generate, export."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.test import Client

    from training.models import TrainingSheet

AT = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
MESSAGES = [{"role": "user", "content": "Which?"}, {"role": "assistant", "content": "This one."}]


@dataclass
class Stage:
    """A table of 1,000 items with a sheet and a template over it, 10,000 approved pairs, and an owner at the admin."""

    training_sheet: TrainingSheet
    admin: Client


def prepared() -> Stage:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    admin = Client(headers={"host": "127.0.0.1"})
    admin.force_login(User.objects.create_superuser("omar"))
    return Stage(_approved(10_000), admin)


def _approved(rows: int) -> TrainingSheet:
    from django.db import connections

    from sheets.actions import create_sheet
    from templates_app.actions import create_template, publish
    from training.models import QAPair, TrainingSheet

    with connections["lakehouse"].cursor() as cursor:
        cursor.execute("CREATE SCHEMA mirion_vital.line")
        cursor.execute("CREATE TABLE mirion_vital.line.items (id STRING, line STRING) USING DELTA")
        ids = json.dumps([f"item-{n:04}" for n in range(1000)])
        cursor.execute("INSERT INTO mirion_vital.line.items SELECT EXPLODE(FROM_JSON(%s, 'ARRAY<STRING>')), 'A'", [ids])
    sheet = create_sheet({"name": "s", "primary_table": "mirion_vital.line.items", "join_keys": ["id"]}, actor="o")
    schema = [{"name": "line", "type": "string"}]
    prompt = {"name": "t", "label_type": "x", "user_prompt_template": "{{ line }}", "input_schema": schema}
    template = publish(create_template(prompt, actor="o"), actor="o")
    made = TrainingSheet.objects.create(name="x", sheet=sheet, template=template, status="review", created_by="o")
    row: dict[str, Any] = {"training_sheet": made, "messages": MESSAGES, "labeling_mode": "manual", "status": "labeled"}
    row |= {"item_hash": "", "allowed_uses": ["training"], "created_at": AT, "updated_at": AT}
    QAPair.objects.bulk_create(QAPair(item_ref=f"item-{n}", position=n, **row) for n in range(rows))
    return made


def open_pairs(stage: Stage) -> None:
    found = stage.admin.get("/admin/training/qapair/")
    assert found.status_code == 200, found.status_code


def generate_pairs(stage: Stage) -> None:
    from training.actions.generate import generate

    given = stage.training_sheet
    made = generate(sheet=given.sheet, template=given.template, actor="o", mode="manual")
    assert made.statistics["items"] == 1000, made.statistics


def export_pairs(stage: Stage) -> None:
    from django.conf import settings
    from django.core.management import call_command

    out = Path(settings.VAR_DIR) / "out.jsonl"
    pk = stage.training_sheet.pk
    call_command("export_jsonl", pk, "--out", str(out), stdout=io.StringIO(), stderr=io.StringIO())
    assert out.read_bytes().count(b"\n") == 10_000


def load_seeds(_stage: Stage) -> None:
    from django.core.management import call_command

    call_command("loadseed", stdout=io.StringIO())


ACTIONS: list[tuple[str, int, Callable[[Stage], None]]] = [
    ("open the list of pairs", 10_000, open_pairs),
    ("generate without a model", 1_000, generate_pairs),
    ("export JSONL", 10_000, export_pairs),
    ("loadseed, both sets", 80, load_seeds),
]
