"""Training sheets of the seed data."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from training.actions.generate import generate
from training.models import TrainingSheet
from training.seeds import load


@pytest.fixture
def boards(lakehouse: Path) -> TrainingSheet:
    load("pcb_defects")
    template = PromptTemplate.objects.get(label_type="classification")
    return generate(sheet=Sheet.objects.get(), template=template, actor="omar")


@pytest.fixture
def invoices(lakehouse: Path) -> TrainingSheet:
    load("medical_invoices")
    return generate(sheet=Sheet.objects.get(), template=PromptTemplate.objects.get(), actor="omar")
