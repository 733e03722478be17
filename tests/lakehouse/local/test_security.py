from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from workbench.lakehouse.engines import local

from .conftest import Run


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM read_parquet('{path}')",
        "SELECT * FROM read_text('{path}')",
        "SELECT * FROM read_csv('{path}')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM '{path}'",
        "SELECT * FROM `{path}`",
        "SELECT * FROM csv.`{path}`",
        "SELECT read_text('{path}')",
        "SELECT * FROM delta.`{path}`",
        "SELECT getenv('HOME')",
        "COPY pairs TO '{path}.out'",
        "ATTACH '{path}' AS x",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "SELECT 1; COPY pairs TO '{path}.out'",
        "SELECT * FROM __changes",
        "SELECT * FROM sqlite_master",
    ],
)
def test_a_statement_cannot_reach_a_file(pairs: Run, tmp_path: Path, text: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("word\nhush\n")
    with pytest.raises(local.DatabaseError):
        pairs(text.format(path=secret))
    assert not list(tmp_path.glob("*.out"))


def test_duckdb_itself_is_locked_to_the_directory(connection: local.Connection, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("word\nhush\n")
    for text in (
        f"SELECT * FROM read_csv('{secret}')",
        "SET enable_external_access = true",
        f"COPY (SELECT 1) TO '{secret}'",
    ):
        with pytest.raises(duckdb.Error):
            connection.engine.duckdb.execute(text)
    assert secret.read_text() == "word\nhush\n"


def test_a_text_is_never_read_as_sql(pairs: Run) -> None:
    nasty = "x'; DROP TABLE pairs; -- $p0 __table_0__ ?"
    pairs("INSERT INTO pairs VALUES (?, ?, 1)", nasty, nasty)
    assert pairs("SELECT id FROM pairs WHERE sheet = ? AND id = ?", nasty, nasty) == [(nasty,)]


def test_a_literal_may_look_like_a_token(pairs: Run) -> None:
    text = "__table_0__ $p0 $p9 :p0 $files0"
    assert pairs(f"SELECT '{text}', id FROM pairs WHERE id = ?", "a") == [(text, "a")]
