from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.uses import Limit, decide
from training.ledger import Exclusion, Ledger, bucket

# The first text drawn on a machine builds tables, which on a busy one looks like a slow test.
SLOW_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

FREE = decide([])
PHI = decide([Limit("canonical label", "Contains PHI - HIPAA", prohibited=frozenset({"training", "validation"}))])


@pytest.mark.parametrize(
    ("status", "decision", "answer", "words"),
    [
        ("labeled", FREE, "scratch", None),
        ("labeled", PHI, "scratch", "training prohibited: Contains PHI - HIPAA"),
        ("labeled", FREE, " ", "empty answer"),
        ("labeled", FREE, None, "empty answer"),
        ("unlabeled", PHI, "", "unlabeled: waiting for review"),
        ("rejected", PHI, "x", "rejected"),
        ("flagged", FREE, "x", "flagged"),
    ],
)
def test_every_pair_is_exported_or_in_one_bucket(
    status: str, decision: object, answer: str | None, words: str | None
) -> None:
    assert bucket(status, decision, "training", answer) == words  # type: ignore[arg-type]


def test_a_use_that_is_not_prohibited_passes() -> None:
    assert bucket("labeled", PHI, "few_shot", "x") is None


def test_an_unknown_status_or_use_is_refused() -> None:
    with pytest.raises(ValueError, match="Unknown pair status 'done'"):
        bucket("done", FREE, "training", "x")
    with pytest.raises(ValueError, match="Unknown use 'train'"):
        bucket("unlabeled", FREE, "train", "x")


def test_the_summary_puts_the_largest_exclusion_first() -> None:
    ledger = Ledger()
    for words, pairs in (
        (None, 5),
        (Exclusion("training prohibited: Contains PHI - HIPAA", "governance", "table tag PHI", "raw.scans"), 3),
        ("unlabeled: waiting for review", 22),
    ):
        ledger.add(words, pairs)
    assert ledger.summary() == {
        "total": 30,
        "exported": 5,
        "excluded": 25,
        "exclusions": [
            {"reason": "unlabeled: waiting for review", "count": 22, "rule": "", "source": "", "where": ""},
            {
                "reason": "training prohibited: Contains PHI - HIPAA",
                "count": 3,
                "rule": "governance",
                "source": "table tag PHI",
                "where": "raw.scans",
            },
        ],
    }


@settings(SLOW_MACHINE)
@given(st.lists(st.none() | st.sampled_from(["rejected", "flagged", "empty answer"])))
def test_counts_always_match(added: list[str | None]) -> None:
    ledger = Ledger()
    for words in added:
        ledger.add(words)
    summary = ledger.summary()
    assert summary["total"] == len(added) == summary["exported"] + summary["excluded"]
    assert summary["excluded"] == sum(entry["count"] for entry in summary["exclusions"])


def test_however_many_ways_there_are_to_be_malformed_they_are_few_exclusions() -> None:
    ledger = Ledger()
    for number in range(100):
        ledger.add(Exclusion(f"not a valid chat line: {number}", "chat", "messages"), example=f"pair {number}")
    found = ledger.summary()["exclusions"]
    assert (len(found), found[0]["count"], found[0]["pair_ids"][0]) == (21, 80, "pair 20")
