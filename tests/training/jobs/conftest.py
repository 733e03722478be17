from __future__ import annotations

from pathlib import Path

import pytest

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from training.actions.generate import begin
from training.actions.jobs import submit
from training.models import JobRun
from training.seeds import load


@pytest.fixture
def job(lakehouse: Path) -> JobRun:
    """A queued job over the 50 circuit boards."""
    load("pcb_defects")
    template = PromptTemplate.objects.get(label_type="classification")
    training_sheet, items = begin(sheet=Sheet.objects.get(), template=template, actor="omar")
    return submit(training_sheet, items, actor="omar")
