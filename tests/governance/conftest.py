"""Training sheets of the seed data."""

from __future__ import annotations

import pytest

from tests.conftest import Stage
from tests.seeded import drafted
from training.models import TrainingSheet


@pytest.fixture
def boards(stage: Stage) -> TrainingSheet:
    stage(drafted, "pcb_defects")
    return TrainingSheet.objects.get()


@pytest.fixture
def invoices(stage: Stage) -> TrainingSheet:
    stage(drafted, "medical_invoices")
    return TrainingSheet.objects.get()
