"""Long documents take as little memory as short ones."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from workbench.lakehouse.engines import local

DOCUMENTS = pa.table({"n": pa.array(range(4_100), pa.int32()), "body": [f"{n:08}" * 1_250 for n in range(4_100)]})


@pytest.fixture
def documents(connection: local.Connection) -> local.Connection:
    """A connection to a table of 4,100 documents of 10 kB."""
    connection.cursor().execute("CREATE TABLE documents (n INT, body STRING)")
    connection.append("documents", DOCUMENTS)
    return connection


def groups(documents: local.Connection) -> set[int]:
    """The sizes of the groups of rows in the table's files."""
    found = [parquet.read_metadata(file) for file in documents.engine.snapshot(documents.name("documents")).files]
    return {file.row_group(number).num_rows for file in found for number in range(file.num_row_groups)}


def test_wide_rows_are_written_in_small_groups(documents: local.Connection) -> None:
    assert groups(documents) == {2_048, 4}
    cursor = documents.cursor()
    cursor.execute("UPDATE documents SET n = n + 1")
    assert max(groups(documents)) == 2_048
    cursor.execute("ALTER TABLE documents RENAME COLUMN n TO number")
    assert max(groups(documents)) == 2_048


def test_what_needs_more_memory_says_what_to_do(documents: local.Connection, directory: Path) -> None:
    with (
        local.connect(directory, catalog="main", schema="work", memory="20MB") as small,
        pytest.raises(local.OperationalError, match=r"delta:///DIR\?memory=4GB"),
    ):
        small.cursor().execute("SELECT * FROM documents ORDER BY body, n")
