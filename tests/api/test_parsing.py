"""The API takes only JSON that can be walked and kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings as django_settings
from rest_framework.test import APIClient


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[" * 200_000 + b"]" * 200_000, "nested too deeply"),
        (b'{"examples":' + b"[" * 40 + b"]" * 40 + b"}", "nested too deeply"),
        (b'{"name": "\\ud800"}', "valid Unicode"),
        (b'{"sample_size": 1' + b"0" * 30 + b"}", "64-bit"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": [1e999]}', "more than 64 bits"),
    ],
)
def test_what_cannot_be_kept_is_refused(api: APIClient, lakehouse: Path, body: bytes, words: str) -> None:
    answer = api.post("/api/v1/templates", body, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "parse_error")
    assert words in answer.json()["error"]["message"]


def test_too_much_at_once_is_a_413(api: APIClient, lakehouse: Path) -> None:
    body = b'{"name": "' + b"x" * django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}'
    answer = api.post("/api/v1/sheets", body, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
