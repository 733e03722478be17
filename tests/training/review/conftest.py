"""A training sheet of 50 boards, 40 of which wait for review."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from training.actions.generate import generate
from training.models import QAPair, TrainingSheet
from training.seeds import load

Act = Callable[..., Any]


@pytest.fixture
def boards(lakehouse: Path) -> TrainingSheet:
    load("pcb_defects")
    template = PromptTemplate.objects.get(label_type="classification")
    return generate(sheet=Sheet.objects.get(), template=template, actor="omar")


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
