"""`loadseed` is idempotent, and the SQL file loads the same rows."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from django.core.management import CommandError, call_command
from django.db import connections

from labels.models import CanonicalLabel, CanonicalLabelVersion
from training.seeds import SEED_DATA, SETS, load
from workbench.router import LAKEHOUSE

TABLES = {
    "samples/pcb_inspections": "image_id",
    "raw/parsed_invoices": "invoice_id",
    "workbench/sheets": "id",
    "workbench/templates": "id",
    "workbench/canonical_labels": "id",
    "workbench/canonical_label_versions": "id",
}


def contents(lakehouse: Path) -> dict[str, pl.DataFrame]:
    tables = {name: lakehouse / "mirion_vital" / name for name in TABLES}
    return {name: pl.read_delta(str(path)).sort(TABLES[name]) for name, path in tables.items()}


def versions(lakehouse: Path) -> dict[str, int]:
    return {name: DeltaTable(str(lakehouse / "mirion_vital" / name)).version() for name in TABLES}


def test_the_sets_have_the_promised_rows(lakehouse: Path) -> None:
    loaded = [load(name) for name in SETS]
    assert [(s.source_rows, s.files, s.labels) for s in loaded] == [(50, 50, 10), (30, 30, 8)]
    assert len(list((lakehouse / "Volumes/mirion_vital/samples/pcb_images").glob("*.jpg"))) == 50
    labels = contents(lakehouse)["workbench/canonical_labels"]
    held_back = labels.filter(pl.col("prohibited_uses").list.contains("training"))
    assert held_back["usage_reason"].to_list() == ["Contains PHI - HIPAA"] * 3


def test_a_label_of_somebody_else_stays_and_gets_no_versions(lakehouse: Path) -> None:
    load("pcb_defects")
    theirs = CanonicalLabel.objects.order_by("item_ref")[0]
    CanonicalLabelVersion.objects.filter(canonical_label_id=theirs.pk).delete()
    CanonicalLabel.objects.filter(pk=theirs.pk).update(id="of-rosa")
    assert load("pcb_defects").labels == 0
    assert CanonicalLabel.objects.count() == 10
    assert CanonicalLabelVersion.objects.filter(canonical_label_id=theirs.pk).count() == 0


def test_loading_twice_writes_nothing(lakehouse: Path) -> None:
    call_command("loadseed", verbosity=0)
    before = versions(lakehouse)
    again = [load(name) for name in SETS]
    assert versions(lakehouse) == before
    assert all((s.source_rows, s.files, s.sheets, s.templates, s.labels) == (0, 0, 0, 0, 0) for s in again)


def test_one_set_can_be_loaded_alone(lakehouse: Path) -> None:
    call_command("loadseed", "pcb_defects", verbosity=0)
    assert not (lakehouse / "mirion_vital/raw/parsed_invoices").exists()


def test_an_unknown_set_is_named_with_those_that_exist(lakehouse: Path) -> None:
    with pytest.raises(CommandError, match=r"no seed data set 'pcb'.*medical_invoices, pcb_defects"):
        call_command("loadseed", "pcb")


def test_the_sql_file_gives_the_same_tables(lakehouse: Path, migrated: Path, tmp_path: Path) -> None:
    call_command("loadseed", verbosity=0)
    by_command = contents(lakehouse)
    with connections[LAKEHOUSE].cursor() as cursor:
        for name in TABLES:
            cursor.execute(f"DELETE FROM {'.'.join(('mirion_vital', *name.split('/')))}")
        for statement in (SEED_DATA / "load_seed_data.sql").read_text().split(";\n"):
            if any(line and not line.startswith("--") for line in statement.splitlines()):
                cursor.execute(statement)
    by_sql = contents(lakehouse)
    for name, frame in by_command.items():
        assert by_sql[name].equals(frame), name
