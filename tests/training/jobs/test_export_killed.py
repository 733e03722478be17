"""Kill the worker of an export anywhere: the file is whole in the end, the one that the command writes, and there is one."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars

from tests.training.jobs.site import ROOT, Site, is_running, kill, made, until

PAIRS, KILLS = 6_000, 3
JOB_LEASE = 6.0  # of quick_settings


def commits(site: Site, table: str) -> int:
    return len(list((site.var / f"lakehouse/mirion_vital/workbench/{table}/_delta_log").glob("*.json")))


def rows(site: Site, table: str) -> list[dict[str, Any]]:
    return polars.read_delta(str(site.var / f"lakehouse/mirion_vital/workbench/{table}")).to_dicts()


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_an_export_killed_at_every_step_is_whole_and_left_once(prepared: Path, tmp_path: Path) -> None:
    dice = random.Random(9)
    with made(tmp_path, PAIRS, prepared=prepared) as site:
        job, training_sheet, export = site.ask("export").split()
        volume = site.var / "lakehouse/Volumes/mirion_vital/workbench/exports"
        file, manifest = (volume / f"{export}.jsonl{end}" for end in ("", ".manifest.json"))
        seen: list[str] = []

        def killed_when(reached: Callable[[], Any], wanted: str) -> None:
            worker = site.start(job)
            until(lambda: reached() or not is_running(worker), wanted)
            kill(worker)
            seen.extend(sha256(each) for each in (file,) if each.exists())
            assert site.live(job)["status"] == "running", site.live(job)["error"]

        for _ in range(KILLS):
            enough = commits(site, "export_parts") + dice.randint(1, 4)
            killed_when(lambda: commits(site, "export_parts") >= enough, "pieces of the manifest")  # noqa: B023
            site.write_live(job, heartbeat_at="2000-01-01 00:00:00")  # what waiting for the end of the lease does
        killed_when(lambda: any(volume.iterdir()), "the file")
        site.write_live(job, heartbeat_at="2000-01-01 00:00:00")
        before = commits(site, "exports")
        killed_when(lambda: commits(site, "exports") > before, "the row")

        held, idle = site.live(job), site.start(job)
        until(lambda: not is_running(idle), "a worker that finds the lease taken")
        assert site.live(job)["token"] == held["token"]
        ends = datetime.fromisoformat(held["heartbeat_at"]).replace(tzinfo=UTC) + timedelta(seconds=JOB_LEASE)
        until(lambda: datetime.now(UTC) > ends, "the end of the lease")
        site.start(job)
        until(lambda: site.live(job)["status"] == "succeeded", "the end of the job")

        (row,) = rows(site, "exports")
        assert (row["id"], row["is_complete"], row["exported_pairs"]) == (export, True, PAIRS)
        assert sorted(volume.iterdir()) == [file, manifest]
        assert {*seen, sha256(file)} == {row["sha256"]} and sha256(manifest) == row["manifest_sha256"]
        assert sum(row["sha256"] in each["reason"] for each in rows(site, "usage_constraint_audit")) == 1
        direct = tmp_path / "direct.jsonl"
        command = [sys.executable, "manage.py", "export_jsonl", training_sheet, "--out", str(direct)]
        subprocess.run(command, env=site.environment, cwd=ROOT, check=True, capture_output=True)
        assert direct.read_bytes() == file.read_bytes()
