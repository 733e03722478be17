from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from tests.lakehouse.conftest import ROOT
from tests.lakehouse.testapp.models import Part, Sample

pytestmark = pytest.mark.usefixtures("lakehouse")


def sql(statement: str, **options: bool) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("sql", statement, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_a_table_for_the_eye() -> None:
    Part.objects.create(name="a bolt\nof steel", stock=5)
    out, err = sql("SELECT name, stock, code FROM testapp_part")
    assert out.splitlines() == [
        "name             stock  code",
        "───────────────  ─────  ────",
        "a bolt of steel  5      NULL",
    ]
    assert err.strip() == "1 rows"


def test_long_cells_are_cut_and_empty_results_have_a_header() -> None:
    out, _ = sql("SELECT REPEAT('x', 100) AS long")
    assert out.splitlines()[2] == "x" * 59 + "…"
    assert sql("SELECT name FROM testapp_part")[0].splitlines() == ["name", "────"]


def test_csv() -> None:
    Sample.objects.create(text='say "hi", née', words=["a", "b"])
    out, _ = sql("SELECT text, words, flag FROM testapp_sample", csv=True)
    assert out == 'text,words,flag\n"say ""hi"", née","[""a"",""b""]",\n'


def test_csv_of_what_has_no_text() -> None:
    statement = (
        "SELECT ARRAY(DATE'2026-01-02') AS days, STRUCT(1.50 AS d) AS s, X'00FF' AS raw, NULL AS none, '' AS empty"
    )
    assert sql(statement, csv=True)[0].splitlines()[1] == '"[""2026-01-02""]","{""d"":1.5}",AP8=,,""'


@pytest.mark.parametrize(
    ("statement", "words"),
    [("SELECT CAST('NaN' AS DOUBLE) AS x", "NaN.* Cast"), ("SELECT 1 AS a, 2 AS a", "several columns named a")],
)
def test_what_json_cannot_hold_is_told(statement: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        sql(statement, json=True)


def test_whoever_reads_may_stop(environment: dict[str, str]) -> None:
    command = f"{sys.executable} manage.py sql 'SELECT EXPLODE(ARRAY_REPEAT(1, 200000))' --csv | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_json_lines() -> None:
    Sample.objects.create(text="née", words=["a"], exact="1.5", day="2026-01-02", moment="2026-01-02T03:04:05.000006Z")
    out, _ = sql("SELECT text, words, flag, exact, day, moment FROM testapp_sample", json=True)
    row = json.loads(out)
    assert (row["text"], row["words"], row["flag"]) == ("née", ["a"], None)
    assert "2026-01-02" in row["day"] and "05.000006" in row["moment"] and str(row["exact"]).startswith("1.5")


def test_a_write_says_how_many_rows() -> None:
    Part.objects.bulk_create([Part(name="bolt"), Part(name="nut")])
    assert sql("UPDATE testapp_part SET stock = 3 WHERE name = 'nut'")[1].strip() == "1 rows changed"
    assert sql("DELETE FROM testapp_part")[1].strip() == "2 rows changed"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("SELECT * FROM testapp_prt", "testapp_part"),
        ("SELECT nme FROM testapp_part", "name"),
        ("DELETE FROM testapp_part; DELETE FROM testapp_part", "one statement"),
        ("SELECT 'open", "'"),
        ("", "statement"),
    ],
)
def test_a_wrong_statement_is_told_in_one_line_and_changes_nothing(statement: str, words: str) -> None:
    Part.objects.create(name="bolt")
    with pytest.raises(CommandError, match=words):
        sql(statement)
    assert Part.objects.count() == 1
