"""Caches in files, which all processes of a machine share and none needs: what cannot be read is not there, what
cannot be written is not kept. A full disk, a directory of another user or a file cut off by a loss of power stops no request.
"""

from __future__ import annotations

import glob
import logging
import os
import pickle
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache

log = logging.getLogger(__name__)

# What damaged bytes, or objects of classes that moved since, make of reading a pickle.
UNREADABLE = (
    OSError, EOFError, ArithmeticError, AttributeError, ImportError, LookupError, MemoryError, TypeError, ValueError,
    pickle.PickleError, zlib.error,
)  # fmt: skip
# Seconds between two lines of the log, and between two looks for what expired.
EVERY = 60
# Seconds after which a file that was never finished is nobody's.
ABANDONED = 3_600

_done_at: dict[str, float] = {}


class KeptFiles(FileBasedCache):
    """As Django's cache in files, whose faults are a line of the log once a minute, and nothing else."""

    # Django's own, which the stubs leave out.
    _dir: str
    _key_to_file: Callable[..., str]
    _list_cache_files: Callable[[], list[str]]
    _is_expired: Callable[[BinaryIO], bool]

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except UNREADABLE as error:
            self._drop(self._key_to_file(key, version), error)
            return default

    def has_key(self, key: Any, version: int | None = None) -> bool:
        try:
            return super().has_key(key, version)
        except UNREADABLE as error:
            self._drop(self._key_to_file(key, version), error)
            return False

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        try:
            super().set(key, value, timeout, version)
        except OSError as error:
            self._tell("cannot be written", error)

    def forget_expired(self) -> None:
        """Delete what has expired: else it stays until its key is asked for again, and most never are."""
        for name in self._list_cache_files():
            try:
                with Path(name).open("rb") as file:
                    self._is_expired(file)
            except FileNotFoundError:
                continue
            except UNREADABLE as error:
                self._drop(name, error)
        # By writers that were killed.
        for name in glob.glob("tmp*", root_dir=self._dir):
            unfinished = os.path.join(self._dir, name)
            try:
                if os.path.getmtime(unfinished) < time.time() - ABANDONED:
                    self._delete(unfinished)
            except OSError:
                continue

    def _drop(self, name: str, error: BaseException) -> None:
        self._tell("cannot be read", error)
        self._delete(name)

    def _delete(self, name: str) -> bool:
        try:
            return bool(cast(Any, super())._delete(name))
        except OSError as error:
            self._tell("cannot be deleted from", error)
            return False

    def _createdir(self) -> None:
        try:
            cast(Any, super())._createdir()
        except OSError as error:
            self._tell("cannot be made", error)

    def _tell(self, what: str, error: BaseException) -> None:
        if _is_due(f"{self._dir} {what}"):
            log.warning(
                "The cache %s %s, so that nothing is kept: %s: %s", self._dir, what, type(error).__name__, error
            )


def forget_expired() -> None:
    """Delete what has expired in all caches in files, at most once a minute in a process."""
    if _is_due("forget expired"):
        for name in settings.CACHES:
            if isinstance(cache := caches[name], KeptFiles):
                cache.forget_expired()


def _is_due(what: str) -> bool:
    now = time.monotonic()
    if now - _done_at.get(what, -EVERY) < EVERY:
        return False
    _done_at[what] = now
    return True
