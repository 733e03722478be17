from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.lakehouse.testapp.models import Counter, Line


def parquet(lakehouse: Path, table: str) -> int:
    return sum(1 for _ in (lakehouse / "mirion_vital" / "workbench" / table).rglob("*.parquet"))


def test_small_files_become_one_and_the_rows_stay(lakehouse: Path) -> None:
    for n in range(12):
        Counter.objects.create(n=n)
    before = set(Counter.objects.values_list("pk", "n"))
    out = io.StringIO()
    call_command("optimize_tables", "testapp_counter", retain_hours=0, stdout=out)
    assert "testapp_counter" in out.getvalue()
    data = list((lakehouse / "mirion_vital/workbench/testapp_counter").glob("*.parquet"))
    assert len(data) == 1
    assert set(Counter.objects.values_list("pk", "n")) == before


def test_every_table_and_only_within_its_partitions(lakehouse: Path) -> None:
    for n in range(6):
        Line.objects.create(sheet=f"sheet {n % 2}", text=str(n))
    call_command("optimize_tables", retain_hours=0, stdout=io.StringIO())
    folders = lakehouse / "mirion_vital" / "workbench" / "testapp_line"
    assert {path.name: len(list(path.glob("*.parquet"))) for path in folders.glob("sheet=*")} == {
        "sheet=sheet%200": 1,
        "sheet=sheet%201": 1,
    }
    assert Line.objects.count() == 6


def test_old_files_stay_for_readers_that_need_them(lakehouse: Path) -> None:
    for n in range(3):
        Counter.objects.create(n=n)
    before = parquet(lakehouse, "testapp_counter")
    call_command("optimize_tables", "testapp_counter", stdout=io.StringIO())
    assert parquet(lakehouse, "testapp_counter") >= before


def test_an_unknown_table(lakehouse: Path) -> None:
    with pytest.raises(CommandError, match="testapp_counter"):
        call_command("optimize_tables", "testapp_conter", stdout=io.StringIO())


def test_a_table_that_cannot_be_read_is_named_after_the_others(lakehouse: Path) -> None:
    (lakehouse / "mirion_vital/workbench/broken/_delta_log").mkdir(parents=True)
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"broken stays as it is: .* no Delta table"):
        call_command("optimize_tables", stdout=out)
    assert "testapp_counter: compacted" in out.getvalue()
