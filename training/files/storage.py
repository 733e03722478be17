"""The volume of conversations and training files: a file is written under a new name and never changed."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from django.conf import settings
from django.db import DatabaseError, connections

from sheets.names import VolumeName, split_path
from sheets.volume import Volume
from sheets.volumes import own_volume, volume
from workbench.problems import NotFound, Problem, Unavailable
from workbench.router import LAKEHOUSE

log = logging.getLogger(__name__)


@dataclass
class Draft:
    """A file that is being written on this machine, with its size and digest so far."""

    file: BinaryIO
    size: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)

    def write(self, block: bytes) -> None:
        self.file.write(block)
        self.size += len(block)
        self._digest.update(block)

    @property
    def sha256(self) -> str:
        return str(self._digest.hexdigest())


def volume_name() -> VolumeName:
    """Return the volume that WORKBENCH_TRAINING_FILES names, else `training_files` beside the tables."""
    if settings.TRAINING_FILES:
        return VolumeName.parse(settings.TRAINING_FILES)
    return own_volume("training_files")


def path_of(file: str) -> str:
    """Return the volume path of a file of this name."""
    return f"{volume_name()}/{file}"


@contextmanager
def storing() -> Iterator[Volume]:
    """Give the volume, made where it does not exist yet; Unavailable where it cannot be written."""
    name = volume_name()
    try:
        yield _made(name)
    except OSError as error:
        raise _unwritable(name, error.strerror or str(error)) from error


@contextmanager
def draft() -> Iterator[Draft]:
    """Give a file on this machine to write, which is gone afterwards."""
    with tempfile.TemporaryFile() as file:
        yield Draft(file)


def send(to: Volume, file: str, written: Draft) -> None:
    """Put what was written into the volume."""
    written.file.flush()
    written.file.seek(0)
    to.write(file, written.file)


def opened(path: str) -> BinaryIO:
    """Return the opened file of a volume path; NotFound where it is not there."""
    name, file = split_path(path)
    return volume(name).open(file)


def discard(path: str) -> bool:
    """Take a file away; False where the volume does not answer and it stays."""
    name, file = split_path(path)
    try:
        volume(name).remove(file)
    except (OSError, Problem):
        log.warning("The file %s could not be removed.", path, exc_info=True)
        return False
    return True


def _made(name: VolumeName) -> Volume:
    try:
        return volume(name)
    except NotFound:
        connection = connections[LAKEHOUSE]
        quoted = ".".join(map(connection.ops.quote_name, (name.catalog, name.schema, name.volume)))
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE VOLUME IF NOT EXISTS {quoted}")
        except DatabaseError as error:  # such as for a file that stands in its place
            raise _unwritable(name, f"it is not there and cannot be made ({error})") from error
        return volume(name)


def _unwritable(name: VolumeName, why: str) -> Unavailable:
    return Unavailable(
        f"The volume {str(name)!r} cannot be written: {why.rstrip('.')}. Nothing was changed; try again when it can, or name "
        "another in WORKBENCH_TRAINING_FILES."
    )
