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


def test_datasets_and_trl_take_every_format(
    boards: TrainingSheet, edited: QAPair, api: APIClient, tmp_path: Path
) -> None:
    directory = tmp_path / "exports"
    directory.mkdir()
    bodies = exported(boards, api, directory)
    done = subprocess.run(
        [PYTHON, Path(__file__).with_name("reader.py"), directory], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((directory / "found.json").read_text())
    lines = {name: body.splitlines() for name, body in bodies.items() if FORMATS[name].suffix == "jsonl"}
    for name, each in lines.items():
        assert found["loaded"][name] == [len(each), list(json.loads(each[0]))], name
        assert found["first"][name] == json.loads(each[0]), name
    for name in ("csv", "parquet"):
        assert found["loaded"][name][0] == 12 and found["loaded"][name][1][:2] == ["messages", "pair_id"]
    chat = json.loads(lines["chat"][0])["messages"]
    whole = "".join(f"<|{each['role']}|>{each['content']}<|end|>" for each in chat)
    for name in ("sft chat", "sft prompt_completion", "sft parquet"):
        assert found[name]["rows"] == 12 and found[name]["loss"] > 0
        assert found[name]["first"].startswith(whole)
    assert found["dpo"]["rows"] == 1 and found["dpo"]["loss"] > 0
    record = json.loads(lines["dpo"][0])
    sides = "".join(found["dpo"]["sides"].values())
    for side in ("prompt", "chosen", "rejected"):
        assert record[side][-1]["content"] in sides
