"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from workbench.problems import Invalid, Unavailable

STDOUT = 1
PRIVATE = 0o600
FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


@contextmanager
def written_whole(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write; `target` becomes it when all went well, and stays as it was otherwise.

    A link is followed, and a file that exists keeps its mode. A stream is given the bytes when all went well. Until then
    the bytes are in a hidden file beside the target that nobody else may read: a process that is killed leaves it there.
    Invalid for a target that cannot be written, Unavailable where there is no room for it.
    """
    streams = is_stream(target)
    try:
        file = _spool() if streams else _beside(target.resolve())
    except OSError as error:
        words = (
            f"The file {str(target)!r} cannot be written: {error.strerror}. Name a file in a directory you may write."
        )
        raise Invalid(words) from error
    temporary, mode = Path(file.name), stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    try:
        with writing(target), file:
            _set_mode(file, PRIVATE)
            yield file
            file.flush()
            os.fsync(file.fileno())
            _set_mode(file, mode)
        if streams:
            _copy(temporary, target)
        else:
            temporary.replace(target.resolve())
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Raise Unavailable, which names the target, where there is no room for what is written."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        words = f"The file {str(target)!r} cannot be written: {error.strerror}. Make room, or name another file."
        raise Unavailable(words) from error


def is_stream(target: Path) -> bool:
    """Return whether the target is written to and never replaced: standard output, a device or a named pipe."""
    return is_stdout(target) or (target.exists() and not target.is_file() and not target.is_dir())


def is_stdout(target: Path) -> bool:
    """Return whether the target is what the process prints to, as /dev/stdout or under another name."""
    try:
        return os.path.samestat(target.stat(), os.fstat(STDOUT))
    except OSError:
        return False


def _beside(target: Path) -> BinaryIO:
    """Return a new file beside the target, with its mode; a target that is not there yet gets that of the umask."""
    if target.is_dir():
        raise IsADirectoryError(0, "it is a directory")
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    file = target.with_name(f".{target.name}.{token_hex(4)}").open("xb")
    if mode is not None:
        _set_mode(file, mode)
    return file


def _set_mode(file: BinaryIO, mode: int) -> None:
    with suppress(OSError):  # where files have no modes, as in a mounted volume
        os.fchmod(file.fileno(), mode)


def _spool() -> BinaryIO:
    handle, name = tempfile.mkstemp()
    os.close(handle)
    return Path(name).open("wb")


def _copy(source: Path, stream: Path) -> None:
    # Opened by its name, standard output would be written from its start, over what a shell appends to.
    opened = os.fdopen(os.dup(STDOUT), "wb") if is_stdout(stream) else stream.open("wb")
    with source.open("rb") as file, opened:
        shutil.copyfileobj(file, opened)
