"""One exclusive lock per table, held around a write so that writers queue instead of conflicting."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from deltalake.exceptions import CommitFailedError
from filelock import FileLock, Timeout

from . import errors
from .layout import Layout

ATTEMPTS = 12
_POLL_SECONDS = 0.004
T = TypeVar("T")


@contextmanager
def exclusive(layout: Layout, what: str, timeout: float) -> Iterator[None]:
    """Hold the lock of `what`; the kernel frees it when the process dies. OperationalError after `timeout` seconds."""
    lock = FileLock(layout.private / "locks" / f"{what}.lock", timeout=timeout, poll_interval=_POLL_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:
        raise errors.OperationalError(
            f"Waited {timeout:g} s for the lock of {what}, which another writer holds. Try again or raise lock_timeout."
        ) from error
    except OSError as error:
        raise errors.from_engine(error) from error
    try:
        yield
    finally:
        lock.release()


def retrying(statement: Callable[[], T]) -> T:
    """Run a whole statement again while a writer that does not take our lock wins the commit."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return statement()
        except CommitFailedError as error:
            if attempt == ATTEMPTS:
                raise errors.OperationalError(
                    f"Another writer committed first {ATTEMPTS} times in a row; nothing was changed. Try again."
                ) from error
            time.sleep(random.uniform(0.2, 1.0) * min(0.5, 0.005 * 2**attempt))  # noqa: S311 - jitter
    raise AssertionError("unreachable")
