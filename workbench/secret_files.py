"""Secrets that are made once and kept in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path


def kept_secret(file: Path, length: int) -> str:
    """Return the secret in `file`; where there is none, one of `length` random bytes is made and kept there."""
    if not file.exists():
        # Written whole and then linked, so that of two processes that start at once both read the same one.
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        with os.fdopen(handle, "w") as fresh:
            fresh.write(secrets.token_urlsafe(length))
        with suppress(FileExistsError):
            os.link(name, file)
        os.unlink(name)
    return file.read_text()
