"""How the number of calls at once follows what an endpoint can do, and quotas are kept."""

from __future__ import annotations

import asyncio
import time

import pytest

from training.pacing import AdaptiveLimit, PerMinute


def rounds(limit: AdaptiveLimit, capacity: float, times: int, seconds: float = 1.0) -> float:
    """Let an endpoint with so many places answer some rounds: more calls than places wait in its queue."""
    for _ in range(times):
        for _ in range(int(limit._round)):
            limit.succeeded(seconds * max(1.0, limit.now / capacity))
    return limit.now


def test_it_doubles_until_it_may_not() -> None:
    limit = AdaptiveLimit(64)
    assert [rounds(limit, 1000, 1) for _ in range(4)] == [16, 32, 64, 64]


def test_it_comes_back_from_a_queue_that_brings_nothing() -> None:
    limit = AdaptiveLimit(1000)
    assert rounds(limit, 20, 50) <= 60


def test_calls_that_take_longer_but_bring_more_are_no_queue() -> None:
    limit = AdaptiveLimit(64)
    for _ in range(30):
        for _ in range(int(limit._round)):
            limit.succeeded(1 + limit.now / 20)  # as a batching server: slower each, faster together
    assert limit.now == 64


def test_one_slow_moment_changes_nothing() -> None:
    limit = AdaptiveLimit(64)
    rounds(limit, 1000, 5)
    rounds(limit, 1000, 1, seconds=9)
    assert rounds(limit, 1000, 1) == 64


def test_refusals_of_calls_that_ran_together_halve_it_once() -> None:
    limit, began = AdaptiveLimit(64), time.monotonic()
    rounds(limit, 1000, 4)
    for _ in range(20):
        limit.refused(began, 0)
    assert limit.now == 32
    limit.refused(time.monotonic() + 1, 0)
    assert (limit.now, rounds(limit, 1000, 1)) == (16, pytest.approx(17.6))


def test_places_are_given_in_the_order_of_asking_and_never_too_many() -> None:
    order: list[int] = []
    running = most = 0

    async def call(limit: AdaptiveLimit, number: int) -> None:
        nonlocal running, most
        async with limit.slot():
            running, most = running + 1, max(most, running + 1)
            order.append(number)
            await asyncio.sleep(0)
            running -= 1

    async def all_calls() -> None:
        limit = AdaptiveLimit(3)
        await asyncio.gather(*(call(limit, number) for number in range(20)))

    asyncio.run(all_calls())
    assert (order, most) == (list(range(20)), 3)


def test_a_stopped_limit_lets_nobody_in_and_who_is_in_goes_on() -> None:
    async def run() -> list[object]:
        limit, inside, go_on = AdaptiveLimit(1), asyncio.Event(), asyncio.Event()

        async def call() -> str:
            async with limit.slot():
                inside.set()
                await go_on.wait()
                return "done"

        calls = [asyncio.ensure_future(call()) for _ in range(3)]
        await inside.wait()
        limit.stop()
        go_on.set()
        return list(await asyncio.gather(*calls, call(), return_exceptions=True))

    first, *others = asyncio.run(run())
    assert first == "done" and all(isinstance(other, asyncio.CancelledError) for other in others)


def test_a_quota_a_minute_is_a_steady_pace() -> None:
    calls = PerMinute(120)
    assert [calls.book(1, now=100.0) for _ in range(3)] == [0.0, 0.5, 1.0]
    assert calls.book(1, now=200.0) == 0.0


def test_tokens_that_were_not_used_are_given_back() -> None:
    tokens = PerMinute(600)
    tokens.book(100, now=0.0)
    tokens.correct(-40)
    assert tokens.book(1, now=0.0) == pytest.approx(6.0)


def test_without_a_quota_nothing_waits() -> None:
    free = PerMinute(0)
    assert (free.book(10**6, now=0.0), free.book(10**6, now=0.0)) == (0.0, 0.0)
