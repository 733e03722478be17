"""The UPDATE of one approval in a training sheet of 1,000, against delta-rs updating the same row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, p50, p95, times
from benchmarks.invented import sheet_id
from benchmarks.stage import TABLES, opened

REPEAT = 30
AGED = 200
REFERENCES = 5


def approve(directory: Path, rows: int) -> Iterator[Figure]:
    """30 approvals in a fresh table, and 30 more after 200 approvals without OPTIMIZE."""
    from training.models import QAPair

    sheet = sheet_id(rows // 2000)
    with opened(directory / f"many-{rows}") as lakehouse:
        keys = list(QAPair.objects.of(sheet).values_list("pk", flat=True))
        fresh = times(lambda n: _approve(sheet, keys[n]), REPEAT)
        reference = p50(times(lambda n: _reference(lakehouse, sheet, keys[-1 - n]), REFERENCES))
        yield Figure("approve, p50", rows, p50(fresh), "ms", reference, most=60)
        yield Figure("approve, p95", rows, p95(fresh), "ms", reference, most=60)
        for number in range(REPEAT, AGED):
            _approve(sheet, keys[number])
        aged = times(lambda n: _approve(sheet, keys[AGED + n]), REPEAT)
        yield Figure(f"approve after {AGED}, p50", rows, p50(aged), "ms", reference, most=60)
        yield Figure(f"approve after {AGED}, p95", rows, p95(aged), "ms", reference, most=60)


def _approve(sheet: str, key: str) -> None:
    from django.utils import timezone

    from training.models import QAPair

    now = timezone.now()
    changed = QAPair.objects.filter(pk=key, training_sheet=sheet, version=1).update(
        status="labeled", version=2, reviewed_by="rosa", reviewed_at=now, updated_at=now,
        canonical_label=sheet, canonical_label_version=1,
    )  # fmt: skip
    assert changed == 1, changed


def _reference(lakehouse: Path, sheet: str, key: str) -> None:
    from deltalake import DeltaTable

    done = DeltaTable(lakehouse / TABLES / "qa_pairs").update(
        predicate=f"training_sheet_id = '{sheet}' AND id = '{key}' AND version = 1",
        updates={
            "status": "'labeled'", "version": "2", "reviewed_by": "'rosa'", "reviewed_at": "now()",
            "updated_at": "now()", "canonical_label_id": f"'{sheet}'", "canonical_label_version": "1",
        },
    )  # fmt: skip
    assert done["num_updated_rows"] == 1, done
