"""What a volume can do, wherever its files lie; nothing outside a volume is ever opened."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from sheets.names import VolumeName
from workbench.problems import Invalid, NotFound


@dataclass(frozen=True, slots=True)
class FileState:
    """Size in bytes and time of change (nanoseconds since 1970) of one file."""

    size: int
    modified_ns: int


class Volume(Protocol):
    """One volume, for one task: what it has seen of a file it may remember. A `file` is a path inside it."""

    @property
    def name(self) -> VolumeName: ...

    def need(self) -> None:
        """NotFound, with the near misses, where the volume does not exist."""

    def list_files(self, directory: str = "") -> Sequence[str]:
        """Return the names of the files in a directory, by default the top of the volume, sorted.

        NotFound, or Invalid for a path outside the volume.
        """

    def state(self, file: str) -> FileState:
        """Return size and time of a file; NotFound, or Invalid for a path outside the volume."""

    def open(self, file: str) -> BinaryIO:
        """Return the opened file, seekable and read in blocks; errors as for `state`."""

    def write(self, file: str, source: BinaryIO) -> None:
        """Put a file at the top of the volume, or replace it; it appears whole or not at all."""

    def remove(self, file: str) -> None:
        """Take a file away; one that is not there is no error."""

    def index(self, directory: str = "") -> Mapping[str, Sequence[str]]:
        """Return the files in a directory by their names and by their stems (`board_1` for `board_1.jpg`).

        Names and stems are in Unicode's composed form (NFC); errors as for `list_files`.
        """


class FilesByKey:
    """The files of a volume by name, stem or path, for one task: each directory that a key names is listed once."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._directories: dict[str, Mapping[str, Sequence[str]]] = {"": volume.index()}

    def get(self, key: str) -> Sequence[str]:
        """Return the paths inside the volume of the files that the key names; none for a key that leads nowhere."""
        directory, slash, name = key.rpartition("/")
        if directory not in self._directories:
            try:
                self._directories[directory] = self._volume.index(directory)
            except (NotFound, Invalid):
                self._directories[directory] = {}
        return [f"{directory}{slash}{file}" for file in self._directories[directory].get(composed(name), ())]


def composed(name: str) -> str:
    """Return the name as most systems write it: macOS decomposes letters with marks, and both look the same."""
    return unicodedata.normalize("NFC", name)


def path_inside(name: VolumeName, file: str) -> str:
    """Return the volume path of a file; Invalid where it leads out of the volume by its words alone."""
    path = f"{name}/{file}"
    if "\0" in file or file.startswith("/") or ".." in file.split("/"):
        raise Invalid(f"Found {path!r}, which leads out of its volume: give a path inside {name}.")
    return path


def by_name_and_stem(files: Sequence[str]) -> dict[str, list[str]]:
    """Return the files under each name and each stem in its composed form, in the order given."""
    found: dict[str, list[str]] = {}
    for file in files:
        name = composed(file)
        for key in {name, name.rpartition(".")[0] or name}:
            found.setdefault(key, []).append(file)
    return found
