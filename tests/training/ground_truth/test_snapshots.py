"""Increments by `since` and `until` add up to the whole, also when pairs are reviewed again in between."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from rest_framework.test import APIClient

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
    return lines(body)


def lines(body: bytes) -> dict[str, dict[str, Any]]:
    return {line["job_id"]: line for line in map(json.loads, body.splitlines())}


@examples(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(cuts=st.lists(st.integers(0, 14), max_size=3, unique=True))
def test_any_cuts_add_up(reviewed: dict[str, QAPair], boards: TrainingSheet, cuts: list[int]) -> None:
    times = sorted(QAPair.objects.of(boards.pk).values_list("updated_at", flat=True), reverse=True)
    ends = [None, *sorted(times[cut] for cut in cuts), None]
    parts = [snapshot(boards, *span) for span in pairwise(ends)]
    whole = snapshot(boards)
    assert sum(map(len, parts)) == len(whole) == 15
    assert {key: line for part in parts for key, line in part.items()} == whole


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


def test_what_was_decided_before_an_increment_and_committed_after_it_is_in_the_next_one(
    reviewed: dict[str, QAPair], boards: TrainingSheet, api: APIClient, download: Download, settings: Any
) -> None:
    settings.REVIEW_APPLY = "worker"
    began = timezone.now()
    first = api.get("/api/v1/ground-truth/export", {"training_sheet": boards.pk})
    before = lines(b"".join(first.streaming_content))
    did(reviewed["untouched"], "approve")
    ReviewAction.objects.filter(pair_id=reviewed["untouched"].pk).update(created_at=began - timedelta(seconds=90))
    after = lines(download(since=first["X-Next-Since"], training_sheet=boards.pk))
    assert reviewed["untouched"].pk not in before and reviewed["untouched"].pk in after
    assert before | after == lines(download(training_sheet=boards.pk))


def test_an_export_until_a_time_is_followed_by_one_from_then_on(
    reviewed: dict[str, QAPair], boards: TrainingSheet, api: APIClient, tmp_path: Path, capsys: Any
) -> None:
    asked = {"training_sheet": boards.pk, "until": "2999-01-01T00:00:00Z"}
    before, now = timezone.now(), api.get("/api/v1/ground-truth/export", asked)["X-Next-Since"]
    assert before <= datetime.fromisoformat(now) + timedelta(minutes=2) <= timezone.now()
    old = datetime(2026, 1, 1, 12, 30, tzinfo=timezone.get_fixed_timezone(60))
    QAPair.objects.filter(pk=reviewed["approved"].pk).update(updated_at=old - timedelta(days=1))
    assert api.get("/api/v1/ground-truth/export", asked | {"until": old})["X-Next-Since"] == "2026-01-01T11:30:00Z"
    call_command("export_ground_truth", "--out", str(tmp_path / "out.jsonl"), "--until", old.isoformat())
    assert "with --since 2026-01-01T11:30:00Z" in capsys.readouterr().err


def test_a_training_sheet_that_is_being_generated_is_refused(
    reviewed: dict[str, QAPair], boards: TrainingSheet, download: Download
) -> None:
    TrainingSheet.objects.filter(pk=boards.pk).update(status="generating")
    for asked in ({}, {"training_sheet": boards.pk}, {"sheet": boards.sheet_id}):
        refused = download(**asked)
        assert refused.status_code == 409 and boards.name in refused.json()["error"]["message"], asked
    assert download(training_sheet=TrainingSheet.objects.exclude(pk=boards.pk).get().pk)
