"""Volume paths: `/Volumes/CATALOG/SCHEMA/VOLUME/…` to files of the lakehouse directory, and never out of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from . import errors
from .layout import Layout


def resolve(layout: Layout, path: str) -> Path:
    """The local file or directory for a volume path.

    ProgrammingError where the path is no volume path, its volume does not exist, or it leads out of the volume
    (`..` or a symbolic link). The file itself need not exist.
    """
    parts = path.split("/")
    if len(parts) < 5 or parts[0] or parts[1] != "Volumes" or not all(parts[2:5]):
        raise errors.ProgrammingError(f"Found the path {path!r}; a volume path is /Volumes/catalog/schema/volume/file.")
    volume = layout.volume(*layout.need_volume(*parts[2:5])).resolve()
    target = (volume / "/".join(parts[5:]).lstrip("/")).resolve()
    if target != volume and volume not in target.parents:
        raise errors.ProgrammingError(f"Found the path {path!r}, which leads out of its volume; give a path inside it.")
    return target


def parquet_file(layout: Layout, parts: Sequence[str]) -> Path | None:
    """The file that a query names as ``parquet.`/Volumes/…` ``, or None for the name of a table."""
    if len(parts) != 2 or parts[0].lower() != "parquet" or not parts[1].startswith("/"):
        return None
    found = resolve(layout, parts[1])
    if not found.is_file():
        raise errors.ProgrammingError(f"[PATH_NOT_FOUND] Found the path {parts[1]!r}; there is no such file.")
    return found
