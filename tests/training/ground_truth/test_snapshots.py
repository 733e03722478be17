"""Increments by `since` and `until` add up to the whole, also when pairs are reviewed again in between."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.training.ground_truth.conftest import Download, did
from training.actions.ground_truth import open_ground_truth
from training.ground_truth.reading import Span
from training.ground_truth.run import Wanted
from training.models import QAPair, ReviewAction, TrainingSheet
from workbench.problems import Conflict


def snapshot(boards: TrainingSheet, since: Any = None, until: Any = None) -> dict[str, Any]:
    wanted = Wanted(approved_only=False, span=Span(since, until))
    try:
        body = b"".join(open_ground_truth([boards], wanted, actor="rosa", channel="api").blocks())
    except Conflict:
        return {}
    return {line["job_id"]: line for line in map(json.loads, body.splitlines())}


@pytest.fixture
def apart(boards: TrainingSheet) -> None:
    """The pairs were last written five minutes after one another, the last one five minutes ago."""
    pairs = list(QAPair.objects.of(boards.pk).order_by("-updated_at"))
    for number, pair in enumerate(pairs, start=1):
        pair.updated_at = timezone.now() - number * timedelta(minutes=5)
    QAPair.objects.bulk_update(pairs, ["updated_at"])


@pytest.mark.usefixtures("apart")
@examples(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(cuts=st.lists(st.integers(0, 14), max_size=3, unique=True))
def test_any_cuts_add_up(reviewed: dict[str, QAPair], boards: TrainingSheet, cuts: list[int]) -> None:
    times = sorted(QAPair.objects.of(boards.pk).values_list("updated_at", flat=True), reverse=True)
    ends = [None, *sorted(times[cut] for cut in cuts), None]
    parts = [snapshot(boards, *span) for span in pairwise(ends)]
    whole = snapshot(boards)
    assert sum(map(len, parts)) == len(whole) == 15
    assert {key: line for part in parts for key, line in part.items()} == whole


@pytest.mark.usefixtures("apart")
def test_the_newest_line_of_a_pair_wins_after_more_was_reviewed(
    reviewed: dict[str, QAPair], boards: TrainingSheet
) -> None:
    cut = timezone.now()
    before = snapshot(boards, until=cut)
    did(reviewed["corrected"], "undo")
    did(reviewed["approved"], "edit", answer={"defect_type": "scratch", "severity": "major", "location": "none"})
    did(reviewed["untouched"], "approve")
    after = snapshot(boards, since=cut, until=timezone.now() + timedelta(days=1))
    assert set(after) == {reviewed[name].pk for name in ("corrected", "approved", "untouched")}
    assert before | after == snapshot(boards)


@pytest.mark.usefixtures("apart")
def test_what_was_decided_before_an_increment_and_committed_after_it_is_in_the_next_one(
    reviewed: dict[str, QAPair], boards: TrainingSheet, download: Download, settings: Any
) -> None:
    settings.REVIEW_APPLY = "worker"
    began = timezone.now()
    before = snapshot(boards)
    did(reviewed["untouched"], "approve")
    ReviewAction.objects.filter(pair_id=reviewed["untouched"].pk).update(created_at=began - timedelta(seconds=90))
    after = list(map(json.loads, download(since=began.isoformat(), training_sheet=boards.pk).splitlines()))
    assert reviewed["untouched"].pk not in before
    assert [line["job_id"] for line in after] == [reviewed["untouched"].pk]
    assert download(since="0001-01-01T00:00:00Z", training_sheet=boards.pk)


def test_a_training_sheet_that_is_being_generated_is_refused(
    reviewed: dict[str, QAPair], boards: TrainingSheet, download: Download
) -> None:
    TrainingSheet.objects.filter(pk=boards.pk).update(status="generating")
    for asked in ({}, {"training_sheet": boards.pk}, {"sheet": boards.sheet_id}):
        refused = download(**asked)
        assert refused.status_code == 409 and boards.name in refused.json()["error"]["message"], asked
    assert download(training_sheet=TrainingSheet.objects.exclude(pk=boards.pk).get().pk)
