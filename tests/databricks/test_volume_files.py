from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from databricks.sql import client, exc

from tests.databricks.conftest import Connect
from tests.databricks.loopback import Loopback

FILE = "/Volumes/mirion_vital/workbench/staging/a.txt"


@pytest.fixture
def raw(connect: Connect, tmp_path: Path) -> client.Cursor:
    """The connector's own cursor, allowed to read and write local files below the test's directory."""
    cursor: client.Cursor = connect(staging_allowed_local_path=str(tmp_path))._raw.cursor()
    return cursor


def test_a_file_goes_there_and_back(raw: client.Cursor, tmp_path: Path, warehouse: Loopback) -> None:
    ours, back = tmp_path / "ours.txt", tmp_path / "back.txt"
    ours.write_bytes(b"\0\xffhello")
    raw.execute(f"PUT '{ours}' INTO '{FILE}' OVERWRITE")
    raw.execute(f"GET '{FILE}' TO '{back}'")
    assert back.read_bytes() == b"\0\xffhello"
    raw.execute(f"REMOVE '{FILE}'")
    assert warehouse.staging.requests == ["PUT", "GET", "DELETE"] and not (warehouse.directory / FILE[1:]).exists()


def test_a_local_path_that_is_not_allowed_is_never_sent(raw: client.Cursor, warehouse: Loopback) -> None:
    with pytest.raises(exc.ProgrammingError, match="staging_allowed_local_path"):
        raw.execute(f"PUT '/etc/hostname' INTO '{FILE}'")
    assert warehouse.staging.requests == []


def test_a_file_is_not_overwritten_unasked(raw: client.Cursor, tmp_path: Path) -> None:
    (tmp_path / "ours.txt").write_text("one")
    raw.execute(f"PUT '{tmp_path}/ours.txt' INTO '{FILE}'")
    with pytest.raises(exc.ServerOperationError, match="FILE_IN_STAGING_PATH_ALREADY_EXISTS"):
        raw.execute(f"PUT '{tmp_path}/ours.txt' INTO '{FILE}'")


@pytest.mark.parametrize("path", ["/Volumes/no/such/volume/a", f"{FILE}/../../../other", "/etc/passwd"])
def test_a_path_outside_every_volume_is_refused(path: str, raw: Any, tmp_path: Path) -> None:
    with pytest.raises(exc.ServerOperationError):
        raw.execute(f"GET '{path}' TO '{tmp_path}/x'")


def test_a_file_that_is_not_there_is_404(raw: client.Cursor, tmp_path: Path) -> None:
    with pytest.raises(exc.OperationalError, match="404"):
        raw.execute(f"GET '{FILE}' TO '{tmp_path}/x'")
