"""A lakehouse with both seed data sets and their training sheets, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import at
from training.management.commands.demo import generated
from training.models import TrainingSheet
from training.seeds import SETS, load


@pytest.fixture(scope="session")
def seeded_directory(migrated: Path, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lakehouse with the seed data, both training sheets generated."""
    directory = tmp_path_factory.mktemp("seeded") / "lakehouse"
    shutil.copytree(migrated, directory)
    with django_db_blocker.unblock(), at(directory):
        for name in SETS:
            load(name)
            generated(name)
    return directory


@pytest.fixture
def seeded(lakehouse: Path, seeded_directory: Path, tmp_path: Path) -> Iterator[Path]:
    """The directory of this test's own copy."""
    directory = tmp_path / "seeded"
    shutil.copytree(seeded_directory, directory)
    with at(directory):
        yield directory


@pytest.fixture
def boards(seeded: Path) -> TrainingSheet:
    """The training sheet of the boards: 50 pairs, 10 pre-approved."""
    return TrainingSheet.objects.get(sheet__name__startswith="PCB")


@pytest.fixture
def invoices(seeded: Path) -> TrainingSheet:
    """The training sheet of the invoices: 30 pairs, 8 pre-approved, 3 of these prohibited for training."""
    return TrainingSheet.objects.get(sheet__name__startswith="Medical")
