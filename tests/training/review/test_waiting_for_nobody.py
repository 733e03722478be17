"""What is fetched after an answer, so that no reviewer waits for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from tests.closing import close
from tests.training.review.conftest import Act
from training.models import QAPair, ReviewPair, ReviewSheet, TrainingSheet
from training.review import queue
from training.review.frames import frame_of
from workbench.after_answer import AfterAnswerMiddleware, after_answer
from workbench.router import LAKEHOUSE


def answered(view: Callable[[], Any]) -> HttpResponse:
    """Return the answer to a request for the view, sent and not closed yet."""

    def respond(_: Any) -> HttpResponse:
        view()
        return HttpResponse()

    answer = AfterAnswerMiddleware(respond)(RequestFactory().get("/"))
    assert isinstance(answer, HttpResponse)
    return answer


def test_work_is_done_once_after_the_answer_and_its_failure_is_told(db: None, caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []
    after_answer("now", lambda: done.append("outside of a request"))
    assert done.pop() == "outside of a request"

    def view() -> None:
        after_answer("fails", lambda: {}["nothing"])
        for name in ("first", "second"):
            after_answer("same", lambda name=name: done.append(name))  # type: ignore[misc]

    answer = answered(view)
    assert done == []
    close(answer)
    assert (done, "after an answer failed" in caplog.text) == (["first"], True)


def test_the_next_window_is_fetched_after_the_answer(boards: TrainingSheet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "WINDOW", 5)
    monkeypatch.setattr(queue, "LOW", 6)
    assert len(queue.upcoming(boards.pk, actor="rosa", most=3)) == 3
    shown: list[int] = []
    with CaptureQueriesContext(connections[LAKEHOUSE]) as read:
        answer = answered(lambda: shown.append(len(queue.upcoming(boards.pk, actor="rosa", most=20))))
        assert (shown, len(read), ReviewPair.objects.count()) == ([5], 0, 5)
        close(answer)
    assert (len(read), ReviewPair.objects.count()) == (1, 10)


def test_the_screen_of_a_queued_pair_reads_no_lakehouse(boards: TrainingSheet, api: APIClient, rosa: User) -> None:
    screen = Client()
    screen.force_login(rosa)
    first, second = api.get(f"/api/v1/training-sheets/{boards.pk}/queue", {"limit": 2}).json()
    for pair, statements in ((first, None), (second, 0)):
        with CaptureQueriesContext(connections[LAKEHOUSE]) as read:
            page = screen.get(f"/review/{boards.pk}/pairs/{pair['id']}").content.decode()
        assert pair["item_ref"] in page
        assert statements is None or [q["sql"] for q in read] == []


def test_progress_is_counted_again_after_the_answer(
    boards: TrainingSheet, waiting: QAPair, act: Act, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"/api/v1/training-sheets/{boards.pk}/progress"
    assert api.get(url).json()["left"] == 40
    act(waiting, "flag", reason="Not sure")
    other = QAPair.objects.filter(status="unlabeled")[0]
    QAPair.objects.filter(pk=other.pk).update(status="rejected")  # past the journal
    with CaptureQueriesContext(connections[LAKEHOUSE]) as read:
        assert {name: api.get(url).json()[name] for name in ("flagged", "left")} == {"flagged": 1, "left": 39}
    assert len(read) == 0
    monkeypatch.setattr("training.review.progress.FRESH", -1)
    assert [api.get(url).json()["rejected"] for _ in range(2)] == [0, 1]


def test_nobody_waits_where_decisions_were_applied_while_it_was_counted(
    boards: TrainingSheet, waiting: QAPair, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"/api/v1/training-sheets/{boards.pk}/progress"
    frame_of(boards.pk)
    state = ReviewSheet.objects.filter(pk=boards.pk)
    state.update(held_until=timezone.now() + timedelta(hours=1))
    assert api.get(url).json()["rejected"] == 0
    state.update(held_until=None)
    QAPair.objects.filter(pk=waiting.pk).update(status="rejected")  # past the journal
    monkeypatch.setattr("training.review.progress.DOUBTED", -1)
    assert [api.get(url).json()["rejected"] for _ in range(2)] == [0, 1]
