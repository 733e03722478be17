"""Where the benchmarks play: Django on a directory of its own, and lakehouses that are copies of one migrated."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import pyarrow as pa

ROOT = Path(__file__).resolve().parent.parent
TABLES = "mirion_vital/workbench"


def set_up(directory: Path) -> None:
    """Start Django with everything it writes below `directory`, whatever the environment says."""
    for name in ("WORKBENCH_LAKEHOUSE_URL", "WORKBENCH_DATABASE_URL"):
        os.environ.pop(name, None)
    os.environ["WORKBENCH_VAR_DIR"] = str(directory)
    os.environ["DJANGO_SETTINGS_MODULE"] = "workbench.settings"
    # It has a benchmark of its own.
    os.environ["WORKBENCH_FINDINGS"] = "ask"
    django.setup()


@contextmanager
def staged() -> Iterator[Path]:
    """A directory under `var/` with a migrated lakehouse named `empty`; all of it is removed afterwards."""
    (ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "var", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        set_up(directory)
        from django.core.management import call_command

        with opened(directory / "empty"):
            call_command("migrate", database="lakehouse", verbosity=0)
        yield directory


@contextmanager
def opened(directory: Path) -> Iterator[Path]:
    """Point the alias `lakehouse` at a directory; made as a copy of `empty` when that is there."""
    if not directory.exists() and (directory.parent / "empty").exists():
        shutil.copytree(directory.parent / "empty", directory)
    with pointed_at(f"delta://{directory}"):
        yield directory


@contextmanager
def pointed_at(url: str) -> Iterator[None]:
    """Point the alias `lakehouse` at a URL, as WORKBENCH_LAKEHOUSE_URL does."""
    from django.db import connections

    from workbench import databases

    connections["lakehouse"].close()
    connections.settings["lakehouse"] |= databases.lakehouse(url)
    connections["lakehouse"] = connections.create_connection("lakehouse")
    try:
        yield
    finally:
        connections["lakehouse"].close()


def same_table(ours: Path, reference: Path) -> Path:
    """Make an empty Delta table like ours at `reference`: the same columns, NOT NULLs and partitions."""
    from deltalake import DeltaTable

    table = DeltaTable(ours)
    DeltaTable.create(reference, table.schema(), partition_by=table.metadata().partition_columns)
    return reference


def append_reference(path: Path, rows: pa.Table) -> None:
    from deltalake import write_deltalake

    write_deltalake(path, rows, mode="append")
