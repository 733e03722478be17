"""Exports opened by the tools that they are for: datasets and TRL, in an environment of their own (`make test-formats`)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from tests.training.exports.conftest import (
    boards,
    edited,
    fetch,
    invoices,
    seeded,
)
from training.exports.formats import FORMATS
from training.models import QAPair, TrainingSheet

__all__ = ["boards", "edited", "fetch", "invoices", "seeded"]

# What a format could trip over.
AWKWARD = 'Genève, "Nord";\r\n\ttab \u2028 \\n \U0001f600 <|end of it'
PYTHON = Path(settings.BASE_DIR) / ".venv-formats/bin/python"

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="`make test-formats` makes .venv-formats, about 1.4 GB")


def exported(sheet: TrainingSheet, api: APIClient, directory: Path) -> dict[str, bytes]:
    """Write every format of the training sheet into the directory."""
    bodies = {}
    for name, chosen in FORMATS.items():
        response: Any = api.get(f"/api/v1/training-sheets/{sheet.pk}/export/jsonl", {"format": name})
        bodies[name] = b"".join(response.streaming_content)
        (directory / f"{name}.{chosen.suffix}").write_bytes(bodies[name])
    return bodies


def told(messages: list[dict[str, str]]) -> str:
    """Return the messages as the reader's chat template writes them."""
    return "".join(f"<|{each['role']}|>{each['content']}<|end|>" for each in messages)


def test_datasets_and_trl_take_every_format(
    boards: TrainingSheet, edited: QAPair, api: APIClient, tmp_path: Path
) -> None:
    pair = QAPair.objects.of(boards.pk).filter(status="labeled").exclude(pk=edited.pk)[0]
    *before, question, answer = pair.messages
    QAPair.objects.filter(pk=pair.pk).update(messages=[*before, {**question, "content": AWKWARD}, answer])
    directory = tmp_path / "exports"
    directory.mkdir()
    bodies = exported(boards, api, directory)
    done = subprocess.run(
        [PYTHON, Path(__file__).with_name("reader.py"), directory], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((directory / "found.json").read_text())
    lines = {
        name: [json.loads(line) for line in body.splitlines()]
        for name, body in bodies.items()
        if FORMATS[name].suffix == "jsonl"
    }
    for name, records in lines.items():
        # A table has a column for each name that any line has.
        read = [{key: value for key, value in row.items() if value is not None} for row in found["read"][name]]
        assert read == records, name
    chats = [record["messages"] for record in lines["chat"]]
    assert len(chats) == 12 and AWKWARD in [messages[-2]["content"] for messages in chats]
    assert [row["messages"] for row in found["read"]["parquet"]] == chats
    assert [json.loads(row["messages"]) for row in found["read"]["csv"]] == chats
    assert {row["pair_id"] for row in found["read"]["csv"]} == {row["pair_id"] for row in found["read"]["parquet"]}
    for name in ("sft chat", "sft prompt_completion", "sft parquet"):
        assert found[name]["texts"] == [told(messages) for messages in chats], name
        assert found[name]["loss"] > 0
    # Of a prompt nothing is learned.
    answers = [f"{messages[-1]['content']}<|end|>" for messages in chats]
    assert found["sft prompt_completion"]["learned"] == answers
    (record,) = lines["dpo"]
    (sides,) = found["dpo"]["sides"]
    assert sides["prompt"] == told(record["prompt"]) + "<|assistant|>" and found["dpo"]["loss"] > 0
    for side in ("chosen", "rejected"):
        assert sides[side] == f"{record[side][-1]['content']}<|end|>"
    assert sides["chosen"] != sides["rejected"]
