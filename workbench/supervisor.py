"""Keeps several programs running as one: when one ends or this process is told to stop, all end; some are started again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

STOPPING = (signal.SIGTERM, signal.SIGINT)
# Before a program is started again, so that one which cannot start does not keep the machine busy.
PAUSE = 1.0

Command = Sequence[str]
Processes = Sequence["subprocess.Popen[bytes]"]


def supervise(commands: Sequence[Command], *, grace: float, restarted: Sequence[Command] = ()) -> int:
    """Return 0 after SIGTERM or SIGINT, else the exit code (never 0) of the program that ended by itself.

    All are sent SIGTERM then, and what still runs after `grace` seconds is killed with its children. A program of
    `restarted` that ends is started again instead, as often as needed, a second later.
    """
    for number in STOPPING:
        signal.signal(number, _interrupt)
    running: list[subprocess.Popen[bytes]] = []
    try:
        for command in (*commands, *restarted):
            running.append(_started(command))
        while (ended := _first_to_end(running)).args in restarted:
            _end([ended], 0)
            running.remove(ended)
            time.sleep(PAUSE)
            running.append(_started(ended.args))
        return ended.wait() or 1
    except KeyboardInterrupt:
        return 0
    finally:
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)
        _end(running, time.monotonic() + grace)


def _started(command: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own commands


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _first_to_end(running: Processes) -> subprocess.Popen[bytes]:
    ours = {process.pid: process for process in running}
    while True:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        if ended and ended.si_pid in ours:
            return ours[ended.si_pid]
        # The first process of a container inherits the orphans of all others.
        if ended:
            os.waitpid(ended.si_pid, 0)


def _end(running: Processes, deadline: float) -> None:
    for process in running:
        if process.poll() is None:
            process.terminate()
    for process in running:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
