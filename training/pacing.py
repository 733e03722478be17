"""How fast an endpoint is asked: a concurrency limit that adapts, and pauses between tries."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_PAUSE = 60.0


class AdaptiveLimit:
    """At most so many calls at once: one more after a round of successes, half as many after a refusal (AIMD)."""

    def __init__(self, most: int) -> None:
        self.most, self.now = most, float(min(most, 8))
        self._running = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a free place and hold it."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._running < int(self.now))
            self._running += 1
        try:
            yield
        finally:
            async with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def grow(self) -> None:
        self.now = min(self.most, self.now + 1 / self.now)

    def shrink(self) -> None:
        self.now = max(1.0, self.now / 2)


def pause(attempt: int, headers: Mapping[str, str], *, now: datetime | None = None) -> float:
    """Return the seconds to wait before the next try: what `Retry-After` says (seconds or a date), else with jitter."""
    told = retry_after(headers.get("Retry-After", ""), now or datetime.now(UTC))
    if told is not None:
        return min(told, LONGEST_PAUSE)
    return random.uniform(0.5, 1.0) * min(2.0**attempt / 2, LONGEST_PAUSE)  # noqa: S311 - spreads clients, no secret


def retry_after(text: str, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, at least 0, or None when it says nothing readable."""
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (then.replace(tzinfo=then.tzinfo or UTC) - now).total_seconds())
