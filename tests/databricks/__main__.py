"""The loopback warehouse as a server in the foreground: `python -m tests.databricks [DIRECTORY [PORT]]`."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from tests.databricks.loopback import TOKEN, Loopback


def main(directory: str = "var/warehouse", port: str = "15432") -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Loopback(Path(directory).resolve(), port=int(port)) as server:
        print(f"A SQL warehouse over {server.directory}, until Ctrl-C. In another shell:\n")
        print(f"export WORKBENCH_LAKEHOUSE_URL='{server.url}'")
        print(f"export DATABRICKS_TOKEN={TOKEN}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
