"""An item held out for evaluation never reaches training or few-shot use, whichever label, pair or sheet it goes through."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.held_out import KEPT_FROM, held_out_limit, reserves
from governance.models import HeldOutItem, UsageConstraintAudit
from governance.uses import CLASSIFICATIONS, USES, gate
from labels.actions import record_label
from labels.held_out import held_out_of
from labels.models import CanonicalLabel
from labels.reserving import release, reserve
from sheets.actions import create_sheet
from sheets.alike import alike_of
from sheets.item_limits import withdrawn
from sheets.reading import rows_of
from sheets.restricting import restrict_sheet
from sheets.withdrawing import withdraw_item
from training.actions.export import open_export
from training.actions.generate import draft_examples
from training.exports.options import Options
from training.models import QAPair, TrainingSheet
from workbench.problems import Conflict, Invalid, NotFound

uses = st.lists(st.sampled_from(USES), unique=True)
rules = st.fixed_dictionaries(
    {"allowed_uses": uses, "prohibited_uses": uses, "data_classification": st.sampled_from(CLASSIFICATIONS)}
)
EVALUATION_ONLY = {"allowed_uses": ["evaluation", "testing"], "usage_reason": "Golden set"}


@pytest.fixture
def approved(boards: TrainingSheet) -> TrainingSheet:
    QAPair.objects.of(boards.pk).update(status="labeled")
    return boards


@settings(deadline=None)
@given(rules, rules)
def test_a_held_out_item_only_tightens(of_label: Any, of_pair: Any) -> None:
    label, pair = (SimpleNamespace(usage_reason="", **rule) for rule in (of_label, of_pair))
    free = gate(label=label, pair=pair)
    held = gate(label=label, pair=pair, held_out=[held_out_limit("hand")])
    assert held.allowed <= free.allowed and not held.allowed.intersection(KEPT_FROM)
    assert held.classification == free.classification


@settings(
    deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["a", "b"]), rules), max_size=8), st.sets(st.integers(0, 9))
)
def test_no_held_out_item_leaves_under_random_labels(approved: Any, of_labels: Any, by_hand: set[int]) -> None:
    refs = list(QAPair.objects.of(approved.pk).values_list("item_ref", flat=True)[:10])
    example, now = CanonicalLabel.objects.values()[0], timezone.now()
    CanonicalLabel.objects.filter(label_type__in=["a", "b"]).delete()
    HeldOutItem.objects.all().delete()
    made = {(refs[at], kind): rule for at, kind, rule in of_labels}
    CanonicalLabel.objects.bulk_create(
        CanonicalLabel(**example | {"id": f"{at}-made", "item_ref": ref, "label_type": kind, "created_at": now} | rule)
        for at, ((ref, kind), rule) in enumerate(made.items())
    )
    if by_hand:
        reserve(approved.sheet, [refs[at] for at in by_hand], "Random", actor="omar")
    held = {refs[at] for at in by_hand} | {ref for (ref, _), rule in made.items() if reserves(SimpleNamespace(**rule))}
    assert set(held_out_of(approved.sheet).by) == held
    pairs = QAPair.objects.of(approved.pk)
    for use in KEPT_FROM:
        left = set(pairs.permitted(use).values_list("item_ref", flat=True))
        assert left == set(pairs.values_list("item_ref", flat=True)) - held
    summary = open_export(approved, Options(), actor="omar", channel="api").run
    kept = {ref for block in summary.kept() for ref in block.pairs["item_ref"].to_pylist()}
    assert not kept & held
    assert not {example.item_ref for example in draft_examples(approved)} & held


def test_a_label_of_another_type_and_another_sheet_over_the_table_hold_it_out(approved: TrainingSheet) -> None:
    sheet, ref = approved.sheet, QAPair.objects.of(approved.pk)[0].item_ref
    again = {"name": "Again", "primary_table": sheet.primary_table, "join_keys": [sheet.item_ref_name]}
    other = create_sheet(again, actor="omar")
    record_label(sheet=other, item_ref=ref, label_type="severity", label_data={"x": 1}, actor="rosa", **EVALUATION_ONLY)
    (limit,) = held_out_of(sheet).on(ref)
    assert limit.words("training") == "training not allowed: held out, reserved by the label 'severity'"
    run = open_export(approved, Options(), actor="omar", channel="api").run
    assert ref not in {each for block in run.kept() for each in block.pairs["item_ref"].to_pylist()}
    assert "held out, reserved by the label 'severity'" in str(run.ledger.summary()["exclusions"])


def test_a_sheet_that_names_the_rows_by_another_column_holds_out_and_withdraws(
    approved: TrainingSheet, omar: User
) -> None:
    sheet, refs = approved.sheet, list(QAPair.objects.of(approved.pk).values_list("item_ref", flat=True)[:2])
    serials = {ref: row["board_serial"] for ref, row in rows_of(sheet, refs).items()}
    other = create_sheet(
        {"name": "Serials", "primary_table": sheet.primary_table, "join_keys": ["board_serial"]}, actor="omar"
    )
    looked = reserve(other, [serials[refs[0]]], "Golden set", actor="omar", preview=True)
    assert looked.leaving == [(approved.name, 1)]
    reserve(other, [serials[refs[0]]], "Golden set", actor="omar")
    withdraw_item(other, serials[refs[1]], "No consent", actor="omar")
    assert set(held_out_of(sheet).by) == set(held_out_of(sheet, refs).by) == {refs[0]}
    assert set(withdrawn(alike_of(sheet), refs)) == {refs[1]}
    assert not QAPair.objects.of(approved.pk).permitted("training").filter(item_ref__in=refs).exists()
    reasons = str(open_export(approved, Options(), actor="omar", channel="api").run.ledger.summary()["exclusions"])
    assert "reserved by hand: 'Golden set'" in reasons and "item withdrawn: No consent" in reasons
    restrict_sheet(other, [{"user": "omar"}], actor="omar")
    assert held_out_of(sheet).by[refs[0]] == "another sheet"


def test_reserving_and_releasing_are_audited_and_take_a_reason(approved: TrainingSheet) -> None:
    sheet, ref = approved.sheet, QAPair.objects.of(approved.pk)[0].item_ref
    looked = reserve(sheet, [ref], "Golden set", actor="omar", preview=True)
    assert (looked.changed, looked.leaving) == ([ref], [(approved.name, 1)]) and not HeldOutItem.objects.exists()
    reserve(sheet, [ref], "Golden set", actor="omar")
    assert reserve(sheet, [ref], "Golden set", actor="omar").changed == []
    assert QAPair.objects.of(approved.pk).permitted("training").filter(item_ref=ref).count() == 0
    release(sheet, [ref], "Set is retired", actor="omar")
    said = list(UsageConstraintAudit.objects.order_by("sequence").values_list("subject", "reason"))[-2:]
    assert said == [
        (f"sheet {sheet.pk} item {ref}", "Reserved for evaluation: Golden set"),
        (f"sheet {sheet.pk} item {ref}", "Released from the held-out set: Set is retired"),
    ]
    for call, problem in (
        (lambda: reserve(sheet, [ref], " ", actor="omar"), Invalid),
        (lambda: reserve(sheet, [ref], "x", use="training", actor="omar"), Invalid),
        (lambda: reserve(sheet, [ref, "nothing"], "x", actor="omar"), NotFound),
        (lambda: release(sheet, [ref], "x", actor="omar"), Conflict),
    ):
        with pytest.raises(problem):
            call()


def test_it_is_asked_once_for_a_whole_sheet(approved: TrainingSheet, django_assert_num_queries: Any) -> None:
    sheet = approved.sheet
    with django_assert_num_queries(2, using="lakehouse"):
        held_out_of(sheet)
