from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.seeded import boards, invoices, seeded, seeded_directory

__all__ = ["boards", "invoices", "seeded", "seeded_directory"]

CHROMIUM = shutil.which("chromium")
SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync")


@pytest.fixture
def chromium(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A headless Chromium. Ask for it after the fixtures that use the database.

    Playwright's loop runs in this thread until the end of the test, and Django refuses the database beside a loop.
    """
    if CHROMIUM is None:
        pytest.skip("There is no Chromium: `.ci/browser` installs it.")
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield browser
        browser.close()
