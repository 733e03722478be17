"""A training sheet of 50 boards, 40 of which wait for review."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.core.cache import caches
from django.db import OperationalError, connections
from rest_framework.test import APIClient

from tests.conftest import Stage
from tests.seeded import drafted
from training.models import QAPair, TrainingSheet
from training.review.frames import frame_of
from workbench.router import LAKEHOUSE

Act = Callable[..., Any]
Away = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def boards(stage: Stage) -> TrainingSheet:
    stage(drafted, "pcb_defects")
    return TrainingSheet.objects.get()


@pytest.fixture
def waiting(boards: TrainingSheet) -> QAPair:
    """A pair whose draft fits the schema."""
    return QAPair.objects.filter(status="unlabeled", misfits__len=0, error="")[0]


@pytest.fixture
def act(api: APIClient) -> Act:
    """Sends one verb and returns the response."""

    def send(pair: QAPair, verb: str, **body: Any) -> Any:
        return api.post(f"/api/v1/qa-pairs/{pair.pk}/{verb}", body)

    return send


@pytest.fixture
def away() -> Away:
    """Takes the lakehouse away: every statement fails, in a process that has just started and remembers nothing."""

    def refuse(*_: Any) -> None:
        raise OperationalError("The warehouse is being stopped.")

    @contextmanager
    def gone() -> Iterator[None]:
        frame_of.cache_clear()
        caches["pages"].clear()
        with connections[LAKEHOUSE].execute_wrapper(refuse):
            yield

    return gone
