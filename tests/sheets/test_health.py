"""What the doctor finds in volumes and tags."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sheets import health


def test_a_lakehouse_without_volumes_is_well(lakehouse: Path) -> None:
    assert health.volumes().state == "ok" and "shows none" in health.volumes().found


def test_a_volume_is_listed_and_a_file_read(sql: Callable[..., Any], lakehouse: Path) -> None:
    sql("CREATE VOLUME mirion_vital.workbench.boards")
    (lakehouse / "Volumes/mirion_vital/workbench/boards/board_1.jpg").write_bytes(b"jpeg")
    finding = health.volumes()
    assert finding.state == "ok" and "1 files, and one read" in finding.found


def test_tags_are_counted_at_each_level(sql: Callable[..., Any]) -> None:
    sql("ALTER TABLE sheets SET TAGS ('classification' = 'phi')")
    assert "0 schema tags, 1 table tags, 0 column tags" in health.tags().found
