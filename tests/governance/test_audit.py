"""The audit only grows, keeps its chain between processes and after a kill, and shows who changed its files."""

from __future__ import annotations

import io
import multiprocessing
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake
from django.core.management import CommandError, call_command
from django.db import IntegrityError, NotSupportedError, connections
from django.utils import timezone

from governance import audit
from governance.models import AuditAnnouncement, AuditHead, UsageConstraintAudit
from tests.governance.elsewhere import append_some

ROWS = 3
TABLE = "mirion_vital/workbench/usage_constraint_audit"


def rows(count: int, actor: str = "rosa") -> list[UsageConstraintAudit]:
    return [audit.entry("uses", f"sheet {at}", reason="Contains PHI", actor=actor) for at in range(count)]


@pytest.fixture
def kept(lakehouse: Path) -> list[UsageConstraintAudit]:
    made = rows(ROWS)
    audit.append(made)
    return made


def verified() -> str:
    out = io.StringIO()
    call_command("verify_audit", stdout=out, stderr=out)
    return out.getvalue()


def refused() -> str:
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("verify_audit", stdout=out, stderr=out)
    return f"{out.getvalue()}{error.value}"


def test_rows_are_chained_once_each(kept: list[UsageConstraintAudit], lakehouse: Path) -> None:
    assert audit.append(kept) == 0
    assert audit.append([*kept, *rows(1)]) == 1
    stored = pl.read_delta(str(lakehouse / TABLE)).sort("sequence")
    assert stored["sequence"].to_list() == [1, 2, 3, 4]
    assert stored["previous_hash"].to_list()[1:] == stored["row_hash"].to_list()[:-1]
    assert verified() == "The audit is whole: 4 rows, each with the hash of the one before.\n"


@pytest.mark.parametrize(
    "write",
    [
        lambda row: row.save(),
        lambda row: row.delete(),
        lambda row: UsageConstraintAudit.objects.create(reason="x"),
        lambda row: UsageConstraintAudit.objects.bulk_create([row]),
        lambda row: UsageConstraintAudit.objects.bulk_update([row], ["reason"]),
        lambda row: UsageConstraintAudit.objects.update_or_create(pk=row.pk, defaults={"reason": "x"}),
        lambda row: UsageConstraintAudit.objects.get_or_create(pk="new"),
        lambda row: UsageConstraintAudit.objects.filter(pk=row.pk).update(reason="x"),
        lambda row: UsageConstraintAudit.objects.filter(pk=row.pk).delete(),
        lambda row: UsageConstraintAudit.objects.all()._raw_delete("lakehouse"),
        lambda row: UsageConstraintAudit._base_manager.filter(pk=row.pk).update(reason="x"),
        lambda row: row.save_base(),
    ],
)
def test_no_method_of_the_model_writes(kept: list[UsageConstraintAudit], write: Callable[[Any], Any]) -> None:
    with pytest.raises(NotSupportedError, match="append another"):
        write(UsageConstraintAudit.objects.all()[0])
    assert UsageConstraintAudit.objects.filter(reason="Contains PHI").count() == ROWS
    assert "whole" in verified()


def test_a_place_is_given_once(kept: list[UsageConstraintAudit]) -> None:
    (late,) = rows(1)
    late.sequence = 2
    with pytest.raises(IntegrityError):
        UsageConstraintAudit.objects.add_chained([late])


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE {t} SET reason = 'fine' WHERE sequence = 2", "Row 2 ({2}): was changed: its hash is not that"),
        ("DELETE FROM {t} WHERE sequence = 2", "row 2 was removed before it"),
        ("DELETE FROM {t} WHERE sequence >= 2", "Row 3: was removed: the table ends with row 1"),
        ("DELETE FROM {t}", "Row 3: was removed: the table ends with row 0"),
        ("UPDATE {t} SET sequence = NULL WHERE sequence = 1", "Without a place ({1}): was slipped in"),
    ],
)
def test_what_sql_does_to_it_is_found(
    kept: list[UsageConstraintAudit], sql: Callable[..., Any], statement: str, said: str
) -> None:
    sql(statement.format(t="mirion_vital.workbench.usage_constraint_audit"))
    assert said.format("", *(row.pk for row in kept)) in refused()


def test_what_is_appended_later_does_not_cover_what_was_cut_off_and_written_anew(
    kept: list[UsageConstraintAudit], sql: Callable[..., Any]
) -> None:
    sql("DELETE FROM mirion_vital.workbench.usage_constraint_audit WHERE sequence >= 2")
    for _ in range(ROWS):
        audit.append(rows(1))
    assert AuditHead.objects.get().sequence == ROWS
    assert "Row 3 (" in refused() and "is not the row that the default database knows" in refused()


def test_what_is_appended_later_does_not_cover_what_was_slipped_in_at_the_end(kept: list[UsageConstraintAudit]) -> None:
    (forged,) = rows(1, "omar")
    audit._chained([forged], kept[-1])
    UsageConstraintAudit.objects.add_chained([forged])
    audit.append(rows(1))
    assert "was slipped in, or the default database is older" in refused()
    call_command("verify_audit", "--adopt", stdout=io.StringIO())
    audit.append(rows(1))
    assert "whole: 7 rows" in verified()


def test_a_row_slipped_in_by_another_writer_is_found(kept: list[UsageConstraintAudit], lakehouse: Path) -> None:
    path = str(lakehouse / TABLE)
    like = DeltaTable(path).to_pyarrow_table().slice(0, 1)
    write_deltalake(path, like.set_column(0, "id", [["zz"]]), mode="append")
    assert "(zz): was slipped in: its place was taken already" in refused()


@pytest.mark.parametrize("part", [0.1, 0.35, 0.6, 0.85])
def test_any_byte_of_a_file_changed_by_hand_is_found(
    kept: list[UsageConstraintAudit], lakehouse: Path, part: float
) -> None:
    (file,) = (lakehouse / TABLE).rglob("*.parquet")
    content = bytearray(file.read_bytes())
    content[int(len(content) * part)] ^= 1
    file.write_bytes(content)
    assert f"({file.name}): is a file of the table that was changed" in refused()


def test_compaction_is_no_change(kept: list[UsageConstraintAudit]) -> None:
    audit.append(rows(1))
    call_command("optimize_tables", "usage_constraint_audit", stdout=io.StringIO())
    assert "whole: 4 rows" in verified()
    audit.append(rows(1))
    assert "whole: 5 rows" in verified()


def test_a_kill_between_append_and_head_is_no_fault(kept: list[UsageConstraintAudit]) -> None:
    (last,) = rows(1)
    audit.append([last])
    AuditHead.objects.update(sequence=ROWS, row_hash=kept[-1].row_hash)
    assert "was slipped in, or the default database is older" in refused()
    AuditAnnouncement.objects.create(row_hash=last.row_hash, sequence=last.sequence)
    assert "whole: 4 rows" in verified()
    audit.append(rows(1))
    assert (AuditHead.objects.get().sequence, AuditAnnouncement.objects.count()) == (5, 0)
    assert "whole: 5 rows" in verified()


def test_a_restored_database_takes_the_table_as_the_truth_and_says_so(kept: list[UsageConstraintAudit]) -> None:
    AuditHead.objects.all().delete()
    assert "was slipped in, or the default database is older" in refused()
    call_command("verify_audit", "--adopt", stdout=io.StringIO())
    assert "knew 0 rows and takes the table's 3" in UsageConstraintAudit.objects.get(kind="head").reason


@pytest.fixture
def database(kept: list[UsageConstraintAudit], tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "default.sqlite3"
    path.write_bytes(connections["default"].connection.serialize())
    sqlite3.connect(path).execute("PRAGMA journal_mode=WAL")
    yield path


def test_processes_that_append_at_once_make_one_chain(database: Path, lakehouse: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.governance.elsewhere"])
    writers = [
        context.Process(target=append_some, args=(str(lakehouse), str(database), f"writer {at}", 8)) for at in range(2)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0]
    stored = pl.read_delta(str(lakehouse / TABLE)).sort("sequence")
    assert stored["sequence"].to_list() == list(range(1, ROWS + 17))
    assert stored["previous_hash"].to_list()[1:] == stored["row_hash"].to_list()[:-1]
    head = sqlite3.connect(database).execute("SELECT sequence, row_hash FROM audit_head").fetchone()
    assert head == (ROWS + 16, stored["row_hash"][-1])


def test_the_api_shows_the_chain_and_takes_no_writes(kept: list[UsageConstraintAudit], api: Any) -> None:
    url = "/api/v1/usage-constraint-audit"
    shown = api.get(url, {"kind": "uses"}).json()["results"]
    assert [row["sequence"] for row in shown] == [3, 2, 1]
    assert api.get(url, {"since": timezone.now().isoformat()}).json()["results"] == []
    for method in (api.post, api.put, api.patch, api.delete):
        assert method(f"{url}/{kept[0].pk}", {}).status_code == 405
