"""Bulk writes of pairs, against delta-rs appending the same Arrow rows to a table with the same partitions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, milliseconds, p50, times
from benchmarks.invented import pairs
from benchmarks.stage import TABLES, append_reference, opened, same_table

MOST_INSTANCES = 100_000
ADDED = 500


def write_one_sheet(directory: Path, rows: int) -> Iterator[Figure]:
    """All pairs into one training sheet, as Arrow and as model instances."""
    from training.models import QAPair

    repeat = 5 if rows <= 10_000 else 3 if rows <= 100_000 else 1
    ours, references = [], []
    with opened(directory / f"one-{rows}") as lakehouse:
        reference = same_table(lakehouse / TABLES / "qa_pairs", directory / f"reference-{rows}")
        append_reference(reference, pairs(1, per_sheet=1, sheet=99))
        for number in range(repeat):
            given = pairs(rows, per_sheet=rows, sheet=number)
            ours.append(milliseconds(lambda given=given: QAPair.objects.append_arrow(given)))  # type: ignore[misc]
            references.append(milliseconds(lambda given=given: append_reference(reference, given)))  # type: ignore[misc]
        yield _figure("write, one training sheet", rows, p50(ours), p50(references), most_ratio=1.5)
        if rows <= MOST_INSTANCES:
            yield _instances(rows, p50(references))


def _instances(rows: int, reference: float) -> Figure:
    from training.models import QAPair

    given = [QAPair(**row) for row in pairs(rows, per_sheet=rows, sheet=50).to_pylist()]
    return _figure("write, bulk_create", rows, milliseconds(lambda: QAPair.objects.bulk_create(given)), reference)


def write_many_sheets(directory: Path, rows: int) -> Iterator[Figure]:
    """All pairs into training sheets of 1,000 in one commit; then one chunk of a generation into a new one."""
    from training.models import QAPair

    with opened(directory / f"many-{rows}") as lakehouse:
        given = pairs(rows, per_sheet=1000)
        reference = same_table(lakehouse / TABLES / "qa_pairs", directory / f"reference-many-{rows}")
        ours = [milliseconds(lambda: QAPair.objects.append_arrow(given))]
        references = [milliseconds(lambda: append_reference(reference, given))]
        yield _figure("write, sheets of 1,000", rows, ours[0], references[0])
        chunks = [pairs(ADDED, per_sheet=ADDED, sheet=n) for n in range(1, 8)]
        ours = times(lambda n: QAPair.objects.append_arrow(chunks[n]), len(chunks))
        references = times(lambda n: append_reference(reference, chunks[n]), len(chunks))
        yield Figure(f"add {ADDED} to a table of", rows, p50(ours), "ms", p50(references))


def _figure(name: str, rows: int, ours: float, reference: float | None, most_ratio: float | None = None) -> Figure:
    """Return milliseconds as rows a second."""
    speed = None if reference is None else rows / reference * 1000
    return Figure(name, rows, rows / ours * 1000, "rows/s", speed, most_ratio)
