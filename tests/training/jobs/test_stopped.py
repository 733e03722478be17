"""Ctrl-C: a server hands its job back, a command pauses it, and both can be gone on with."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.training.jobs.site import ROOT, Site, made, serving, until

ITEMS = 1_200


def generate(site: Site, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "manage.py", "generate", *options]
    return subprocess.Popen(
        command, env=site.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_job_goes_on_after_each_ctrl_c(prepared: Path, tmp_path: Path) -> None:
    with made(tmp_path, ITEMS, prepared=prepared) as site:
        with generate(site, "--sheet", "Boards", "--template", "Defects") as command:
            until(lambda: len(site.model.requests) > 100, "questions")
            command.send_signal(signal.SIGINT)
            out, error = command.communicate()
        assert (command.returncode, out) == (1, "")
        assert "Paused after" in error
        again = error.rpartition("manage.py generate ")[2].split()
        done = len(site.written())
        assert 0 < done < ITEMS
        with serving(site) as api:
            (job,) = api("GET", "jobs")[1]["results"]
            assert (job["status"], job["done"], job["total"]) == ("paused", done, ITEMS)
            api("POST", f"jobs/{job['id']}/resume")
            until(lambda: api.job(job["id"])["worker_is_alive"], "a worker")
        stopped = site.live(job["id"])
        assert (stopped["status"], stopped["token"]) in [("queued", ""), ("succeeded", "")]
        with generate(site, *again) as command:
            out, error = command.communicate()
        assert (command.returncode, out.strip()) == (0, again[-1]), error
        assert f"{ITEMS:,} of {ITEMS:,} items, 100%" in error
        assert sorted(site.written()) == sorted(set(site.asked()))
        assert len(site.written()) == ITEMS
