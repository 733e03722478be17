"""How long a statement may take, and what ends it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import urllib3.exceptions
from databricks.sql import exc

from ..pep249 import OperationalError

FAILURES = (exc.Error, urllib3.exceptions.HTTPError, OSError)
# A web request lasts 120 s; a statement that waits for its warehouse to start is given up before.
MOST_SECONDS = 60.0

# The connector would wait 900 s for an answer, and try 30 times in as long.
RETRIES = {
    "_socket_timeout": 60,
    "_retry_delay_min": 0.5,
    "_retry_delay_max": 5,
    "_retry_stop_after_attempts_count": 5,
    "_retry_stop_after_attempts_duration": 30,
}


@contextmanager
def watched(raw: Any, seconds: float) -> Iterator[None]:
    """Cancel what the connector's cursor runs when it takes longer, or when this process is told to stop."""
    # Cursors are used again: an earlier statement must not be cancelled for this one, nor a later one.
    raw.active_command_id = None
    late, over, deciding = threading.Event(), threading.Event(), threading.Lock()

    def stop() -> None:
        # What to cancel is known from the server's first answer, which may still be on its way.
        while not over.wait(0.5 if late.is_set() else 0):
            with deciding:
                if not over.is_set():
                    late.set()
                    _cancel(raw)

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        _cancel(raw)
        raise
    except FAILURES as error:
        if late.is_set() and raw.active_command_id:
            raise OperationalError(
                f"The statement was cancelled after {seconds:g} s. A warehouse that starts can take minutes: try again, "
                "or start it first."
            ) from error
        raise
    finally:
        timer.cancel()
        with deciding:
            over.set()


def _cancel(raw: Any) -> None:
    if raw.active_command_id:
        with contextlib.suppress(*FAILURES):
            raw.cancel()
