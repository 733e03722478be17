from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from tests.seeded import boards, invoices, seeded
from training.models import TrainingSheet
from workbench.router import LAKEHOUSE

__all__ = ["boards", "invoices", "seeded"]

CHROMIUM = shutil.which("chromium")
SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync")


@pytest.fixture(scope="session")
def started() -> Iterator[Started]:
    """The headless Chromium of this process, which takes a second to start; its loop is hidden between tests."""
    if CHROMIUM is None:
        pytest.skip("There is no Chromium: `.ci/browser` installs it.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        loop = asyncio.get_running_loop()
        with running(None):
            yield Started(chromium, loop)
        chromium.close()


class Started(NamedTuple):
    chromium: Any
    loop: asyncio.AbstractEventLoop


@contextmanager
def running(loop: asyncio.AbstractEventLoop | None) -> Iterator[None]:
    """Tell this thread that a loop runs, or none.

    Playwright's stands still between its calls and is called running all the same, by which Django would refuse the
    database to the tests of other files, and asyncio to run a loop of theirs.
    """
    before = asyncio._get_running_loop()
    asyncio._set_running_loop(loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(before)


@pytest.fixture
def chromium(started: Started, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A headless Chromium without any page. Ask for it after the fixtures that use the database.

    Playwright's loop runs in this thread until the end of the test, and Django refuses the database beside a loop.
    """
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with running(started.loop):
        yield started.chromium
        for context in started.chromium.contexts:
            context.close()
        # Beside a loop a connection belongs to a context that outlives the test, and with it this test's lakehouse.
        connections[LAKEHOUSE].close()
        del connections[LAKEHOUSE]


@pytest.fixture
def page(boards: TrainingSheet, rosa: User, live_server: Any, chromium: Any) -> Iterator[Any]:
    """A blank page of a browser in which Rosa has signed in; it notes every request that leaves the machine and every error."""
    context = chromium.new_context(
        viewport={"width": 1280, "height": 720}, accept_downloads=True, base_url=live_server.url
    )
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("request", lambda request: _stays(request.url, live_server.url) or page.faults.append(request.url))
    client = Client()
    client.force_login(rosa)
    # The form of sign-in, and the home page behind it, are a second of each test that is about neither.
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    yield page
    context.close()


def _stays(url: str, server: str) -> bool:
    return url.startswith((server, "data:", "blob:"))
