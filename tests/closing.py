"""Ending an answer as a server does, inside of a test's transaction."""

from __future__ import annotations

from typing import Any

from django.core.signals import request_finished
from django.db import close_old_connections


def close(answer: Any) -> None:
    """Close the answer, which a server's thread follows by closing its connections: the test still needs its own."""
    request_finished.disconnect(close_old_connections)
    try:
        answer.close()
    finally:
        request_finished.connect(close_old_connections)
