from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections

from tests.seeded import boards, invoices, seeded
from training.models import TrainingSheet
from workbench.router import LAKEHOUSE

__all__ = ["boards", "invoices", "seeded"]

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
        # Beside a loop a connection belongs to a context that outlives the test, and with it this test's lakehouse.
        connections[LAKEHOUSE].close()
        del connections[LAKEHOUSE]


@pytest.fixture
def page(boards: TrainingSheet, rosa: User, live_server: Any, chromium: Any) -> Iterator[Any]:
    """A page on which Rosa has signed in; it notes every request that leaves the machine and every error."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("request", lambda request: _stays(request.url, live_server.url) or page.faults.append(request.url))
    page.goto(f"{live_server.url}/admin/")
    page.fill("#id_username", "rosa")
    page.fill("#id_password", "rosa's password")
    page.click("button[type=submit]")
    yield page
    context.close()


def _stays(url: str, server: str) -> bool:
    return url.startswith((server, "data:", "blob:"))
