"""A table whose data file is gone cannot be read, today or in a minute: the error names it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import OperationalError, connections

from workbench.problems import Conflict
from workbench.router import LAKEHOUSE

# As DuckDB says that the log of a Delta table names a file that is not there.
GONE = re.compile(r'(?:No files found that match the pattern|Cannot open file) "(.+?)"(?:$|: No such file)')


@contextmanager
def data_files_needed() -> Iterator[None]:
    """Raise Conflict, naming table and file, where a table's data file is gone; an error of another kind stays."""
    try:
        yield
    except OperationalError as error:
        if not (found := GONE.search(str(error))):
            raise
        words = f"The table {_table_of(Path(found[1]))!r} cannot be read, because its data file {Path(found[1]).name!r} is gone"
        raise Conflict(f"{words}: restore the file, or write the table anew.") from error


def _table_of(file: Path) -> str:
    """Return the table `c.s.t` of a file of the local lakehouse, else the directory that should hold it."""
    root = Path(connections[LAKEHOUSE].settings_dict["NAME"]).resolve()
    return ".".join(file.relative_to(root).parts[:3]) if file.is_relative_to(root) else str(file.parent)
