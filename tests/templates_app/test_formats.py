"""Formats of an answer's fields: those of JSON Schema, international addresses among them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from templates_app.schemas import checker


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("iri", "https://köln.example/straße?ort=köln", True),
        ("iri", "köln", False),
        ("iri", "https://example.org/[", False),
        ("iri-reference", "/straße/ä", True),
        ("iri-reference", "/straße[", False),
        ("uri", "https://köln.example", False),
        ("date", "2026-02-30", False),
        ("hostname", "example.org", True),
        ("color", "no colour", True),
    ],
)
def test_a_value_fits_its_format(name: str, value: str, fits: bool) -> None:
    assert checker({"type": "string", "format": name})(value) is fits


def test_no_grammar_is_compiled_when_a_process_starts() -> None:
    loads = "import django, sys; django.setup(); print('lark' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", loads],
        env={"DJANGO_SETTINGS_MODULE": "workbench.settings"},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "False\n", done.stderr
