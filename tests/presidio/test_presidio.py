"""Presidio beside our detectors, in an environment of its own (`make test-presidio`), and what is said where it is missing."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from governance.checks import check_presidio
from governance.sensitive import presidio
from governance.sensitive.presidio import MOST, detector

PYTHON = Path(settings.BASE_DIR) / ".venv-presidio/bin/python"
in_its_environment = pytest.mark.skipif(not PYTHON.exists(), reason="`make test-presidio` makes .venv-presidio")


def found_in(directory: Path, *texts: str) -> list[list[list[str]]]:
    command = [PYTHON, "-m", "tests.presidio.finder", directory]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, cwd=settings.BASE_DIR)
    assert done.returncode == 0, done.stderr[-3000:]
    found: list[list[list[str]]] = json.loads(done.stdout)
    return found


@in_its_environment
def test_names_places_and_addresses_are_found_with_their_score(tmp_path: Path) -> None:
    text = "Ada Lovelace of London wrote from 192.168.10.4 to ana@example.org."
    (kinds, said, far) = found_in(tmp_path / "model", text, "Patient: Ada Lovelace, 12", "and " * MOST + text)
    assert [each[:2] for each in kinds] == [
        ["person", "Ada Lovelace"], ["location", "London"], ["ip_address", "192.168.10.4"], ["email", "ana@example.org"],
    ]  # fmt: skip
    assert kinds[0][2] == "found by Presidio, score 0.85"
    assert [each[0] for each in said] == ["name"], "what the words before it say is the stronger finding"
    assert far == kinds


def test_presidio_that_is_missing_is_an_error_that_names_the_extra(settings: Any, monkeypatch: Any) -> None:
    assert check_presidio() == []
    settings.PRESIDIO = "en_core_web_lg"
    monkeypatch.setattr(presidio, "find_spec", lambda name: None)
    (error,) = check_presidio()
    assert (error.id, "Presidio is not installed" in error.msg) == ("governance.E001", True)
    assert "pip install 'training-dataset-workbench[presidio]'" in str(error.hint)
    with pytest.raises(ImproperlyConfigured, match="not installed"):
        list(detector("en_core_web_lg")("Ada Lovelace"))


def test_a_model_that_is_missing_is_never_fetched(settings: Any, monkeypatch: Any) -> None:
    settings.PRESIDIO = "../no-model"
    monkeypatch.setattr(presidio, "find_spec", lambda name: object())
    (error,) = check_presidio()
    assert "there is no spaCy model '../no-model'" in error.msg
