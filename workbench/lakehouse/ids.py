"""Keys made in Python: time-ordered UUIDs for new rows, name-based UUIDs for rows that must not exist twice."""

from __future__ import annotations

import os
import time
from uuid import UUID, uuid5

NAMESPACE = UUID("6f1d2c1e-5f0b-5c0e-9a53-6d0b0f6f2a77")

_last_ns = 0


def uuid7() -> str:
    """Return a UUIDv7 (RFC 9562) as text: 48 bits of milliseconds, 12 of their fraction, 62 random.

    Keys made one after the other in a process sort in that order, so a table's files cover narrow key ranges
    and readers can skip most of them.
    """
    global _last_ns  # noqa: PLW0603 - one clock a process
    # A step of 245 ns is the smallest that 12 bits of a millisecond can show.
    _last_ns = now = max(time.time_ns(), _last_ns + 245)
    milliseconds, rest = divmod(now, 1_000_000)
    random = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    value = milliseconds << 80 | 0x7 << 76 | (rest * 4096 // 1_000_000) << 64 | 0b10 << 62 | random
    return str(UUID(int=value))


def uuid5_of(*parts: str) -> str:
    """Return the UUIDv5 of the parts: the same key for the same parts, on any machine."""
    return str(uuid5(NAMESPACE, "\x1f".join(parts)))
