"""Suggestions: each choice is of the rarest kind, and a file that takes them is as even as the candidates allow."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from tests.training.files.conftest import Make, key_of
from training.files.balancing import suggested
from training.files.quality import DIMENSIONS, tier_of, totals
from training.models import TrainingFile

ROWS = st.lists(
    st.fixed_dictionaries(
        {key: st.sampled_from(["a", "b", "c"]) for key in DIMENSIONS.values()}
        | {"quality_score": st.none() | st.floats(0, 10)}
    ),
    max_size=20,
)
SLOW_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def held(counts: dict[str, Counter[str]], row: dict[str, Any]) -> int:
    return sum(counts[name][row[key]] for name, key in DIMENSIONS.items())


def place(counts: dict[str, Counter[str]], row: dict[str, Any]) -> tuple[Any, ...]:
    """Return what the candidates are ordered by at each choice: the rarest kind, quality, names."""
    return held(counts, row), -(row["quality_score"] or 0.0), [row[key] for key in DIMENSIONS.values()], row["id"]


@SLOW_MACHINE
@given(ROWS, ROWS, st.integers(0, 25))
def test_each_choice_is_of_the_rarest_kind(present: list[Any], candidates: list[Any], most: int) -> None:
    rows = [row | {"id": f"{at:02}"} for at, row in enumerate(candidates)]
    counts = {name: Counter(row[key] for row in present) for name, key in DIMENSIONS.items()}
    chosen = suggested(counts, rows, most)
    assert len(chosen) == len({row["id"] for row in chosen}) == min(most, len(rows))
    left = {row["id"]: row for row in rows}
    for row in chosen:
        assert row is min(left.values(), key=partial(place, counts))
        del left[row["id"]]
        for name, key in DIMENSIONS.items():
            counts[name][row[key]] += 1


def test_each_of_thousands_of_kinds_is_weighed_in_seconds() -> None:
    rows = [
        {"id": f"{at:05}", "quality_score": at % 7, "persona_key": f"{at:05}", "emotional_arc_key": "a"}
        | {"training_topic_key": f"{at % 3}"}
        for at in range(5_000)
    ]
    began = time.process_time()
    assert len(suggested({}, rows, 1_000)) == 1_000 and time.process_time() - began < 5


def test_scores_have_tiers_and_none_is_left_out_of_the_mean() -> None:
    assert [tier_of(score) for score in (10, 9, 7, 5, 4.9)] == [
        "seed_dataset", "seed_dataset", "production", "experimental", "rejected",
    ]  # fmt: skip
    row = {"training_pairs": 1, "human_reviewed_pairs": 0} | dict.fromkeys(DIMENSIONS.values(), "a")
    found = totals([row | {"quality_score": None}, row | {"quality_score": 8.0}])
    assert (found["avg_quality_score"], found["min_quality_score"], found["conversation_count"]) == (8.0, 8.0, 2)
    assert totals([row | {"quality_score": None}])["avg_quality_score"] == 0


def test_what_is_rare_in_a_file_is_suggested_and_more_than_80_are_added(
    imported: Make, create: Any, api: APIClient
) -> None:
    ids = imported(*range(1, 101))
    key = create("to balance", [key_of(number) for number in (3, 6, 9, 12)]).json()["trainingFile"]["id"]
    url = f"/api/v1/training-files/{key}"
    found = api.get(f"{url}/suggestions", {"limit": 8}).json()
    assert {row["persona_key"] for row in found[:8]} == {"overwhelmed_avoider", "confident_saver"}
    assert all(row["quality_score"] >= 8 for row in api.get(f"{url}/suggestions", {"min_quality": 8}).json())
    added = api.post(f"{url}/add-matching", {"limit": 90}).json()["trainingFile"]
    assert added["conversation_count"] == 94
    personas = added["scaffolding_distribution"]["personas"].values()
    assert max(personas) - min(personas) <= 2
    assert len(ids) == 100 and TrainingFile.objects.get().version == 2
