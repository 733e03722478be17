"""Volume paths: `/Volumes/CATALOG/SCHEMA/VOLUME/…` to files of the lakehouse directory, and never out of it."""

from __future__ import annotations

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
