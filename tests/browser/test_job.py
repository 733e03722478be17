"""A person generates five thousand items: sees them come, loses the worker, resumes, and every count agrees."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars
import pytest

from tests.training.jobs.site import Api, Site, made, serving, until

ITEMS = 5_000


@pytest.fixture
def site(prepared: Path, tmp_path: Path) -> Iterator[Site]:
    with made(tmp_path, ITEMS, prepared=prepared) as site:
        yield site


@pytest.fixture
def api(site: Site) -> Iterator[Api]:
    with serving(site) as api:
        yield api


@pytest.fixture
def page(api: Api, chromium: Any) -> Any:
    """A page on which Rosa has signed in."""
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(180_000)
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.goto(f"http://127.0.0.1:{api.port}/admin/")
    page.fill("#id_username", "rosa")
    page.fill("#id_password", "rosa's password")
    page.click("button[type=submit]")
    return page


def done(page: Any) -> int:
    return int(page.locator("#job-done").inner_text().replace(",", ""))


def becomes(page: Any, status: str) -> None:
    page.locator("#job-state", has_text=status).wait_for()


def test_generate_kill_resume_finish(page: Any, api: Api, site: Site) -> None:
    page.goto(f"http://127.0.0.1:{api.port}/admin/training/trainingsheet/generate/")
    page.select_option("#id_sheet", label="Boards")
    page.select_option("#id_template", index=1)
    page.locator("#counts >> text=run as a job").wait_for()
    page.click("#generate-form button[type=submit]")
    key = page.url.rstrip("/").split("/")[-2]
    seen = [until(lambda: done(page), "the first items")]
    seen.append(until(lambda: (now := done(page)) > seen[0] and now, "more items"))

    os.killpg(int(site.live(key)["worker"].split("/")[1]), signal.SIGKILL)
    becomes(page, "running")
    page.click("text=Pause")
    becomes(page, "paused")
    assert seen[1] <= done(page) < ITEMS
    page.click("text=Resume")
    becomes(page, "succeeded")

    job = api.job(key)
    pairs = polars.read_delta(str(site.var / "lakehouse/mirion_vital/workbench/qa_pairs"))
    assert done(page) == job["done"] == pairs.height == pairs["item_ref"].n_unique() == ITEMS
    page.click("text=Open in review")
    page.locator(f"text={ITEMS} pairs").locator("visible=true").first.wait_for()
    assert page.faults == []
