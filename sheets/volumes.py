"""The volumes of the lakehouse through one interface, in a directory or behind the Files API."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import connections

from sheets.local_volume import LocalVolume
from sheets.names import VolumeName, split_path
from sheets.volume import Volume
from sheets.workspace_volume import WorkspaceVolume
from workbench.near import listed
from workbench.problems import Forbidden, Invalid
from workbench.router import LAKEHOUSE

# What leaves through gates and by signed links only, whoever may read the workbench's files.
OWN = ("exports", "training_files")
KINDS: dict[str, Callable[[VolumeName], Volume]] = {"local": LocalVolume, "databricks": WorkspaceVolume}


def volume(name: VolumeName) -> Volume:
    """Return the volume; NotFound, with the near misses, where it does not exist."""
    found = _unchecked(name)
    found.need()
    return found


def open_path(path: str) -> tuple[Volume, str]:
    """Return the volume of a volume path and the file inside it; Invalid for a path that names no file.

    Forbidden for what the workbench itself keeps for export. Whether they exist shows when the file is looked at: on a
    workspace each look is a request.
    """
    name, file = split_path(path)
    if not file:
        raise Invalid(f"Found {path!r}, a whole volume: name a file inside it.")
    if name in own_volumes():
        raise Forbidden(f"The files of {name} leave by a signed link only: ask for one where they were exported.")
    return _unchecked(name), file


def own_volumes() -> list[VolumeName]:
    """Return the volumes that the workbench keeps its own files in."""
    named = [VolumeName.parse(settings.TRAINING_FILES)] if settings.TRAINING_FILES else []
    return [*named, *(own_volume(each) for each in OWN)]


def own_volume(volume: str) -> VolumeName:
    """Return the name of a volume beside the workbench's tables."""
    options = connections[LAKEHOUSE].settings_dict["OPTIONS"]
    return VolumeName(options["catalog"], options["schema"], volume)


def _unchecked(name: VolumeName) -> Volume:
    kind = connections[LAKEHOUSE].settings_dict["OPTIONS"].get("engine", "local")
    if kind not in KINDS:
        raise Invalid(f"Volumes of the engine {kind!r} cannot be read: known are {listed(KINDS)}.")
    return KINDS[kind](name)
