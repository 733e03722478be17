"""The seeded training sheets, one of them with pairs that a reviewer edited."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from tests.seeded import boards, invoices, seeded
from training.models import QAPair, TrainingSheet

__all__ = ["boards", "invoices", "seeded"]

Fetch = Callable[..., bytes]
Write = Callable[..., Path]


@pytest.fixture
def admin(rosa: User, client: Client) -> Client:
    """A browser in which Rosa is signed in."""
    client.force_login(rosa)
    return client


@pytest.fixture
def fetch(api: APIClient) -> Fetch:
    """Downloads an export by the API."""

    def download(sheet: TrainingSheet, **options: Any) -> bytes:
        response: Any = api.get(f"/api/v1/training-sheets/{sheet.pk}/export/jsonl", options)
        assert response.status_code == 200, response.content
        return b"".join(response.streaming_content)

    return download


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes an export by the command."""

    def command(sheet: TrainingSheet, name: str = "out.jsonl", **options: Any) -> Path:
        out = tmp_path / name
        call_command("export_jsonl", sheet.pk, out=out, stdout=io.StringIO(), stderr=io.StringIO(), **options)
        return out

    return command


@pytest.fixture
def edited(boards: TrainingSheet, api: APIClient) -> QAPair:
    """A pair whose draft Rosa changed before she approved it; the next one she approved as it was."""
    drafted = QAPair.objects.of(boards.pk).filter(status="unlabeled", misfits__len=0, error="")[:2]
    first, second = drafted
    answer = {**answer_of(first), "severity": "critical" if answer_of(first)["severity"] != "critical" else "minor"}
    for pair, verb, body in ((first, "edit", {"answer": answer}), (second, "approve", {})):
        assert api.post(f"/api/v1/qa-pairs/{pair.pk}/{verb}", body, format="json").status_code == 200
    return first


def answer_of(pair: QAPair) -> Any:
    return json.loads(pair.messages[-1]["content"])
