from __future__ import annotations

import pytest

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from tests.conftest import Stage
from tests.seeded import loaded
from training.actions.generate import begin
from training.actions.jobs import submit
from training.models import JobRun


@pytest.fixture
def job(stage: Stage) -> JobRun:
    """A queued job over the 50 circuit boards."""
    stage(loaded, "pcb_defects")
    template = PromptTemplate.objects.get(label_type="classification")
    training_sheet, items = begin(sheet=Sheet.objects.get(), template=template, actor="omar")
    return submit(training_sheet, items, actor="omar")
