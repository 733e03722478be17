"""Several programs run and end as one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

FOREVER = "import signal; signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"


def supervised(*programs: str, grace: float = 5) -> subprocess.Popen[str]:
    script = "import sys; from workbench.supervisor import supervise; "
    script += f"sys.exit(supervise([[sys.executable, '-c', each] for each in {programs!r}], grace={grace}))"
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)


def test_when_one_ends_all_end_with_its_code() -> None:
    with supervised(FOREVER, "raise SystemExit(3)") as process:
        assert process.wait(20) == 3


def test_one_that_ends_without_an_error_was_not_to_end() -> None:
    with supervised(FOREVER, "pass") as process:
        assert process.wait(20) == 1


def test_a_program_that_does_not_listen_is_killed() -> None:
    with supervised(STUBBORN, FOREVER, grace=0.2) as process:
        assert process.stdout and process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    child = f"import os, subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {FOREVER!r}]); print(p.pid, flush=True); p.wait()"
    with supervised(child) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < deadline
        os.sched_yield()
