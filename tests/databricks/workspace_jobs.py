"""Jobs 2.2 of the loopback workspace: a one-time run that really runs its command, as a process of this machine."""

from __future__ import annotations

import os
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

BASE = "/api/2.2/jobs/runs"
LONGEST_TOKEN = 64
PATIENCE = 10.0

# From the task of a run to the command of a process.
COMMANDS: dict[str, Callable[[Any], list[str]]] = {
    "spark_python_task": lambda task: [sys.executable, task.python_file, *(task.parameters or [])],
    "python_wheel_task": lambda task: [sys.executable, "-m", task.package_name, *(task.parameters or [])],
}


@dataclass
class LoopbackRun:
    """One run with its only task, whose own run id is one more."""

    id: int
    name: str
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
            tasks=[task],
            state=old,
            status=new,
            start_time=int(self.started * 1000),
            end_time=None if self.ended is None else int(self.ended * 1000),
        )


class Jobs:
    """The runs. `environment` and `cwd` are those of the commands; `submissions` is every body that arrived."""

    def __init__(self, environment: dict[str, str] | None = None, cwd: Path | None = None) -> None:
        self.environment, self.cwd = environment or {}, cwd
        self.submissions: list[dict[str, Any]] = []
        self.runs: dict[int, LoopbackRun] = {}
        self.by_token: dict[str, int] = {}
        self._lock = threading.Lock()

    def routes(self) -> Routes:
        return {
            ("POST", f"{BASE}/submit"): self.submit,
            ("GET", f"{BASE}/get"): self.get,
            ("POST", f"{BASE}/cancel"): self.cancel,
            ("GET", f"{BASE}/get-output"): self.get_output,
        }

    def submit(self, request: Request) -> dict[str, Any]:
        given = request.json
        token = str(given.get("idempotency_token") or "")
        if len(token) > LONGEST_TOKEN:
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", f"The idempotency token has {len(token)} characters.")
        with self._lock:
            self.submissions.append(given)
            if token not in self.by_token:
                run = self._start(given)
                self.by_token[token or f"without a token: {run.id}"] = run.id
                return sdk.SubmitRunResponse(run_id=run.id).as_dict()
        return sdk.SubmitRunResponse(run_id=self.by_token[token]).as_dict()

    def _start(self, given: dict[str, Any]) -> LoopbackRun:
        tasks = [sdk.SubmitTask.from_dict(task) for task in given.get("tasks", [])]
        kinds = [kind for kind in COMMANDS if tasks and getattr(tasks[0], kind) is not None]
        if len(tasks) != 1 or len(kinds) != 1:
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", f"One task is run here, of {', '.join(COMMANDS)}.")
        output = tempfile.NamedTemporaryFile(prefix="run-")  # noqa: SIM115 - it lives as long as the run
        process = subprocess.Popen(
            COMMANDS[kinds[0]](getattr(tasks[0], kinds[0])),
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | self.environment,
            cwd=self.cwd,
            start_new_session=True,
        )
        run = LoopbackRun(1000 + 10 * len(self.runs), given.get("run_name", "Untitled"), tasks[0], process, output)
        self.runs[run.id] = run
        threading.Thread(target=run.wait, daemon=True).start()
        return run

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
