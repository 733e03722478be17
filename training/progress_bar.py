"""Shows a run on a terminal, where it can be paused by Ctrl-C; plain lines where the output is no terminal."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable, Iterator
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

from training.watch import Progress

T = TypeVar("T")

WIDTH = 30
LINE_SECONDS = 10.0
# Rows between two looks at the progress.
EVERY = 1_000


class ProgressBar:
    """Watches a run while it is open; `out` is a stream of text, such as a command's stderr.

    `of` says what is counted. Ctrl-C asks the run to pause, or ends the command at once where it cannot.
    """

    def __init__(self, out: Any, *, pauses: bool = True, of: str = "items") -> None:
        self.out, self.is_terminal, self.pauses, self.of = out, out.isatty(), pauses, of
        self.reason: str | None = None
        self._first: tuple[float, int] | None = None
        self._shown_at = 0.0
        self._last = self._shown = ""

    def __enter__(self) -> Self:
        if self.pauses:
            self._before = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if self.pauses:
            signal.signal(signal.SIGINT, self._before)
        if self._last and (self.is_terminal or self._last != self._shown):
            self._write(self._last, last=True)

    def progress(self, now: Progress) -> None:
        moment = time.monotonic()
        self._first = self._first or (moment, now.done)
        self._last = line(now, moment - self._first[0], now.done - self._first[1], bar=self.is_terminal, of=self.of)
        if self.is_terminal or moment - self._shown_at >= LINE_SECONDS:
            self._shown_at = moment
            self._write(self._last)

    def up_to(self, total: int) -> Callable[[int], None]:
        """Return what is told how many more rows of a total were read."""
        done = 0

        def read(more: int) -> None:
            nonlocal done
            done += more
            self.progress(Progress(min(done, total), total))

        return read

    def stop(self) -> str | None:
        return self.reason

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        # A second Ctrl-C ends the process at once, which loses nothing that is written.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.reason = "pause"

    def _write(self, text: str, *, last: bool = False) -> None:
        self._shown = text
        ending = "\n" if last or not self.is_terminal else ""
        self.out.write(f"\r\x1b[K{text}{ending}" if self.is_terminal else f"{text}{ending}")
        self.out.flush()


def telling(rows: Iterable[T], between: Callable[[int], None]) -> Iterator[T]:
    """Yield the rows, and tell how many more were taken, some at a time."""
    taken = 0
    for taken, row in enumerate(rows, 1):
        yield row
        if taken % EVERY == 0:
            between(EVERY)
    between(taken % EVERY)


def line(now: Progress, seconds: float, done: int, *, bar: bool, of: str = "items") -> str:
    """Return `1,200 of 5,000 items, 24%, 310/s, 12 s left`, with a bar before it, for `done` in `seconds`."""
    share = now.done / now.total if now.total else 1.0
    parts = [f"{now.done:,} of {now.total:,} {of}", f"{share:.0%}"]
    if seconds and done:
        rate = done / seconds
        parts += [f"{rate:,.0f}/s", f"{in_words((now.total - now.done) / rate)} left"]
    if now.failed:
        parts.append(f"{now.failed:,} failed")
    filled = "█" * round(WIDTH * min(1.0, share))
    return (f"{filled:░<{WIDTH}} " if bar else "") + ", ".join(parts)


def in_words(seconds: float) -> str:
    """Return a duration to two units: 12 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"
