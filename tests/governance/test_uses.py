from __future__ import annotations

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.uses import CLASSIFICATIONS, USES, Limit, TagRule, decide, validate_uses
from governance.uses import tag_limit as tag_limit_under
from governance.uses import unread_limit as unread_limit_under

# The first text drawn on a machine builds tables, which on a busy one looks like a slow test.
SLOW_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

uses = st.frozensets(st.sampled_from(USES))
limits = st.builds(
    Limit,
    source=st.sampled_from(["pair", "sheet", "canonical label", "table tag PHI"]),
    reason=st.sampled_from(["", "Contains PHI - HIPAA", "Client NDA"]),
    allowed=st.none() | uses,
    prohibited=uses,
    classification=st.none() | st.sampled_from(CLASSIFICATIONS),
)
PERSONAL = TagRule(frozenset({"training", "validation"}), "restricted")
POLICY = {
    "PII": PERSONAL,
    "PHI": PERSONAL,
    "CONFIDENTIAL": TagRule(frozenset({"few_shot", "evaluation"}), "confidential"),
}
tag_limit, unread_limit = partial(tag_limit_under, policy=POLICY), partial(unread_limit_under, policy=POLICY)
PHI = Limit("canonical label", "Contains PHI - HIPAA", prohibited=frozenset({"training", "validation"}))


def test_a_new_pair_may_be_used_for_all_five() -> None:
    assert decide([]).allowed == frozenset(USES)
    assert decide([Limit("pair")]).why_not("training") == ""


def test_the_reason_of_the_label_is_the_words_of_the_exclusion() -> None:
    decision = decide([tag_limit("table", "c.s.t", "PHI") or Limit("x"), PHI])
    assert decision.why_not("training") == "training prohibited: Contains PHI - HIPAA"
    assert [limit.source for limit in decision.provenance["training"]] == ["canonical label", "table tag PHI"]
    assert decision.classification == "restricted"


def test_without_a_reason_the_words_name_the_source() -> None:
    tag = tag_limit("table", "c.s.t", "classification", "phi")
    assert tag is not None and tag.where == "c.s.t"
    assert decide([tag]).why_not("training") == "training prohibited, table tag classification=phi"
    held_out = Limit("pair", allowed=frozenset({"evaluation"}))
    assert decide([held_out]).why_not("training") == "training not allowed by the pair"


@pytest.mark.parametrize(("key", "value"), [("PHI", ""), ("phi", None), ("data", "Pii"), (" PII ", "x")])
def test_a_personal_tag_counts_by_key_or_value_in_any_case(key: str, value: str | None) -> None:
    tag = tag_limit("column", "c.s.t.dob", key, value)
    assert tag is not None and tag.prohibited == {"training", "validation"} and tag.classification == "restricted"


def test_confidential_keeps_training_and_other_tags_mean_nothing() -> None:
    tag = tag_limit("volume", "c.s.v", "confidential")
    assert tag is not None and decide([tag]).allowed == {"training", "validation", "testing"}
    assert tag_limit("table", "c.s.t", "team", "imaging") is None


def test_a_key_and_a_value_that_both_mean_something_count_both() -> None:
    tag = tag_limit("table", "c.s.t", "CONFIDENTIAL", "PHI")
    assert tag is not None and tag.prohibited == set(USES) - {"testing"} and tag.classification == "restricted"


@pytest.mark.parametrize(
    ("allowed", "prohibited", "words"),
    [
        (["trainig"], [], "Unknown use 'trainig'. Allowed: training, .* Did you mean 'training'"),
        (["training"], ["training"], "Both allowed and prohibited: training"),
        (["testing", "testing"], [], "Named twice in allowed uses: testing"),
    ],
)
def test_wrong_uses_are_named(allowed: list[str], prohibited: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        validate_uses(allowed, prohibited)


def test_an_unknown_classification_or_use_is_never_taken_as_permission() -> None:
    with pytest.raises(ValueError, match="Unknown data classification 'secret'"):
        decide([Limit("pair", classification="secret")])
    with pytest.raises(ValueError, match="Unknown use 'train'"):
        decide([]).permits("train")


@settings(SLOW_MACHINE)
@given(st.lists(limits, max_size=6), limits)
def test_another_limit_never_loosens(rules: list[Limit], another: Limit) -> None:
    before, after = decide(rules), decide([*rules, another])
    assert after.allowed <= before.allowed and after.prohibited >= before.prohibited
    assert CLASSIFICATIONS.index(after.classification) >= CLASSIFICATIONS.index(before.classification)


@settings(SLOW_MACHINE)
@given(st.lists(limits, max_size=5).flatmap(lambda rules: st.tuples(st.just(rules), st.permutations(rules))))
def test_the_order_of_limits_does_not_matter(pair: tuple[list[Limit], list[Limit]]) -> None:
    assert decide(pair[0]) == decide(pair[1])


@settings(SLOW_MACHINE)
@given(st.lists(limits, max_size=6), st.sampled_from(USES))
def test_every_use_is_permitted_or_has_words(rules: list[Limit], use: str) -> None:
    decision = decide(rules)
    assert decision.permits(use) == (decision.why_not(use) == "") == (use not in decision.provenance)


def test_tags_that_could_not_be_read_limit_as_every_tag_together() -> None:
    unread = decide([unread_limit("table", "c.s.t", "no right")])
    every = decide([limit for word in POLICY if (limit := tag_limit("table", "c.s.t", word))])
    assert (
        (unread.allowed, unread.classification) == (every.allowed, every.classification) == ({"testing"}, "restricted")
    )
    assert unread.why_not("few_shot") == "few_shot prohibited: tags of c.s.t could not be read: no right"
