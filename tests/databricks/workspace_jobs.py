"""Jobs 2.2 of the loopback workspace: runs, of saved jobs or for once, that really run their command, as processes here."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from databricks.sdk.service import jobs as sdk

from tests.databricks.exchange import RefusedError, Routes
from tests.databricks.http import Request

JOBS = "/api/2.2/jobs"
BASE = f"{JOBS}/runs"
LONGEST_TOKEN = 64
PATIENCE = 10.0

# From the task of a run to the command of a process.
COMMANDS: dict[str, Callable[[Any], list[str]]] = {
    "spark_python_task": lambda task: [sys.executable, task.python_file, *(task.parameters or [])],
    "python_wheel_task": lambda task: [sys.executable, "-m", task.package_name, *(task.parameters or [])],
}


REFERENCE = re.compile(r"\{\{job\.parameters\.(\w+)\}\}")
SECRET = re.compile(r"\{\{secrets/([^/]+)/([^/}]+)\}\}")


@dataclass
class LoopbackRun:
    """One run with its only task, whose own run id is one more."""

    id: int
    name: str
    page: str
    task: sdk.SubmitTask
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    started: float = field(default_factory=time.time)
    ended: float | None = None
    cancelled: bool = False

    def wait(self) -> None:
        self.process.wait()
        self.ended = time.time()

    def cancel(self) -> None:
        """End the process and those it started: asked first, then killed."""
        self.cancelled = True
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)

    def text(self) -> str:
        return Path(self.output.name).read_text(encoding="utf-8", errors="replace")

    def state(self) -> tuple[sdk.RunState, sdk.RunStatus]:
        """The state in its old form, which the SDK's waiter reads, and in its new one."""
        code = self.process.poll()
        if code is None:
            running = sdk.RunStatus(state=sdk.RunLifecycleStateV2State.RUNNING)
            return sdk.RunState(life_cycle_state=sdk.RunLifeCycleState.RUNNING), running
        result, why = sdk.RunResultState.SUCCESS, sdk.TerminationCodeCode.SUCCESS
        kind = sdk.TerminationTypeType.SUCCESS
        if self.cancelled:
            result, why = sdk.RunResultState.CANCELED, sdk.TerminationCodeCode.USER_CANCELED
        elif code:
            result, why = sdk.RunResultState.FAILED, sdk.TerminationCodeCode.RUN_EXECUTION_ERROR
            kind = sdk.TerminationTypeType.CLIENT_ERROR
        words = f"The command ended with exit code {code}." if code else ""
        old = sdk.RunState(life_cycle_state=sdk.RunLifeCycleState.TERMINATED, result_state=result, state_message=words)
        ended = sdk.TerminationDetails(code=why, type=kind, message=words)
        return old, sdk.RunStatus(state=sdk.RunLifecycleStateV2State.TERMINATED, termination_details=ended)

    def described(self) -> sdk.Run:
        old, new = self.state()
        task = sdk.RunTask(task_key=self.task.task_key, run_id=self.id + 1, state=old, status=new)
        return sdk.Run(
            run_id=self.id,
            run_name=self.name,
            run_page_url=self.page,
            tasks=[task],
            state=old,
            status=new,
            start_time=int(self.started * 1000),
            end_time=None if self.ended is None else int(self.ended * 1000),
        )


class Jobs:
    """The runs. `environment` and `cwd` are those of the commands; `submissions` is every body that arrived.

    `saved` are the jobs by their ids, and `secrets` what the variables of their clusters may refer to, by scope/key.
    While `lost` is above zero, a run that is asked for starts, and the answer does not arrive.
    """

    def __init__(self, environment: dict[str, str] | None = None, cwd: Path | None = None) -> None:
        self.environment, self.cwd = environment or {}, cwd
        self.saved: dict[int, sdk.JobSettings] = {}
        self.secrets: dict[str, str] = {}
        self.lost = 0
        self.submissions: list[dict[str, Any]] = []
        self.runs: dict[int, LoopbackRun] = {}
        self.by_token: dict[str, int] = {}
        self._lock = threading.Lock()

    def routes(self) -> Routes:
        return {
            ("POST", f"{JOBS}/run-now"): self.run_now,
            ("POST", f"{BASE}/submit"): self.submit,
            ("GET", f"{BASE}/get"): self.get,
            ("POST", f"{BASE}/cancel"): self.cancel,
            ("GET", f"{BASE}/get-output"): self.get_output,
        }

    def submit(self, request: Request) -> dict[str, Any]:
        tasks = [sdk.SubmitTask.from_dict(task) for task in request.json.get("tasks", [])]
        run = self._once(request.json, lambda: self._start(request.json.get("run_name", "Untitled"), tasks, {}))
        return sdk.SubmitRunResponse(run_id=run).as_dict()

    def run_now(self, request: Request) -> dict[str, Any] | None:
        wanted = int(request.json["job_id"])
        if wanted not in self.saved:
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", f"Job {wanted} does not exist.")
        run = self._once(request.json, lambda: self._start_saved(self.saved[wanted], request.json["job_parameters"]))
        if self.lost:
            self.lost -= 1
            return None
        return sdk.RunNowResponse(run_id=run, number_in_job=run).as_dict()

    def _once(self, given: dict[str, Any], start: Callable[[], int]) -> int:
        token = str(given.get("idempotency_token") or "")
        if len(token) > LONGEST_TOKEN:
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", f"The idempotency token has {len(token)} characters.")
        with self._lock:
            self.submissions.append(given)
            if token in self.by_token:
                return self.by_token[token]
            run = start()
            self.by_token[token or f"without a token: {run}"] = run
            return run

    def _start_saved(self, job: sdk.JobSettings, given: dict[str, str]) -> int:
        known = {each.name: each.default for each in job.parameters or []}
        if unknown := sorted(set(given) - set(known)):
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", f"The job has no parameters {', '.join(unknown)}.")
        (task,) = job.tasks or []
        body = REFERENCE.sub(lambda found: (known | given)[found[1]], json.dumps(task.as_dict()))
        variables = (task.new_cluster and task.new_cluster.spark_env_vars) or {}
        environment = {name: SECRET.sub(self._secret, value) for name, value in variables.items()}
        return self._start(str(job.name), [sdk.SubmitTask.from_dict(json.loads(body))], environment)

    def _secret(self, found: re.Match[str]) -> str:
        return self.secrets[f"{found[1]}/{found[2]}"]

    def _start(self, name: str, tasks: list[sdk.SubmitTask], environment: dict[str, str]) -> int:
        kinds = [kind for kind in COMMANDS if tasks and getattr(tasks[0], kind) is not None]
        if len(tasks) != 1 or len(kinds) != 1:
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", f"One task is run here, of {', '.join(COMMANDS)}.")
        output = tempfile.NamedTemporaryFile(prefix="run-")  # noqa: SIM115 - it lives as long as the run
        process = subprocess.Popen(
            COMMANDS[kinds[0]](getattr(tasks[0], kinds[0])),
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_machine() | self.environment | environment,
            cwd=self.cwd,
            start_new_session=True,
        )
        number = 1000 + 10 * len(self.runs)
        self.runs[number] = LoopbackRun(number, name, f"https://loopback/jobs/runs/{number}", tasks[0], process, output)
        threading.Thread(target=self.runs[number].wait, daemon=True).start()
        return number

    def get(self, request: Request) -> dict[str, Any]:
        return self._run(request.query).described().as_dict()

    def cancel(self, request: Request) -> dict[str, Any]:
        self._run(request.json).cancel()
        return {}

    def get_output(self, request: Request) -> dict[str, Any]:
        run = self._run(request.query)
        old, _ = run.state()
        failed = old.result_state is sdk.RunResultState.FAILED
        error = old.state_message if failed else None
        return sdk.RunOutput(logs=run.text(), error=error, metadata=run.described()).as_dict()

    def _run(self, given: Any) -> LoopbackRun:
        wanted = int(given["run_id"])
        found = self.runs.get(wanted) or self.runs.get(wanted - 1)
        if found is None:
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", f"Run {wanted} does not exist.")
        return found

    def close(self) -> None:
        for run in self.runs.values():
            run.cancel()
            run.output.close()


def _machine() -> dict[str, str]:
    """The environment of this process without what is set up here: a cluster starts with none of it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("WORKBENCH_", "DATABRICKS_"))}
