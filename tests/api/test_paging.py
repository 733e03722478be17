"""Pages by key: bounded, and honest about a wrong cursor."""

from __future__ import annotations

from pathlib import Path

import pytest
from rest_framework.test import APIClient


@pytest.mark.parametrize("size", ["0", "-1", "501", "x", "1.5", "", "9" * 5_000])
def test_a_page_has_one_to_five_hundred_rows(api: APIClient, lakehouse: Path, size: str) -> None:
    answer = api.get("/api/v1/sheets", {"page_size": size})
    assert answer.status_code == 400
    assert "from 1 to 500" in answer.json()["error"]["fields"]["page_size"][0]


@pytest.mark.parametrize("cursor", ["x", "////", "ä", "bz14"])
def test_a_cursor_that_no_page_gave_out_is_refused(api: APIClient, lakehouse: Path, cursor: str) -> None:
    answer = api.get("/api/v1/sheets", {"cursor": cursor})
    assert answer.status_code == 400
    assert "follow `next`" in answer.json()["error"]["fields"]["cursor"][0]
