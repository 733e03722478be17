"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from workbench.problems import Invalid


@contextmanager
def written_whole(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write; `target` becomes it when all went well, and stays as it was otherwise.

    Invalid for a target that cannot be written.
    """
    try:
        if target.is_dir():
            raise IsADirectoryError(0, "it is a directory")
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        words = (
            f"The file {str(target)!r} cannot be written: {error.strerror}. Name a file in a directory you may write."
        )
        raise Invalid(words) from error
    os.close(handle)
    temporary = Path(name)
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
