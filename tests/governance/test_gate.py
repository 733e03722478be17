"""The gate for one pair and the gate as a filter are one rule; a further rule never loosens either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.models import TagPolicy
from governance.uses import CLASSIFICATIONS, USES, gate
from labels.held_out import held_out_of
from labels.models import CanonicalLabel
from sheets import source_uses
from sheets.models import Sheet
from training.models import QAPair, TrainingSheet

uses = st.lists(st.sampled_from(USES), unique=True)
rules = st.fixed_dictionaries(
    {"allowed_uses": uses, "prohibited_uses": uses, "data_classification": st.sampled_from(CLASSIFICATIONS)}
)
labels = st.lists(rules, min_size=1, max_size=5)
# Each pair with its own rule and the label that it points at: one of them, one that is gone, or none.
pairs = st.lists(st.tuples(rules, st.integers(-1, 4)), min_size=1, max_size=25)
Make = Callable[..., TrainingSheet]


@pytest.fixture
def made(boards: TrainingSheet) -> Make:
    """Makes a training sheet of pairs with these rules, under labels and a sheet with theirs."""
    example = QAPair.objects.filter(canonical_label=None).values()[0]
    label = CanonicalLabel.objects.values()[0]

    def make(rules_of_pairs: Any, rules_of_labels: Any, rule_of_sheet: Any) -> TrainingSheet:
        now, sheet = timezone.now(), Sheet.objects.get(pk=boards.sheet_id)
        new = TrainingSheet.objects.create(name="x", sheet=sheet, template_id=boards.template_id, created_by="rosa")
        kept = [
            CanonicalLabel(**label | {"id": str(uuid4()), "item_ref": str(uuid4())} | rule) for rule in rules_of_labels
        ]
        CanonicalLabel.objects.bulk_create(kept)
        of = {at: each.pk for at, each in enumerate(kept)} | {-1: None}
        QAPair.objects.bulk_create(
            QAPair(
                **example
                | {"id": str(uuid4()), "training_sheet_id": new.pk, "position": at, "created_at": now}
                | {"canonical_label_id": of.get(link, "gone"), "item_ref": f"{new.pk} {at % 5}"}
                | rule
            )
            for at, (rule, link) in enumerate(rules_of_pairs)
        )
        Sheet.objects.filter(pk=sheet.pk).update(**rule_of_sheet)
        return new

    return make


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(pairs, labels, rules, st.sampled_from([None, "PHI", "classification=confidential"]))
def test_filter_and_function_agree(
    made: Make, sql: Any, of_pairs: Any, of_labels: Any, of_sheet: Any, tag: str | None
) -> None:
    training_sheet = made(of_pairs, of_labels, of_sheet)
    sheet = Sheet.objects.get(pk=training_sheet.sheet_id)
    key, _, value = (tag or "PHI").partition("=")
    if tag:
        sql(f"ALTER TABLE {sheet.primary_table} SET TAGS ('{key}' = '{value}')")
    limits = source_uses.limits_of(sheet)
    read = list(QAPair.objects.of(training_sheet.pk))
    kept = CanonicalLabel.objects.in_bulk({pair.canonical_label_id for pair in read if pair.canonical_label_id})
    held_out = held_out_of(sheet)
    decisions = {
        pair.pk: gate(
            limits, label=kept.get(str(pair.canonical_label_id)), pair=pair, held_out=held_out.on(pair.item_ref)
        )
        for pair in read
    }
    for use in USES:
        found = set(QAPair.objects.of(training_sheet.pk).permitted(use).values_list("pk", flat=True))
        assert found == {key for key, decision in decisions.items() if decision.permits(use)}
    if tag:
        sql(f"ALTER TABLE {sheet.primary_table} UNSET TAGS ('{key}')")


def rule(**changes: Any) -> dict[str, Any]:
    return {
        "allowed_uses": [*USES],
        "prohibited_uses": [],
        "usage_reason": "",
        "data_classification": "public",
        **changes,
    }


class Rule:
    def __init__(self, given: dict[str, Any]) -> None:
        vars(self).update(rule(**given))


@settings(deadline=None)
@given(rules, rules, rules)
def test_each_of_sheet_label_and_pair_only_tightens(of_sheet: Any, of_label: Any, of_pair: Any) -> None:
    sheet, label, pair = Rule(of_sheet), Rule(of_label), Rule(of_pair)
    whole = gate(sheet=sheet, label=label, pair=pair)
    for fewer in (gate(sheet=sheet), gate(label=label, pair=pair), gate(sheet=sheet, pair=pair), gate()):
        assert whole.allowed <= fewer.allowed
        assert CLASSIFICATIONS.index(whole.classification) >= CLASSIFICATIONS.index(fewer.classification)


def test_the_gate_says_which_rule_forbids() -> None:
    sheet, label = (
        Rule({"prohibited_uses": ["training"], "usage_reason": "Held out"}),
        Rule({"allowed_uses": ["testing"]}),
    )
    decision = gate(sheet=sheet, label=label)
    assert [limit.source for limit in decision.provenance["training"]] == ["sheet", "canonical label"]
    assert decision.why_not("training") == "training prohibited: Held out"
    assert decision.why_not("few_shot") == "few_shot not allowed by the canonical label"


def test_the_filter_asks_each_sheet_once(boards: TrainingSheet, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(8, using="lakehouse"):
        assert QAPair.objects.permitted("training").count() == 50
    TagPolicy.objects.all().delete()
    with pytest.raises(ValueError, match="Unknown use"):
        QAPair.objects.permitted("trainig")
