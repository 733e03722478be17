"""Generation as Databricks runs it: web server and worker here, `manage.py run_job` in a run of the saved job of
`databricks_job.json`, which knows of the site only what that file says; both on one PostgreSQL and one warehouse."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from databricks.sdk.service.jobs import JobSettings

from tests.databricks.http import Request
from tests.databricks.loopback import TOKEN, Loopback
from tests.databricks.sign_in import CLIENT_ID, CLIENT_SECRET
from tests.databricks.workspace_jobs import JOBS, Jobs, LoopbackRun
from tests.lakebase.conftest import postgres
from tests.lakebase.postgres import ROLE, Postgres
from tests.training.chat_server import says
from tests.training.jobs.site import DEADLINE, ROOT, Api, Site, made, serving, until

__all__ = ["postgres"]

ITEMS, SAVED = 300, 7
# The model waits for this before it answers.
READY = Event()
START = """
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from training.actions.start import start
start(sheet=Sheet.objects.get(), template=PromptTemplate.objects.get(), actor="omar")
"""


def patient(_body: dict[str, Any], _number: int) -> Any:
    READY.wait(30)
    return says('{"defect": "scratch"}')


@pytest.fixture(scope="module")
def warehouse(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    directory = tmp_path_factory.mktemp("site") / "var/lakehouse"
    shutil.copytree(migrated, directory)
    with Loopback(directory) as server:
        yield server


@pytest.fixture(scope="module")
def runs(warehouse: Loopback) -> Jobs:
    return warehouse.workspace.jobs


@pytest.fixture(scope="module")
def site(postgres: Postgres, warehouse: Loopback) -> Iterator[Site]:
    password, home = secrets.token_urlsafe(8), warehouse.directory.parent.parent
    postgres.change_password(password)
    name = postgres.make_database(f"jobs_{secrets.token_hex(4)}")
    settings = {
        "WORKBENCH_DATABASE_URL": f"postgresql://{ROLE}:{password}@127.0.0.1:{postgres.port}/{name}",
        "WORKBENCH_LAKEHOUSE_URL": warehouse.url,
        "WORKBENCH_LLM_API_KEY": "web",
        "WORKBENCH_JOBS": "databricks",
        "WORKBENCH_JOBS_ID": str(SAVED),
        "WORKBENCH_WORKERS": "1",
        "DATABRICKS_TOKEN": TOKEN,
    }
    with made(home, ITEMS, patient, **settings) as site:
        save(warehouse.workspace.jobs, site, home / "driver")
        yield site


def save(jobs: Jobs, site: Site, disk: Path) -> None:
    """Make the saved job as docs/databricks.md says: the file with our values in place of the words in capitals."""
    text = (ROOT / "databricks_job.json").read_text().replace("/Workspace/Users/YOU/workbench", str(ROOT))
    job = JobSettings.from_dict(json.loads(text))
    assert job.tasks and job.tasks[0].new_cluster and job.tasks[0].new_cluster.spark_env_vars
    variables = job.tasks[0].new_cluster.spark_env_vars
    for name, value in variables.items():
        if not value.startswith("{{"):
            variables[name] = site.environment.get(name, "")
    variables |= {"WORKBENCH_VAR_DIR": str(disk), "DATABRICKS_CLIENT_ID": CLIENT_ID}
    # Dead runs are noticed sooner; it is no setting.
    variables["DJANGO_SETTINGS_MODULE"] = site.environment["DJANGO_SETTINGS_MODULE"]
    jobs.saved[SAVED] = job
    jobs.secrets = {"workbench/llm-key": "run", "workbench/client-secret": CLIENT_SECRET}


@pytest.fixture(scope="module")
def api(site: Site) -> Iterator[Api]:
    with serving(site) as api:
        yield api


def run_of(api: Api, job: str, runs: Jobs) -> LoopbackRun:
    return runs.runs[until(lambda: api.job(job)["run_id"], "a run")]


def until_asked(site: Site, before: int) -> None:
    until(lambda: len(site.model.requests) > before, "a run that asks the model")


def test_a_run_that_is_killed_fails_its_job_and_another_run_ends_it(api: Api, site: Site, runs: Jobs) -> None:
    job = api.start(ITEMS)
    until_asked(site, 0)
    first = run_of(api, job, runs)
    os.killpg(first.process.pid, signal.SIGKILL)
    assert f"The run {first.id} ended before the job did" in api.becomes(job, "failed")["error"]
    READY.set()
    assert api("POST", f"jobs/{job}/resume")[0] == 200
    found = api.becomes(job, "succeeded")
    assert found["run_id"] != first.id and found["run_url"] == f"https://loopback/jobs/runs/{found['run_id']}"
    second = runs.runs[found["run_id"]]
    assert second.process.wait(DEADLINE) == 0 and f"job {job}: succeeded" in second.text()
    assert sorted(site.written()) == [f"board-{number:05}" for number in range(ITEMS)]
    assert set(site.model.keys) == {"Bearer run"}


def test_a_process_killed_when_it_asks_leaves_that_to_the_worker_and_the_run_ends_when_told(
    api: Api, site: Site, runs: Jobs, warehouse: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes, place = dict(warehouse.workspace.routes), ("POST", f"{JOBS}/run-now")

    def kill(_request: Request) -> None:
        monkeypatch.setattr(warehouse.workspace, "routes", routes)
        process.kill()

    monkeypatch.setattr(warehouse.workspace, "routes", routes | {place: kill})
    READY.clear()
    known, before = set(runs.runs), len(site.model.requests)
    process = subprocess.Popen([sys.executable, "manage.py", "shell", "-c", START], cwd=ROOT, env=site.environment)
    assert process.wait(DEADLINE) == -signal.SIGKILL and set(runs.runs) == known
    job = api("GET", "jobs")[1]["results"][0]["id"]
    until_asked(site, before)
    assert api("POST", f"jobs/{job}/cancel")[1]["wish"] == "cancel"
    READY.set()
    api.becomes(job, "cancelled")
    run = run_of(api, job, runs)
    assert run.id not in known and run.process.wait(DEADLINE) == 0 and not run.cancelled
