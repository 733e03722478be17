"""Volumes of the local lakehouse: directories under its `Volumes/`."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from django.db import connections

from sheets.models import Sheet
from sheets.names import VolumeName
from sheets.volume import FileState, by_name_and_stem, path_inside
from workbench.near import listed, near_misses
from workbench.problems import Invalid, NotFound
from workbench.router import LAKEHOUSE

# A directory's time of change is as coarse as the kernel's tick: a listing is kept only of one that came to rest.
AT_REST_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class LocalVolume:
    """A directory of the local lakehouse."""

    name: VolumeName

    @property
    def root(self) -> Path:
        return _base() / self.name.catalog / self.name.schema / self.name.volume

    def need(self) -> None:
        if self.root.is_dir():
            return
        base = _base()
        known = [f"/Volumes/{each.relative_to(base).as_posix()}" for each in base.glob("*/*/*") if each.is_dir()]
        known = Sheet.objects.openly(known)
        near = near_misses(str(self.name), known)
        raise NotFound(f"There is no volume {str(self.name)!r}.{near} Volumes: {listed(known)}.")

    def list_files(self, directory: str = "") -> Sequence[str]:
        with os.scandir(self._directory(directory)) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.is_file(follow_symlinks=False) and not entry.name.startswith(".")
            )

    def index(self, directory: str = "") -> Mapping[str, Sequence[str]]:
        place = self._directory(directory)
        changed = place.stat().st_mtime_ns
        if time.time_ns() - changed < AT_REST_SECONDS * 1e9:
            return by_name_and_stem(self.list_files(directory))
        return _index(self, directory, place, changed)

    def state(self, file: str) -> FileState:
        found = self.resolve(file).stat()
        return FileState(found.st_size, found.st_mtime_ns)

    def open(self, file: str) -> BinaryIO:
        return self.resolve(file).open("rb")

    def write(self, file: str, source: BinaryIO) -> None:
        path_inside(self.name, file)
        part = self.root / f".{file}.part"
        try:
            with part.open("wb") as target:
                shutil.copyfileobj(source, target)
            part.replace(self.root / file)
        except OSError:
            # On a full disk it is in the way of the next one.
            part.unlink(missing_ok=True)
            raise

    def remove(self, file: str) -> None:
        path_inside(self.name, file)
        (self.root / file).unlink(missing_ok=True)

    def resolve(self, file: str) -> Path:
        """Return the local path of an existing file; links are followed first and must end inside the volume."""
        path, (target, is_file) = path_inside(self.name, file), self._inside(file, Path.is_file)
        if not is_file:
            self.need()
            near = "" if "/" in file else near_misses(file, self.list_files())
            raise NotFound(f"There is no file {path!r}.{near} List the volume to see its files.")
        return target

    def _directory(self, directory: str) -> Path:
        if not directory:
            return self.root
        target, is_directory = self._inside(directory, Path.is_dir)
        if not is_directory:
            raise NotFound(f"There is no directory {path_inside(self.name, directory)!r}.")
        return target

    def _inside(self, file: str, what: Callable[[Path], bool]) -> tuple[Path, bool]:
        """Return the local path, and whether that is what is looked for; Invalid where it leads out of the volume."""
        path, root = path_inside(self.name, file), self.root
        try:
            target = (root / file).resolve()
            inside, found = target.is_relative_to(root.resolve()), what(target)
        except OSError as error:
            raise NotFound(f"The file {path!r} cannot be looked up: {error.strerror}. Check the path.") from error
        if not inside:
            raise Invalid(f"Found {path!r}, which leads out of its volume: give a path inside {self.name}.")
        return target, found


@lru_cache(maxsize=8)
def _index(volume: LocalVolume, directory: str, place: Path, changed: int) -> Mapping[str, Sequence[str]]:
    return by_name_and_stem(volume.list_files(directory))


def _base() -> Path:
    return Path(connections[LAKEHOUSE].settings_dict["NAME"]) / "Volumes"
