"""Pairs are read in windows that long texts make smaller, and a file does not show where one ended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from labels.models import CanonicalLabel
from tests.training.exports.conftest import Fetch, Write
from training import exporting
from training.models import QAPair, TrainingSheet


@pytest.mark.parametrize("name", ["chat", "dpo", "parquet"])
def test_long_pairs_are_read_in_smaller_windows_into_the_same_bytes(
    boards: TrainingSheet, edited: QAPair, fetch: Fetch, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    whole = fetch(boards, format=name)
    read: list[list[int]] = []
    real = exporting.batches

    def counted(*given: Any) -> Any:
        found = real(*given)
        read.append([batch.num_rows for batch in found])
        return found

    monkeypatch.setattr(exporting, "batches", counted)
    for limit, value in {"BLOCK": 5, "FIRST": 10, "WINDOW_BYTES": 1, "BATCH_BYTES": 1}.items():
        monkeypatch.setattr(exporting, limit, value)
    assert fetch(boards, format=name) == whole
    assert read == [[1] * 10] + [[1] * 5] * 8


def test_windows_end_where_groups_of_rows_do_though_the_first_one_is_small(
    boards: TrainingSheet, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fetch(boards)
    read: list[tuple[int, int]] = []
    real = exporting.batches

    def noted(pairs: Any, window: tuple[int, int], *given: Any) -> Any:
        read.append(window)
        return real(pairs, window, *given)

    monkeypatch.setattr(exporting, "batches", noted)
    for limit, value in {"BLOCK": 5, "FIRST": 5, "WINDOW": 20}.items():
        monkeypatch.setattr(exporting, limit, value)
    assert fetch(boards) == whole
    assert read == [(0, 5), (5, 20), (20, 40), (40, 50)]


def test_pairs_leave_in_the_order_of_their_items_however_they_lie_in_files(boards: TrainingSheet, write: Write) -> None:
    last = QAPair.objects.of(boards.pk).filter(status="labeled").order_by("-position")[:3]
    for pair in last:
        # Each goes into a file of its own, after those of its neighbours.
        QAPair.objects.filter(pk=pair.pk).update(version=pair.version + 1)
    manifest = json.loads(write(boards).with_name("out.jsonl.manifest.json").read_text())
    positions = [line["position"] for line in manifest["lines"]]
    assert len(positions) >= 10 and positions == sorted(positions)


def test_a_label_is_asked_though_its_link_changes_while_pairs_are_read(
    boards: TrainingSheet, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pair that was read with a label leaves under the rules of that label, or not at all."""
    pair = QAPair.objects.of(boards.pk).filter(status="labeled", canonical_label__isnull=False)[0]
    CanonicalLabel.objects.filter(pk=pair.canonical_label_id).update(prohibited_uses=["training"])
    lines = fetch(boards).count(b"\n")
    real = exporting._read

    def unlinked_afterwards(rows: Any, columns: Any) -> Any:
        found = real(rows, columns)
        if rows.model is QAPair:
            QAPair.objects.filter(pk=pair.pk).update(canonical_label=None)
        return found

    monkeypatch.setattr(exporting, "_read", unlinked_afterwards)
    assert fetch(boards).count(b"\n") == lines


def test_each_pair_leaves_under_its_own_label_however_many_others_were_made_in_between(
    boards: TrainingSheet, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = CanonicalLabel.objects.filter(sheet=boards.sheet).order_by("pk")
    first, last = linked[0], linked.reverse()[0]
    CanonicalLabel.objects.filter(pk=last.pk).update(prohibited_uses=["training"])
    lines = fetch(boards).count(b"\n")
    ids = [f"{first.pk[:24]}{int(first.pk[24:], 16) + number:012x}" for number in range(1, 80)]
    assert ids[-1] < last.pk
    kept = {field.attname: getattr(first, field.attname) for field in CanonicalLabel._meta.concrete_fields}
    others = [CanonicalLabel(**{**kept, "id": key, "item_ref": key, "label_type": "other"}) for key in ids]
    CanonicalLabel.objects.bulk_create(others)
    statements: list[str] = []
    real = exporting._read

    def noted(rows: Any, columns: Any) -> Any:
        statements.append(str(rows.query))
        return real(rows, columns)

    monkeypatch.setattr(exporting, "_read", noted)
    monkeypatch.setattr(exporting, "BLOCK", 1)
    assert fetch(boards).count(b"\n") == lines
    assert any("IN (SELECT" in text for text in statements)
