from __future__ import annotations

import os
import random
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from django.db import OperationalError, connections
from django.db.models import Count, F

from tests.lakehouse.testapp import work
from tests.lakehouse.testapp.models import Counter, Line, Part, Shelf
from workbench.router import LAKEHOUSE


def raced(processes: ForkServerContext, lakehouse: Path, verb: str) -> list[set[str]]:
    """What two processes that did the verb at once were answered, for each code."""
    barrier, results = processes.Barrier(2), processes.Queue()
    both = [processes.Process(target=work.race, args=(str(lakehouse), barrier, verb, results)) for _ in range(2)]
    for process in both:
        process.start()
    answers = defaultdict(list)
    for _ in range(2 * work.CODES):
        number, answer = results.get(timeout=60)
        answers[number].append(answer)
    for process in both:
        process.join(20)
    assert [len(found) for found in answers.values()] == [2] * work.CODES
    return [set(found) for found in answers.values()]


def test_of_two_processes_that_create_one_code_one_wins(processes: ForkServerContext, lakehouse: Path) -> None:
    assert all("refused" in answers and len(answers) == 2 for answers in raced(processes, lakehouse, "create"))
    assert Part.objects.count() == work.CODES


@pytest.mark.parametrize("verb", ["get_or_create", "update_or_create"])
def test_both_processes_get_the_same_row(processes: ForkServerContext, lakehouse: Path, verb: str) -> None:
    answers = raced(processes, lakehouse, verb)
    assert set().union(*answers) == set(Part.objects.values_list("pk", flat=True))
    assert {len(found) for found in answers} == {1}


def test_upserts_of_one_code_leave_one_row(processes: ForkServerContext, lakehouse: Path) -> None:
    assert set().union(*raced(processes, lakehouse, "upsert")) == {"written"}
    assert set(Part.objects.values("code").annotate(n=Count("pk")).values_list("n", flat=True)) == {1}


def test_of_two_renames_to_one_name_one_wins(processes: ForkServerContext, lakehouse: Path) -> None:
    assert raced(processes, lakehouse, "rename") == [{"renamed 1", "refused"}] * work.CODES
    assert Shelf.objects.filter(name__in=[f"code {n}" for n in range(work.CODES)]).count() == work.CODES


def test_no_increment_of_three_processes_is_lost(processes: ForkServerContext, lakehouse: Path) -> None:
    counter = Counter.objects.create()
    with ProcessPoolExecutor(3, mp_context=processes) as pool:
        jobs = [pool.submit(work.increment, str(lakehouse), counter.pk, 30) for _ in range(3)]
        seen = Counter.objects.get().n
        assert [job.result(60) for job in jobs] == [30, 30, 30]
    counter.refresh_from_db()
    assert (counter.n, 0 <= seen <= 90) == (90, True)


def test_a_killed_writer_leaves_the_old_or_the_new_version(processes: ForkServerContext, lakehouse: Path) -> None:
    dice, deadline = random.Random(2), time.monotonic() + 8
    for number in range(20):
        if number >= 5 and time.monotonic() > deadline:
            break
        started = processes.Event()
        writer = processes.Process(target=work.write_until_killed, args=(str(lakehouse), f"w{number}", started))
        writer.start()
        assert started.wait(30)
        writer.join(dice.uniform(0, 0.2))
        writer.kill()
        writer.join(10)
    groups = Line.objects.values("sheet").annotate(rows=Count("pk"), texts=Count("text", distinct=True))
    assert {(group["rows"], group["texts"]) for group in groups} == {(work.BATCH, 1)}
    Line.objects.create(sheet="after")
    assert Line.objects.filter(sheet="after").count() == 1


def test_threads_have_connections_of_their_own(lakehouse: Path) -> None:
    counter = Counter.objects.create()

    def add(_: int) -> int:
        Counter.objects.filter(pk=counter.pk).update(n=F("n") + 1)
        return id(connections[LAKEHOUSE].connection)

    def closing(number: int) -> int:
        try:
            return add(number)
        finally:
            connections[LAKEHOUSE].close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(closing, range(20)))
        assert id(connections[LAKEHOUSE].connection) not in set(pool.map(add, range(8)))
        list(pool.map(lambda _: connections[LAKEHOUSE].close(), range(16)))
    assert Counter.objects.get().n == 28


def test_a_process_forked_too_late_is_told_so(lakehouse: Path) -> None:
    Counter.objects.create()
    reader, writer = os.pipe()
    if not (child := os.fork()):
        try:
            Counter.objects.count()
        except OperationalError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    assert "forked" in os.read(reader, 1000).decode()
    os.close(reader)
    assert Counter.objects.count() == 1


def test_reading_one_by_one_needs_the_same_memory_for_ten_times_the_rows(
    processes: ForkServerContext, lakehouse: Path
) -> None:
    Line.objects.bulk_create(Line(sheet=f"{rows} rows") for rows in (100, 300, 1000) for _ in range(rows))
    with connections[LAKEHOUSE].cursor() as cursor:
        for sheet, one, other in (("short", "100 rows", "300 rows"), ("long", "300 rows", "1000 rows")):
            cursor.execute(
                "INSERT INTO testapp_line (id, sheet, text) SELECT CONCAT(a.id, b.id), %s, REPEAT('x', 200)"
                " FROM testapp_line AS a CROSS JOIN testapp_line AS b WHERE a.sheet = %s AND b.sheet = %s",
                [sheet, one, other],
            )
    peaks = {}
    for sheet in ("short", "long"):
        with ProcessPoolExecutor(1, mp_context=processes) as pool:
            peaks[sheet] = pool.submit(work.peak_of_reading, str(lakehouse), sheet).result(60)
    assert (peaks["short"][0], peaks["long"][0]) == (30_000, 300_000)
    assert peaks["long"][1] - peaks["short"][1] < 100_000_000
