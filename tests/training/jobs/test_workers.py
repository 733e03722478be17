"""Web server and worker as they run: a job steered over HTTP, delivered twice, and its worker killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.training.chat_server import says
from tests.training.jobs.site import Api, Site, is_running, made, serving, until

ITEMS, SOME = 1_200, 150
# The model waits for this before it answers, and refuses the item that is named.
READY, REFUSED = Event(), {"board": "none"}


def moody(body: dict[str, Any], _number: int) -> Any:
    READY.wait(30)
    if REFUSED["board"] in body["messages"][-1]["content"]:
        return 400, {}, b"not this one"
    return says('{"defect": "scratch"}')


@pytest.fixture(scope="module")
def site(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site")
    settings = {"WORKBENCH_LLM_PRICE_PROMPT": "10", "WORKBENCH_WORKERS": "1"}
    with made(home, ITEMS, moody, prepared=prepared, **settings) as site:
        yield site


@pytest.fixture(scope="module")
def api(site: Site) -> Iterator[Api]:
    with serving(site) as api:
        yield api


@pytest.fixture(autouse=True)
def good_mood(site: Site) -> None:
    READY.set()
    REFUSED["board"] = "none"
    site.model.requests.clear()


def test_what_failed_is_shown_and_can_be_retried(api: Api, site: Site) -> None:
    REFUSED["board"] = "board-00007"
    key = api.start(SOME)
    job = api.becomes(key, "succeeded")
    assert (job["done"], job["total"], job["failed"], job["worker_is_alive"]) == (SOME, SOME, 1, False)
    assert (job["first_errors"][0]["item_ref"], job["prompt_tokens"]) == ("board-00007", 7 * (SOME - 1))
    assert job["cost"] == pytest.approx(job["prompt_tokens"] * 10 / 1_000_000)
    REFUSED["board"], before = "none", len(site.model.requests)
    assert api("POST", f"jobs/{key}/retry")[0] == 200
    job = api.becomes(key, "succeeded")
    assert (job["failed"], job["first_errors"], site.asked()[before:]) == (0, [], ["board-00007"])


def test_paused_then_resumed_by_two_at_once(api: Api, site: Site) -> None:
    key = api.start(ITEMS)
    until(lambda: len(site.model.requests) > 100, "questions")
    READY.clear()
    assert api("POST", f"jobs/{key}/pause")[1]["wish"] == "pause"
    READY.set()
    paused = api.becomes(key, "paused")
    assert (paused["done"] < ITEMS, paused["worker_is_alive"], paused["error"]) == (True, False, "Paused by rosa.")
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: api("POST", f"jobs/{key}/resume")[0], range(2)))
    assert sorted(answers) == [200, 409]
    assert api.becomes(key, "succeeded")["done"] == ITEMS


def test_cancelled_while_it_runs(api: Api, site: Site) -> None:
    key = api.start(ITEMS)
    until(lambda: len(site.model.requests) > 100, "questions")
    api("POST", f"jobs/{key}/cancel")
    job = api.becomes(key, "cancelled")
    training_sheet = api("GET", f"training-sheets/{job['training_sheet_id']}")[1]
    assert training_sheet["status"] == "review"
    assert training_sheet["total_pairs"] < ITEMS
    assert "cancelled → queued" in api("POST", f"jobs/{key}/resume")[1]["error"]["message"]


def test_a_task_delivered_twice_runs_once(site: Site) -> None:
    READY.clear()
    key = site.submit()
    workers = [site.start(key) for _ in range(2)]
    until(lambda: [is_running(worker) for worker in workers].count(False) == 1, "the end of the second")
    assert site.live(key)["status"] == "running"
    READY.set()
    until(lambda: site.live(key)["status"] == "succeeded", "the end of the job")
    assert len(site.model.requests) == len(set(site.asked())) == ITEMS


def test_a_killed_worker_is_started_again_and_takes_the_job_back(api: Api, site: Site) -> None:
    key = api.start(ITEMS)
    until(lambda: len(site.model.requests) > 600, "the second chunk")
    READY.clear()
    os.killpg(int(site.live(key)["worker"].split("/")[1]), signal.SIGKILL)
    READY.set()
    assert api.becomes(key, "succeeded")["done"] == ITEMS
    assert len(site.model.requests) < 2 * ITEMS - 400
