"""Who answers the tasks of a run: a function of this process at once, or an endpoint that is asked from a thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from types import TracebackType
from typing import Self, TypeVar

import orjson

from training.answerers import EndpointAnswerer
from training.pairs import Answer, Answerer, Question
from training.pipeline import Done, Task
from training.replies import Reply

T = TypeVar("T")

# Answers that are kept for equal questions: some megabytes, whatever the length of a run.
REMEMBERED = 10_000
# Seconds that this thread works before it lets the other one work for as long.
TURN = 0.001


class AtOnce:
    """Answers by a function, in the caller's thread."""

    cached = 0

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer
        self._finished: list[Done] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    @property
    def open(self) -> int:
        return len(self._finished)

    def gently(self, many: Iterable[T]) -> Iterable[T]:
        return many

    def ask(self, tasks: Sequence[Task]) -> None:
        self._finished += zip(tasks, self._answerer([task.question for task in tasks]), strict=True)

    def take(self, least: int, seconds: float) -> list[Done]:
        return self.finished()

    def finished(self) -> list[Done]:
        taken, self._finished = self._finished, []
        return taken

    def stop(self) -> None: ...


class FromEndpoint:
    """Asks an endpoint from a thread with an event loop, in `with`; an equal question is asked once in a run.

    `remember` is False where every question shall have an answer of its own.
    """

    def __init__(self, answerer: EndpointAnswerer, *, remember: bool = True) -> None:
        self._answerer, self._client, self._seeing = answerer, answerer.client, answerer.seeing()
        self._remember = remember
        self.cached = self._open = self._number = 0
        self._waiting: dict[bytes, list[Task]] = {}
        self._known: OrderedDict[bytes, Answer] = OrderedDict()
        self._finished: list[Done] = []
        self._inbox = _Inbox()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="asking", daemon=True)

    def __enter__(self) -> Self:
        self._begun = threading.Event()
        self._thread.start()
        self._begun.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    @property
    def open(self) -> int:
        return self._open + len(self._finished)

    def gently(self, many: Iterable[T]) -> Iterator[T]:
        """Go through many things, a millisecond at a time.

        A thread of Python that computes takes the interpreter for 5 ms whenever the one with the calls sends or
        receives, which would hold up a round of calls ten times as long as the work takes.
        """
        turn = time.perf_counter() + TURN
        for one in many:
            yield one
            if self._open and time.perf_counter() > turn:
                time.sleep(TURN)
                turn = time.perf_counter() + TURN

    def ask(self, tasks: Sequence[Task]) -> None:
        """Give each task to the endpoint, unless its question is known or on its way."""
        new: list[tuple[bytes, Question]] = []
        for task in self.gently(tasks):
            key = self._key(task.question)
            if known := self._known.get(key):
                self._known.move_to_end(key)
                self._finished.append((task, _again(known)))
                self.cached += 1
                continue
            self._open += 1
            if key not in self._waiting:
                self._waiting[key] = []
                new.append((key, task.question))
            self._waiting[key].append(task)
        if new:
            self._loop.call_soon_threadsafe(self._start, new)

    def take(self, least: int, seconds: float) -> list[Done]:
        """Return what is finished; raises what went wrong outside a call, such as renewing a token."""
        # Equal questions are several tasks and one call.
        calls = max(1, least - (self._open - len(self._waiting))) if least and not self._finished else 0
        landed = self._inbox.take(calls, seconds)
        for key, reply in self.gently(landed):
            tasks = self._waiting.pop(key)
            self._open -= len(tasks)
            if isinstance(reply, BaseException):
                raise reply
            if reply is not None:
                self._finished += self._shared(key, tasks, self._answerer.read(reply))
        return self.finished()

    def finished(self) -> list[Done]:
        taken, self._finished = self._finished, []
        return taken

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._client.limit.stop)

    def _shared(self, key: bytes, tasks: Sequence[Task], answer: Answer) -> list[Done]:
        self.cached += len(tasks) - 1
        if self._remember and not answer.error:
            self._known[key] = answer
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return [(tasks[0], answer), *((task, _again(answer)) for task in tasks[1:])]

    def _key(self, question: Question) -> bytes:
        """Return what equal questions share: model and parameters are the same in a run."""
        if not self._remember:
            self._number += 1
            return self._number.to_bytes(8)
        text = orjson.dumps(
            [question.messages, question.missing, [(file.path, file.size, file.modified_ns) for file in question.files]]
        )
        return blake2b(text, digest_size=16).digest()

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        try:
            async with self._client:
                self._begun.set()
                await self._end.wait()
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            self._begun.set()  # also where there is no session, so that nobody waits for it

    def _start(self, questions: Sequence[tuple[bytes, Question]]) -> None:
        for key, question in questions:
            task = self._loop.create_task(self._answer(key, question))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, key: bytes, question: Question) -> None:
        try:
            self._inbox.put(key, await self._seeing.reply(question))
        except asyncio.CancelledError:
            self._inbox.put(key, None)
        except BaseException as error:  # noqa: BLE001 - the frame of a thread: it is raised again in the caller's
            self._inbox.put(key, error)


class _Inbox:
    """What the thread has finished: a reply, None for a question that was dropped, or what went wrong."""

    def __init__(self) -> None:
        self._landed: list[tuple[bytes, Reply | BaseException | None]] = []
        self._enough = threading.Condition()
        self._least = 0

    def put(self, key: bytes, reply: Reply | BaseException | None) -> None:
        with self._enough:
            self._landed.append((key, reply))
            # Not at each one: waking a thread costs more than an answer.
            if len(self._landed) == self._least:
                self._enough.notify()

    def take(self, least: int, seconds: float) -> list[tuple[bytes, Reply | BaseException | None]]:
        with self._enough:
            self._least = least
            if seconds:
                self._enough.wait_for(lambda: len(self._landed) >= least, seconds)
            landed, self._landed = self._landed, []
            return landed


def _again(answer: Answer) -> Answer:
    """Return the answer for another item with the same question: its tokens were paid for once."""
    return answer if answer.error else replace(answer, prompt_tokens=0, completion_tokens=0)
