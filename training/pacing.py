"""How fast an endpoint is asked: a concurrency limit that adapts, limits per minute, and pauses between tries."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_PAUSE = 60.0
# More calls at once pay when they bring a twentieth more answers a second; else they only wait in the endpoint's queue,
# which shows when even a round's quickest call takes twice as long as before, and not in one round only.
PAYS, QUEUED, IN_A_ROW = 1.05, 2.0, 2
# A round with success lets in a tenth more.
GROWTH = 1.1
# What was seen fades by a fiftieth a round within the known limit, so that an endpoint which changed is measured anew.
FADES = 0.98


class AdaptiveLimit:
    """At most so many calls at once, given out in the order of asking.

    It starts at 8 and doubles every round until the endpoint shows its limit, then grows by a tenth. A refusal halves
    it, and rounds that take longer without more answers a second bring back the number that gave as many.
    """

    def __init__(self, most: int) -> None:
        self.most, self.now = most, float(min(most, 8))
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._resting: set[asyncio.Future[None]] = set()
        self._stopped = False
        self._opening = True
        self._shrunk = self._not_before = -math.inf
        self._round, self._taken, self._slow = self.now, list[float](), 0
        self._quickest, self._rate, self._paid = math.inf, 0.0, self.now

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a free place and hold it; CancelledError once the limit is stopped."""
        await self._entered()
        try:
            while (seconds := self._not_before - time.monotonic()) > 0:
                await self.rest(seconds)
            yield
        finally:
            self._running -= 1
            self._let_in()

    async def rest(self, seconds: float) -> None:
        """Wait so long; CancelledError at once when the limit is stopped meanwhile."""
        place = self._place()
        timer = asyncio.get_running_loop().call_later(seconds, _free, place)
        self._resting.add(place)
        try:
            await place
        finally:
            self._resting.discard(place)
            timer.cancel()

    @property
    def stopped(self) -> bool:
        return self._stopped

    def stop(self) -> None:
        """Begin no more calls: who waits is cancelled, who has a place keeps it to the end."""
        self._stopped = True
        for place in (*self._waiting, *self._resting):
            place.cancel()

    def succeeded(self, seconds: float) -> None:
        """Count a call that took so long, and see at the end of a round what the limit brings."""
        self._taken.append(max(seconds, 1e-6))
        if self._opening:
            self.now = min(self.most, self.now + 1)
        if len(self._taken) >= int(self._round):
            self._judge(min(self._taken), self._round * len(self._taken) / sum(self._taken))
            self._round, self._taken = self.now, []
        self._let_in()

    def refused(self, began: float, pause: float) -> None:
        """Halve the limit, once for all calls that ran at the time; everyone waits as long as the endpoint asks for."""
        self._opening = False
        self._not_before = max(self._not_before, time.monotonic() + pause)
        if began > self._shrunk:
            self._shrunk, self.now = time.monotonic(), max(1.0, self.now / 2)

    def _judge(self, seconds: float, rate: float) -> None:
        """Go on from a round whose quickest call took so long, at so many answers a second."""
        pays = rate > self._rate * PAYS
        if pays:
            self._rate, self._paid = rate, self._round
        elif self._round <= self._paid:
            self._rate, self._quickest = max(rate, self._rate * FADES), self._quickest / FADES
        self._quickest = min(self._quickest, seconds)
        if pays or seconds <= QUEUED * self._quickest:
            self._slow = 0
            self.now = self.now if self._opening else min(self.most, max(self.now + 1, self.now * GROWTH))
            return
        self._slow += 1
        if self._slow >= IN_A_ROW:
            self._opening, self.now, self._slow = False, self._paid, 0

    async def _entered(self) -> None:
        if self._running < int(self.now) and not self._waiting and not self._stopped:
            self._running += 1
            return
        place = self._place()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._running -= 1
            self._let_in()
            raise

    def _place(self) -> asyncio.Future[None]:
        place = asyncio.get_running_loop().create_future()
        if self._stopped:
            place.cancel()
        return place

    def _let_in(self) -> None:
        while self._waiting and (self._waiting[0].done() or self._running < int(self.now)):
            place = self._waiting.popleft()
            if not place.done():
                self._running += 1
                place.set_result(None)


def _free(place: asyncio.Future[None]) -> None:
    if not place.done():
        place.set_result(None)


class PerMinute:
    """A steady pace of at most so many a minute, of calls or tokens; 0 is without a limit."""

    def __init__(self, most: int) -> None:
        self._each = 60 / most if most else 0.0
        self._free_at = -math.inf

    def book(self, amount: float, now: float) -> float:
        """Return the seconds until so many may be used, and count them as used."""
        start = max(self._free_at, now)
        self._free_at = start + amount * self._each
        return start - now

    def correct(self, amount: float) -> None:
        """Count so many more than were booked, or fewer when negative."""
        self._free_at += amount * self._each


def pause(
    attempt: int, headers: Mapping[str, str], *, longest: float = LONGEST_PAUSE, now: datetime | None = None
) -> float:
    """Return the seconds to wait before the next try: what `Retry-After` says (seconds or a date), else with jitter.

    `longest` is how long the server may ask for.
    """
    told = retry_after(headers.get("Retry-After", ""), now or datetime.now(UTC))
    if told is not None:
        return min(told, longest)
    return random.uniform(0.5, 1.0) * min(2.0**attempt / 2, LONGEST_PAUSE)  # noqa: S311 - spreads clients, no secret


def retry_after(text: str, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, at least 0, or None when it says nothing readable."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isnan(seconds):
        return max(0.0, seconds)
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (then.replace(tzinfo=then.tzinfo or UTC) - now).total_seconds())
