"""Files between a preview and its confirmation: on this server's disk, each for who uploaded it.

One goes when it was imported, or after a day; labels may say what nobody else on the server should read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core import signing
from django.core.files.uploadedfile import UploadedFile

from labels.importing import MOST_BYTES
from workbench.problems import Invalid

KEPT_FOR = 24 * 60 * 60  # seconds
SALT = "label-import"


def keep(file: UploadedFile[Any], *, actor: str) -> str:
    """Keep an upload and return the token that opens it; Invalid where it is too big."""
    if (size := file.size or 0) > MOST_BYTES:
        raise Invalid(f"Found {size:,} bytes: a file has at most {MOST_BYTES:,}. Split it, or use import_labels.")
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    sweep()  # also here, for where the worker has another disk
    key = uuid4().hex
    with open(folder / key, "wb", opener=_for_us_alone) as target:
        for chunk in file.chunks():
            target.write(chunk)
    return signing.dumps([key, actor, file.name or ""], salt=SALT)


def lines_of(token: str, *, actor: str) -> tuple[str, Iterator[bytes]]:
    """Return the name and the lines of an upload; Invalid where it is gone, or another's."""
    gone = Invalid("The file of this preview is not here any more: upload it again.")
    try:
        key, owner, name = signing.loads(token, salt=SALT, max_age=KEPT_FOR)
    except signing.BadSignature as error:
        raise gone from error
    path = _folder() / key
    if owner != actor or not path.is_file():
        raise gone
    return name, _lines(path)


def remove(token: str) -> None:
    """Remove an upload that `lines_of` gave."""
    key, *_ = signing.loads(token, salt=SALT)
    (_folder() / key).unlink(missing_ok=True)


def sweep() -> None:
    """Remove the uploads that nobody imported within a day."""
    if (folder := _folder()).is_dir():
        for old in folder.iterdir():
            if old.stat().st_mtime < time.time() - KEPT_FOR:
                old.unlink(missing_ok=True)


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _folder() -> Path:
    return Path(settings.VAR_DIR) / "label_imports"
