"""The first readers of a new table may come at once, in threads of one process."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from tests.lakehouse.local.conftest import Run
from workbench.lakehouse.engines import local

THREADS = 8


def test_the_first_readers_do_not_take_each_others_files(pairs: Run, directory: Path) -> None:
    shutil.rmtree(directory / ".catalog" / "templates", ignore_errors=True)
    together = Barrier(THREADS)

    def read(_: int) -> object:
        with local.connect(directory, catalog="main", schema="work") as connection:
            together.wait()
            return connection.cursor().execute("SELECT count(*) FROM pairs").fetchall()

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(read, range(THREADS))) == [[(3,)]] * THREADS
