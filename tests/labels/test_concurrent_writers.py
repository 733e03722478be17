"""Several writers of one label: its key stays unique and no change is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connections

from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel, CanonicalLabelVersion
from tests.labels.conftest import Record

WRITERS = 3


@pytest.fixture
def default_file(record: Record, tmp_path: Path) -> Iterator[None]:
    """Give the threads a default database of their own as a file, because a test's transaction lets no other in."""
    database = tmp_path / "default.sqlite3"
    database.write_bytes(connections["default"].connection.serialize())
    sqlite3.connect(database).execute("PRAGMA journal_mode=WAL")
    entry = connections.settings["default"]
    connections.settings["default"] = entry | {"NAME": str(database)}
    yield
    connections.settings["default"] = entry


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """Results of `work(0)`, `work(1)`, … started together in threads, each with its own connection."""
    start, results = Barrier(WRITERS), []

    def run(number: int) -> None:
        start.wait()
        try:
            results.append(work(number))
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_several_first_labels_one_is_new_and_the_others_change_it(record: Record) -> None:
    written = at_once(lambda number: record(label_data={"by": number}, actor=f"rosa-{number}"))
    label = CanonicalLabel.objects.get()
    assert {each.pk for each in written} == {label.pk}
    assert sorted(each.version for each in written) == [1, 2, 3]
    versions = CanonicalLabelVersion.objects.order_by("version").values_list("version", "label_data")
    assert [version for version, _ in versions] == [1, 2, 3]
    assert sorted(data["by"] for _, data in versions) == [0, 1, 2]
    assert list(versions)[-1][1] == label.label_data


def test_several_changes_of_uses_are_each_audited_with_their_own_reason(record: Record, default_file: None) -> None:
    record()
    levels = ("public", "confidential", "restricted")
    at_once(lambda number: record(data_classification=levels[number], reason=levels[number]))
    audits = UsageConstraintAudit.objects.order_by("modified_at")
    assert sorted(audit.reason for audit in audits) == sorted(levels)
    assert all(audit.new_data_classification == audit.reason for audit in audits)
    assert CanonicalLabel.objects.get().version == 4
    assert sorted(audits.values_list("sequence", flat=True)) == [1, 2, 3]
