"""Wrong settings of training files are found before anything runs."""

from __future__ import annotations

from typing import Any

import pytest

from training.checks import check_training_files


@pytest.mark.parametrize("value", ["training_files", "/Volumes/a/b", "/Volumes/a/b/c/d"])
def test_a_volume_is_named_by_its_path(settings: Any, db: None, value: str) -> None:
    settings.TRAINING_FILES = value
    (error,) = check_training_files()
    assert error.id == "training.E005" and "WORKBENCH_TRAINING_FILES" in error.msg and repr(value) in error.msg


def test_a_profile_that_is_not_there_is_named(settings: Any, db: None) -> None:
    assert check_training_files() == []
    settings.CONSULTANT_PROFILE = "/nope.json"
    (error,) = check_training_files()
    assert error.id == "training.E006" and "WORKBENCH_CONSULTANT_PROFILE='/nope.json' cannot be read" in error.msg
