"""Pairs are read in windows that long texts make smaller, and a file does not show where one ended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.training.exports.conftest import Fetch
from training import exporting
from training.models import QAPair, TrainingSheet


@pytest.mark.parametrize("name", ["chat", "dpo", "parquet"])
def test_long_pairs_are_read_in_smaller_windows_into_the_same_bytes(
    boards: TrainingSheet, edited: QAPair, fetch: Fetch, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    whole = fetch(boards, format=name)
    read: list[list[int]] = []
    real = exporting._read

    def counted(*given: Any) -> Any:
        found = real(*given)
        read.append([batch.num_rows for batch in found])
        return found

    monkeypatch.setattr(exporting, "_read", counted)
    for limit, value in {"BLOCK": 5, "FIRST": 10, "WINDOW_BYTES": 1, "BATCH_BYTES": 1}.items():
        monkeypatch.setattr(exporting, limit, value)
    assert fetch(boards, format=name) == whole
    assert read == [[1] * 10] + [[1] * 5] * 8
