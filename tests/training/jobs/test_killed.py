"""Kill the worker anywhere: every item has one pair in the end, and no answer that was written is asked for again."""

from __future__ import annotations

import random
import time
from pathlib import Path

from tests.training.jobs.site import kill, made, until

ITEMS, KILLS = 2_000, 20


def test_a_worker_killed_twenty_times_loses_nothing_and_pays_for_nothing_twice(prepared: Path, tmp_path: Path) -> None:
    dice = random.Random(4)
    with made(tmp_path, ITEMS, prepared=prepared) as site:
        job, kills = site.submit(), []
        for _ in range(KILLS):
            enough, worker = len(site.model.requests) + dice.randint(1, 150), site.start(job)
            until(lambda: len(site.model.requests) >= enough, "questions")  # noqa: B023
            time.sleep(dice.uniform(0, 0.1))  # into a commit, as like as not
            kill(worker)
            kills.append((len(site.model.requests), set(site.written())))
            site.write_live(job, heartbeat_at="2000-01-01 00:00:00")  # what waiting for the end of the lease does
        assert site.live(job)["status"] == "running"
        assert 0 < len(kills[-1][1]) < ITEMS
        site.start(job)
        until(lambda: site.live(job)["status"] == "succeeded", "the end of the job")
        assert sorted(site.written()) == [f"board-{number:05}" for number in range(ITEMS)]
        asked = site.asked()
        assert not any(written & set(asked[count:]) for count, written in kills)
        assert (site.live(job)["done"], site.live(job)["total"], site.live(job)["token"]) == (ITEMS, ITEMS, "")
