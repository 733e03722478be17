"""How styles and templates are written, so that a change of one word is a change of one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
APPS = ("workbench", "governance", "sheets", "templates_app", "labels", "training")
TONES = {"plain", "good", "warn", "bad", "info"}


def of_the_apps(ending: str) -> list[Path]:
    return [file for app in APPS for file in ROOT.joinpath(app).rglob(f"*{ending}") if "vendor" not in file.parts]


@pytest.mark.parametrize("ending", [".css", ".html", ".py", ".js"])
def test_there_is_one_vocabulary_of_tones(ending: str) -> None:
    texts = [file.read_text(encoding="utf-8") for file in of_the_apps(ending)]
    used = {tone for text in texts for tone in re.findall(r"\bwb-tone-([a-z]+)", text)}
    assert used <= TONES and not [text for text in texts if re.search(r"wb-(good|warning|bad|info)(?=[\"\' {])", text)]


def test_a_line_of_css_holds_one_rule_or_declaration() -> None:
    lines = [(file, line) for file in of_the_apps(".css") for line in file.read_text(encoding="utf-8").splitlines()]
    declared = [(file, line) for file, line in lines if "{" not in line and line.count(";") > 1]
    assert not declared
    assert not [(file, line) for file, line in lines if len(line) > 160 or line.count("{") > 1 or "} " in line.strip()]
