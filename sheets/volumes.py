"""Files of volumes through one interface, wherever they lie; nothing outside a volume is ever opened."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol

from django.db import connections

from sheets.names import VolumeName, split_path
from workbench.near import listed, near_misses
from workbench.problems import Invalid, NotFound
from workbench.router import LAKEHOUSE

# A directory's time of change is as coarse as the kernel's tick: a listing is kept only of one that came to rest.
AT_REST_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class FileState:
    """Size in bytes and time of change (nanoseconds since 1970) of one file."""

    size: int
    modified_ns: int


class Volume(Protocol):
    """One volume. A `file` is a path inside it, such as `2026/board_1.jpg`."""

    @property
    def name(self) -> VolumeName: ...

    def list_files(self) -> Sequence[str]:
        """Return the names of the files at the top of the volume, sorted."""

    def state(self, file: str) -> FileState:
        """Return size and time of a file; NotFound, or Invalid for a path outside the volume."""

    def open(self, file: str) -> BinaryIO:
        """Return the opened file; errors as for `state`."""

    def index(self) -> Mapping[str, Sequence[str]]:
        """Return the files at the top by their names and by their stems (`board_1` for `board_1.jpg`)."""


@dataclass(frozen=True, slots=True)
class LocalVolume:
    """A directory of the embedded lakehouse."""

    name: VolumeName
    root: Path

    def list_files(self) -> Sequence[str]:
        with os.scandir(self.root) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.is_file(follow_symlinks=False) and not entry.name.startswith(".")
            )

    def index(self) -> Mapping[str, Sequence[str]]:
        changed = self.root.stat().st_mtime_ns
        if time.time_ns() - changed < AT_REST_SECONDS * 1e9:
            return by_name_and_stem(self.list_files())
        return _index(self, changed)

    def state(self, file: str) -> FileState:
        found = self.resolve(file).stat()
        return FileState(found.st_size, found.st_mtime_ns)

    def open(self, file: str) -> BinaryIO:
        return self.resolve(file).open("rb")

    def resolve(self, file: str) -> Path:
        """Return the local path of an existing file; links are followed first and must end inside the volume."""
        path = f"{self.name}/{file}"
        if "\0" in file or file.startswith("/") or ".." in file.split("/"):
            raise Invalid(f"Found {path!r}, which leads out of its volume: give a path inside {self.name}.")
        try:
            target = (self.root / file).resolve()
            inside, is_file = target.is_relative_to(self.root.resolve()), target.is_file()
        except OSError as error:
            raise NotFound(f"The file {path!r} cannot be looked up: {error.strerror}. Check the path.") from error
        if not inside:
            raise Invalid(f"Found {path!r}, which leads out of its volume: give a path inside {self.name}.")
        if not is_file:
            near = "" if "/" in file else near_misses(file, self.list_files())
            raise NotFound(f"There is no file {path!r}.{near} List the volume to see its files.")
        return target


def by_name_and_stem(files: Sequence[str]) -> dict[str, list[str]]:
    """Return the files under each name and each stem, in the order given."""
    found: dict[str, list[str]] = {}
    for file in files:
        for key in {file, file.rpartition(".")[0] or file}:
            found.setdefault(key, []).append(file)
    return found


@lru_cache(maxsize=8)
def _index(volume: LocalVolume, changed: int) -> Mapping[str, Sequence[str]]:
    return by_name_and_stem(volume.list_files())


def directory() -> Path:
    """Return the directory in which `Volumes/` lies; Invalid where the lakehouse is a warehouse without one."""
    settings = connections[LAKEHOUSE].settings_dict
    if settings["OPTIONS"].get("engine", "local") == "local":
        return Path(settings["NAME"])
    if "volumes" not in settings["OPTIONS"]:
        raise Invalid("The volumes of a SQL warehouse cannot be reached from here yet: use tables only.")
    return Path(settings["OPTIONS"]["volumes"])


def _local(name: VolumeName) -> LocalVolume:
    base = directory() / "Volumes"
    root = base / name.catalog / name.schema / name.volume
    if not root.is_dir():
        known = [_path_of(entry, base) for entry in base.glob("*/*/*") if entry.is_dir()]
        raise NotFound(f"There is no volume {str(name)!r}.{near_misses(str(name), known)} Volumes: {listed(known)}.")
    return LocalVolume(name, root)


def _path_of(directory: Path, base: Path) -> str:
    return f"/Volumes/{directory.relative_to(base).as_posix()}"


KINDS: dict[str, Callable[[VolumeName], Volume]] = {"local": _local, "databricks": _local}


def volume(name: VolumeName) -> Volume:
    """Return the volume; NotFound, with the near misses, where it does not exist."""
    kind = connections[LAKEHOUSE].settings_dict["OPTIONS"].get("engine", "local")
    if kind not in KINDS:
        raise Invalid(f"Volumes of the engine {kind!r} cannot be read: known are {listed(KINDS)}.")
    return KINDS[kind](name)


def open_path(path: str) -> tuple[Volume, str]:
    """Return the volume of a volume path and the file inside it; errors of `split_path` and `volume`."""
    name, file = split_path(path)
    if not file:
        raise Invalid(f"Found {path!r}, a whole volume: name a file inside it.")
    return volume(name), file
