"""The loopback warehouse of the tests, in a process of its own so that its work is not in the client's."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from tests.databricks.loopback import Loopback


class Warehouse:
    """The server's address; it is asked how many statements arrived, and told how long each of the next ones takes."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.url: str = pipe.recv()

    def measured(self, work: Callable[[], object], delay: float) -> tuple[int, float]:
        """Return how many statements the work sent (1,000 at most), and its seconds with so many added to each."""
        self._sent(delay)
        start = time.perf_counter()
        work()
        seconds = time.perf_counter() - start
        return self._sent(0), seconds

    def _sent(self, delay: float) -> int:
        self.pipe.send(delay)
        count: int = self.pipe.recv()
        return count


@contextmanager
def warehouse(directory: Path) -> Iterator[Warehouse]:
    """Serve the lakehouse of `directory` while the context is open."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(directory, theirs), daemon=True)
    process.start()
    try:
        yield Warehouse(ours)
    finally:
        ours.send(None)
        process.join()


def _serve(directory: Path, pipe: Connection) -> None:
    with Loopback(directory) as server:
        pipe.send(server.url)
        while (delay := pipe.recv()) is not None:
            pipe.send(len(server.statements))
            server.statements.clear()
            server.delay = delay
