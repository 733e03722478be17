"""What `lint-imports` cannot see: an app that reads a later one by its name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

# Each may name those before it.
ORDER = ("governance", "sheets", "templates_app", "labels", "training")


@pytest.mark.parametrize("app", ORDER[:-1])
def test_no_app_names_a_model_of_a_later_one(app: str) -> None:
    later = re.compile(rf"""["']({"|".join(ORDER[ORDER.index(app) + 1 :])})\.[A-Z]\w+["']""")
    files = [each for each in Path(settings.BASE_DIR, app).rglob("*.py") if "migrations" not in each.parts]
    named = [(file, line) for file in files for line in file.read_text().splitlines() if later.search(line)]
    assert not named
