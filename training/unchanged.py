"""Files in volumes that leave only with the bytes that they were stored with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import BinaryIO

from sheets.names import split_path
from sheets.volumes import volume
from workbench.problems import Conflict, NotFound, Unavailable

BLOCK = 1 << 20


def open_unchanged(path: str, sha256: str, again: str) -> BinaryIO:
    """Return the opened file of a volume path, after all of it was read, in blocks; `again` says how to make it anew.

    Conflict where it has another SHA-256, NotFound where it is gone, Unavailable where it cannot be read.
    """
    name, file = split_path(path)
    with _told(path, again), ExitStack() as closing:
        found = closing.enter_context(volume(name).open(file))
        digest = hashlib.sha256()
        for block in iter(partial(found.read, BLOCK), b""):
            digest.update(block)
        if digest.hexdigest() != sha256:
            raise Conflict(f"The file {path!r} was changed since it was stored, so it does not leave: {again}.")
        found.seek(0)
        closing.pop_all()
        return found


def expect_there(path: str, again: str) -> None:
    """Raise NotFound where no file has the volume path any more, Unavailable where that cannot be asked."""
    name, file = split_path(path)
    with _told(path, again):
        volume(name).state(file)


@contextmanager
def _told(path: str, again: str) -> Iterator[None]:
    try:
        yield
    except NotFound as problem:
        raise NotFound(f"The file {path!r} is not there any more: {again}.") from problem
    except OSError as error:
        raise Unavailable(
            f"The file {path!r} cannot be read: {error.strerror or error}. Try again when it can."
        ) from error
