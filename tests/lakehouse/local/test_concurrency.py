from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from workbench.lakehouse.engines import local
from workbench.lakehouse.engines.local import locks

from .conftest import Run

START = """
import sys
import pyarrow as pa
from workbench.lakehouse.engines import local
connection = local.connect(sys.argv[1], catalog="main", schema="work")
cursor = connection.cursor()
"""
INCREMENT = (
    START
    + """
for _ in range(40):
    assert cursor.execute("UPDATE pairs SET n = n + 1 WHERE id = ?", ["a"]).rowcount == 1
"""
)
CLAIM = (
    START
    + """
won = 0
for number in range(20):
    try:
        connection.append_unique("pairs", pa.table({"id": [f"k{number}"], "sheet": ["pcb"]}), [["id"]])
        won += 1
    except local.IntegrityError:
        pass
print(won)
"""
)
UPSERT = (
    START
    + """
for number in range(15):
    cursor.execute("MERGE INTO pairs t USING (SELECT ? AS id) s ON t.id = s.id "
                   "WHEN MATCHED THEN UPDATE SET n = t.n + 1 "
                   "WHEN NOT MATCHED THEN INSERT (id, sheet, n) VALUES (s.id, 'pcb', 1)", ["new"])
"""
)
FOREVER = (
    START
    + """
print("ready", flush=True)
number = 0
while True:
    number += 1
    cursor.execute("UPDATE pairs SET n = ?, sheet = ? WHERE sheet <> 'invoices'", [number, f"s{number}"])
"""
)


def started(script: str, directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, str(directory)], stdout=subprocess.PIPE, text=True)


def finished(script: str, directory: Path, count: int) -> list[str]:
    running = [started(script, directory) for _ in range(count)]
    outputs = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0] * count
    return outputs


def test_three_processes_incrementing_lose_nothing(pairs: Run, directory: Path) -> None:
    finished(INCREMENT, directory, 3)
    assert pairs("SELECT n FROM pairs WHERE id = 'a'") == [(121,)]


def test_two_processes_claiming_one_key_get_it_once(pairs: Run, directory: Path) -> None:
    assert sum(map(int, finished(CLAIM, directory, 2))) == 20
    assert pairs("SELECT count(*), count(DISTINCT id) FROM pairs") == [(23, 23)]


def test_concurrent_upserts_of_one_key_make_one_row(pairs: Run, directory: Path) -> None:
    finished(UPSERT, directory, 2)
    assert pairs("SELECT count(*), max(n) FROM pairs WHERE id = 'new'") == [(1, 30)]


def test_a_killed_writer_leaves_the_old_or_the_new_version(pairs: Run, directory: Path) -> None:
    for round_number in range(4):
        process = started(FOREVER, directory)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05 + 0.037 * round_number)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        rows = pairs("SELECT id, n, sheet FROM pairs WHERE sheet <> 'invoices' ORDER BY id")
        assert [row[0] for row in rows] == ["a", "b"]
        assert rows[0][1:] == rows[1][1:] or round_number == 0
        assert pairs("UPDATE pairs SET n = 0, sheet = 'again' WHERE sheet <> 'invoices'") == 2
    assert pl.read_delta(str(directory / "main" / "work" / "pairs")).height == 3


def test_a_foreign_commit_makes_the_statement_run_again(
    pairs: Run, directory: Path, connection: local.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that does not take our lock commits between our read and our commit."""
    path = directory / "main" / "work" / "pairs"
    snapshot = connection.engine.snapshot(connection.name("pairs"))
    rows = pa.table({"id": ["f"], "sheet": ["pcb"], "n": pa.array([100], pa.int64())})
    real = type(snapshot).removal
    done: list[object] = []

    def removal(self: object, *arguments: object) -> object:
        if not done:
            done.append(write_deltalake(path, rows, mode="append"))
        return real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(type(snapshot), "removal", removal)
    assert pairs("UPDATE pairs SET n = n + 1") == 4
    assert pairs("SELECT sum(n) FROM pairs") == [(110,)]


def test_waiting_for_a_lock_ends(pairs: Run, directory: Path) -> None:
    with local.connect(directory, catalog="main", schema="work", lock_timeout=0.2) as other:
        with locks.exclusive(other.layout, "main.work.pairs", 1):
            with pytest.raises(local.OperationalError, match=r"Waited 0\.2 s for the lock of main\.work\.pairs"):
                other.cursor().execute("DELETE FROM pairs")
        assert other.cursor().execute("SELECT count(*) FROM pairs").fetchall() == [(3,)]


def test_every_thread_with_its_own_connection(pairs: Run, directory: Path) -> None:
    def work(number: int) -> None:
        with local.connect(directory, catalog="main", schema="work") as mine:
            for step in range(5):
                mine.cursor().execute("INSERT INTO pairs VALUES (?, 'pcb', 0)", [f"{number}-{step}"])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert pairs("SELECT count(*) FROM pairs") == [(23,)]


FORK_FIRST = """
import os, sys
import pyarrow as pa
from workbench.lakehouse.engines import local
connection = local.connect(sys.argv[1], catalog="main", schema="work")
children = []
for number in range(2):
    child = os.fork()
    if child == 0:
        connection.cursor().execute("UPDATE pairs SET n = n + 1 WHERE id = 'a'")
        connection.append("pairs", pa.table({"id": ["child"], "sheet": ["pcb"]}))
        connection.close()
        sys.exit(0)
    children.append(child)
connection.cursor().execute("UPDATE pairs SET n = n + 1 WHERE id = 'a'")
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
"""
FORK_LATER = """
import gc, os, sys
from workbench.lakehouse.engines import local
connection = local.connect(sys.argv[1], catalog="main", schema="work")
open_result = connection.cursor().execute("SELECT * FROM pairs")
child = os.fork()
if child == 0:
    try:
        connection.cursor().execute("SELECT 1")
    except local.OperationalError as error:
        assert "forked" in str(error)
        connection.close()
        del open_result, connection
        gc.collect()
        sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert len(open_result.fetchall()) == 3
connection.cursor().execute("UPDATE pairs SET n = n + 1 WHERE id = 'a'")
"""


@pytest.mark.parametrize(("script", "n"), [(FORK_FIRST, 4), (FORK_LATER, 2)])
def test_forks_share_nothing(pairs: Run, directory: Path, script: str, n: int) -> None:
    """In a process of their own: forking the test runner with its threads would prove less."""
    subprocess.run([sys.executable, "-c", script, str(directory)], check=True, timeout=60)
    assert pairs("SELECT n FROM pairs WHERE id = 'a'") == [(n,)]


UNWRITABLE = """
import os, sys
from pathlib import Path
from workbench.lakehouse.engines import local

directory = Path(sys.argv[1])
directory.chmod(0o500)
if os.geteuid() == 0:
    # Root may write everywhere, the user "nobody" may not.
    os.setuid(65534)
try:
    local.connect(directory / "lake", catalog="main", schema="work")
except local.OperationalError as error:
    sys.exit(0 if "cannot be written" in str(error) else str(error))
sys.exit("It was written.")
"""


def test_an_unwritable_directory_is_an_operational_error(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", UNWRITABLE, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("no directory")
    with pytest.raises(local.OperationalError, match="cannot be written"):
        local.connect(tmp_path / "lake", catalog="main", schema="work")


def test_history_is_readable_by_delta_rs(pairs: Run, directory: Path) -> None:
    pairs("UPDATE pairs SET n = 0")
    assert DeltaTable(directory / "main" / "work" / "pairs").history(1)[0]["workbenchOperation"] == "UPDATE"
