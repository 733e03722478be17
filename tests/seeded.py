"""What tests begin with: the seed data, with its training sheets."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from tests.conftest import Stage
from training.actions.generate import generate
from training.management.commands.demo import generated
from training.models import TrainingSheet
from training.seeds import SEED_DATA, SETS, load, read_json


def loaded(_: Path, name: str) -> None:
    """A set of the seed data."""
    load(name)


def drafted(_: Path, name: str) -> TrainingSheet:
    """A set of the seed data, and its training sheet by Omar."""
    load(name)
    template = PromptTemplate.objects.get(pk=read_json(SEED_DATA / name / "templates.json")[0]["id"])
    return generate(sheet=Sheet.objects.get(), template=template, actor="omar")


def demo(_: Path) -> None:
    """Both sets of the seed data, both training sheets generated."""
    for name in SETS:
        load(name)
        generated(name)


@pytest.fixture
def seeded(stage: Stage) -> Path:
    """The directory of this test's lakehouse with the demo's data."""
    return stage(demo)


def the_boards() -> TrainingSheet:
    return TrainingSheet.objects.get(sheet__name__startswith="PCB")


@pytest.fixture
def boards(seeded: Path) -> TrainingSheet:
    """The training sheet of the boards: 50 pairs, 10 pre-approved."""
    return the_boards()


@pytest.fixture
def invoices(seeded: Path) -> TrainingSheet:
    """The training sheet of the invoices: 30 pairs, 8 pre-approved, 3 of these prohibited for training."""
    return TrainingSheet.objects.get(sheet__name__startswith="Medical")
