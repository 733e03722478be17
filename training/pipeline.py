"""The loop of a generation: items are read, asked and written at the same time. No database inside.

The caller's thread reads and writes, since its connection to the lakehouse is its own; an asker that calls an endpoint
does so in another thread meanwhile.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from django.db import DatabaseError

from sheets.reading import Item
from training.pairs import Answer, Label, Question
from training.watch import Progress, Stopped, Watch
from workbench.problems import Problem

T = TypeVar("T")

# A commit: at most so many pairs, at most every so many seconds, and at most a fifth of the time spent on them.
MOST_WRITTEN, WRITE_EVERY, WRITE_SHARE = 10_000, 1.0, 5
LOOK_EVERY = 1.0
# So many answers in a row that speak of the endpoint and not of their item, and the run ends.
MOST_OUTAGES = 10


class EndpointDown(Problem):
    """The endpoint answers nobody: the run ends, and what it did not answer waits for the next one."""

    code = "endpoint_down"
    status = 502


@dataclass(frozen=True, slots=True)
class Task:
    """An item and its question; `given` is the answer where it is known without asking."""

    item: Item
    question: Question
    label: Label | None = None
    given: Answer | None = None


Done = tuple[Task, Answer]
Write = Callable[[Sequence[Done]], None]


class Gently(Protocol):
    """Goes through many things without keeping another thread from its work."""

    def __call__(self, many: Iterable[T], /) -> Iterable[T]: ...


class Asker(Protocol):
    """Takes tasks and gives them back with their answers, as they come."""

    cached: int

    @property
    def open(self) -> int:
        """How many tasks have not been given back."""

    def gently(self, many: Iterable[T]) -> Iterable[T]:
        """Go through many things without keeping the calls from their thread."""

    def ask(self, tasks: Sequence[Task]) -> None: ...

    def take(self, least: int, seconds: float) -> list[Done]:
        """Return what is finished: as soon as it is so many, or when the time is over."""

    def finished(self) -> list[Done]:
        """Return what is finished and was not taken, as where taking failed."""

    def stop(self) -> None:
        """Ask no more: who is not being asked is dropped, and no longer open."""


class Run:
    """One run over chunks of tasks. `present` of `total` items have their pair already.

    With `again`, all items are such as failed before, and that the last few do so once more says nothing of the endpoint.
    """

    def __init__(
        self,
        asker: Asker,
        write: Write,
        *,
        total: int,
        present: int = 0,
        watch: Watch | None = None,
        again: bool = False,
    ) -> None:
        self._asker, self._write, self._watch, self._again = asker, write, watch, again
        self._now = Progress(done=present, total=total)
        self._ready: list[Done] = []
        self._doubted: list[Done] = []
        self._answered_at, self._stopping = -math.inf, False
        self._ahead = 0
        self._written_at = self._looked_at = time.monotonic()
        self._pause = WRITE_EVERY

    def go(self, chunks: Iterator[Sequence[Task]]) -> Progress:
        """Answer and write everything; return how it ended.

        Raises EndpointDown, Stopped when the watch says so, and what `chunks` and the asker raise, each after what was
        answered is written; and what `write` raises.
        """
        try:
            ending = self._loop(chunks)
            self._settle()
        finally:
            self._ready += self._asker.finished()
            self._commit()
        if ending:
            raise ending
        return self._now

    def _loop(self, chunks: Iterator[Sequence[Task]]) -> Exception | None:
        """Work until all is answered; return what ended it early."""
        more = True
        ending: Exception | None = None
        while more or self._asker.open:
            if more and self._asker.open <= self._ahead:
                try:
                    chunk = next(chunks, None)
                except (Problem, DatabaseError, OSError) as error:
                    chunk, ending = None, error
                more = chunk is not None
                self._begin(chunk or [])
            else:
                self._wait(more)
            self._write_when_due()
            reason = self._look()
            ending = ending or (Stopped(reason) if reason else None)
            if ending and (more or not self._stopping):
                more, self._stopping = False, True
                self._asker.stop()
        return ending

    def _begin(self, chunk: Sequence[Task]) -> None:
        self._ahead = len(chunk)
        self._ready += [(task, task.given) for task in chunk if task.given]
        self._asker.ask([task for task in chunk if not task.given])
        self._sort(self._asker.take(0, 0))

    def _wait(self, more: bool) -> None:
        """Take answers: enough to read on, or until it is time to write or to look."""
        now = time.monotonic()
        due = self._looked_at + LOOK_EVERY
        if self._ready:
            due = min(due, self._written_at + self._pause)
        least = self._asker.open - (self._ahead if more else 0)
        self._sort(self._asker.take(least, max(0.01, due - now)))

    def _sort(self, taken: Sequence[Done]) -> None:
        """Hold back what may be the endpoint's fault until it is known to answer."""
        for task, answer in taken:
            self._now = replace(
                self._now,
                prompt_tokens=self._now.prompt_tokens + answer.prompt_tokens,
                completion_tokens=self._now.completion_tokens + answer.completion_tokens,
            )
            if not answer.is_outage:
                self._answered_at = max(self._answered_at, answer.heard_at)
                self._ready += [*self._doubted, (task, answer)]
                self._doubted = []
            elif answer.heard_at < self._answered_at:
                # Others were answered while it was tried again, and by that it comes among the last.
                self._ready.append((task, answer))
            else:
                self._doubted.append((task, answer))
        # Items with the same question share one answer, which is one call.
        if len({id(doubt) for _, doubt in self._doubted}) >= MOST_OUTAGES:
            raise self._down()

    def _settle(self) -> None:
        """Decide about the last doubts: they are their items' errors where the endpoint answered at all."""
        telling = [answer for _, answer in self._doubted if answer.is_shut or not self._again]
        if telling and self._answered_at == -math.inf:
            raise self._down()
        self._ready, self._doubted = [*self._ready, *self._doubted], []

    def _down(self) -> EndpointDown:
        found = self._doubted[-1][1].error
        return EndpointDown(f"{found} The run was ended; set the endpoint right and resume it.")

    def _write_when_due(self) -> None:
        waited = time.monotonic() - self._written_at
        if len(self._ready) >= MOST_WRITTEN or (self._ready and waited >= self._pause):
            self._commit()

    def _commit(self) -> None:
        began = time.monotonic()
        # Before the write: what it fails at is not written again by the commit that ends the run.
        ready, self._ready = self._ready, []
        if ready:
            self._write(ready)
        self._written_at = time.monotonic()
        self._pause = max(WRITE_EVERY, (self._written_at - began) * (WRITE_SHARE - 1))
        self._now = replace(
            self._now,
            done=self._now.done + len(ready),
            failed=self._now.failed + sum(1 for _, answer in ready if answer.error),
            cached=self._asker.cached,
        )
        self._report()

    def _report(self) -> None:
        self._looked_at = time.monotonic()
        if self._watch:
            self._watch.progress(self._now)

    def _look(self) -> str | None:
        if self._watch is None:
            return None
        if time.monotonic() - self._looked_at >= LOOK_EVERY:
            self._report()
        return self._watch.stop()
