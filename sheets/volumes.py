"""The volumes of the lakehouse through one interface, in a directory or behind the Files API."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connections

from sheets.local_volume import LocalVolume
from sheets.names import VolumeName, split_path
from sheets.volume import Volume
from sheets.workspace_volume import WorkspaceVolume
from workbench.near import listed
from workbench.problems import Invalid
from workbench.router import LAKEHOUSE

KINDS: dict[str, Callable[[VolumeName], Volume]] = {"local": LocalVolume, "databricks": WorkspaceVolume}


def volume(name: VolumeName) -> Volume:
    """Return the volume; NotFound, with the near misses, where it does not exist."""
    found = _unchecked(name)
    found.need()
    return found


def open_path(path: str) -> tuple[Volume, str]:
    """Return the volume of a volume path and the file inside it; Invalid for a path that names no file.

    Whether they exist shows when the file is looked at: on a workspace each look is a request.
    """
    name, file = split_path(path)
    if not file:
        raise Invalid(f"Found {path!r}, a whole volume: name a file inside it.")
    return _unchecked(name), file


def _unchecked(name: VolumeName) -> Volume:
    kind = connections[LAKEHOUSE].settings_dict["OPTIONS"].get("engine", "local")
    if kind not in KINDS:
        raise Invalid(f"Volumes of the engine {kind!r} cannot be read: known are {listed(KINDS)}.")
    return KINDS[kind](name)
