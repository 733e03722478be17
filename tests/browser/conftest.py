from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.seeded import boards, invoices, seeded, seeded_directory

__all__ = ["boards", "invoices", "seeded", "seeded_directory"]

CHROMIUM = shutil.which("chromium")
SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("There is no Chromium: `.ci/browser` installs it.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield browser
        browser.close()
