"""Boards that Rosa reviewed: one approved, one corrected twice, one corrected and taken back, one rejected, one reopened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.conftest import Scenes, Stage
from tests.seeded import boards, demo, the_boards
from training.actions.review import review
from training.models import QAPair, TrainingSheet
from training.review.journal import Decision

__all__ = ["boards"]

Download = Callable[..., Any]


def pairs_to_review(boards: TrainingSheet) -> list[QAPair]:
    return list(QAPair.objects.of(boards.pk).filter(status="unlabeled", misfits__len=0, error=""))


def did(pair: QAPair, action: str, **more: Any) -> None:
    review(Decision(pair.pk, action, **more), actor="rosa")


def decided(directory: Path) -> dict[str, QAPair]:
    """The demo's data, and what Rosa decides about the first boards."""
    demo(directory)
    names = ("approved", "corrected", "taken_back", "rejected", "reopened", "untouched")
    pairs = dict(zip(names, pairs_to_review(the_boards()), strict=False))
    did(pairs["approved"], "approve")
    for location in ("top_left_quadrant", "top_right_quadrant"):
        answer = {"defect_type": "scratch", "severity": "minor", "location": location}
        did(pairs["corrected"], "edit", answer=answer, reason=f"It is at {location}")
    did(pairs["taken_back"], "approve")
    did(pairs["taken_back"], "edit", answer={"defect_type": "scratch", "severity": "major", "location": "none"})
    did(pairs["taken_back"], "undo")
    did(pairs["rejected"], "reject", reason="blurred")
    did(pairs["reopened"], "approve")
    did(pairs["reopened"], "reopen")
    return pairs


@pytest.fixture
def seeded(stage: Stage, request: pytest.FixtureRequest) -> Path:
    """The directory of this test's lakehouse with the demo's data, and with what Rosa decided if the test asks for it."""
    return stage(decided if "reviewed" in request.fixturenames else demo)


@pytest.fixture
def reviewed(boards: TrainingSheet, scenes: Scenes) -> dict[str, QAPair]:
    """The pairs, as they were drafted, by what became of them."""
    pairs: dict[str, QAPair] = scenes(decided).result
    return pairs


@pytest.fixture
def download(api: APIClient) -> Download:
    """Fetches ground truth and returns its bytes, or the response where there is none."""

    def get(**params: Any) -> Any:
        response = api.get("/api/v1/ground-truth/export", params)
        return b"".join(response.streaming_content) if response.status_code == 200 else response

    return get


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "corpus.jsonl"
