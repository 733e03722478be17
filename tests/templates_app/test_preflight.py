"""What a preflight expects a generation to cost and take, and where it has that from."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from labels.actions import record_label
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from templates_app.preflight import preflight
from training.models import TrainingSheet


@pytest.fixture
def model(settings: Settings) -> Settings:
    settings.LLM_URL, settings.LLM_MODEL = "http://127.0.0.1:9/v1", "tiny"
    return settings


def ran(template: PromptTemplate, sheet: Sheet, seconds: int, **fields: Any) -> None:
    ended = timezone.now()
    usual = {"status": "review", "generation_config": {"model": "tiny"}, "statistics": {"generated": 6}}
    started = ended - timedelta(seconds=seconds)
    times = {"generation_started_at": started, "generation_completed_at": ended}
    TrainingSheet.objects.create(sheet=sheet, template=template, **times, **{**usual, **fields})


def test_offline_is_free_and_quick(published: PromptTemplate, boards: Sheet) -> None:
    found = preflight(published, boards)
    assert (found.cost, found.minutes, found.based_on) == (0.0, 0.0005, "at the usual pace of the offline drafter")


def test_a_price_makes_a_cost_of_prompts_and_answers(published: PromptTemplate, boards: Sheet, model: Any) -> None:
    assert preflight(published, boards).cost is None
    model.LLM_PRICE_PROMPT, model.LLM_PRICE_COMPLETION = Decimal(1), Decimal(10)
    found = preflight(published, boards)
    assert found.tokens > 60 and 3 < found.completion_tokens < 60  # as long as the template's example
    assert found.cost == pytest.approx((found.tokens + 10 * found.completion_tokens) / 1e6)


def test_minutes_come_from_the_latest_run_of_the_model(published: PromptTemplate, boards: Sheet, model: Any) -> None:
    assert preflight(published, boards).based_on == "not known until the model has answered"
    ran(published, boards, 60)
    ran(published, boards, 1, generation_config={"model": "other"})
    ran(published, boards, 1, status="failed")
    found = preflight(published, boards)
    assert (round(found.minutes or 0, 3), found.based_on[:22]) == (0.5, "as fast as the latest ")


def test_a_limit_counts_only_the_first_items(published: PromptTemplate, boards: Sheet, model: Any) -> None:
    label = {"sheet": boards, "label_type": published.label_type, "label_data": {}, "actor": "rosa"}
    for item_ref in ("a1", "c3"):
        record_label(item_ref=item_ref, **label)
    every, two = preflight(published, boards), preflight(published, boards, limit=2)
    assert (every.items, every.incompatible_labels, every.to_draft) == (3, 2, 1)
    assert (two.items, two.incompatible_labels, two.to_draft) == (2, 1, 1)


def test_where_no_model_is_asked_there_are_no_tokens(published: PromptTemplate, boards: Sheet, model: Any) -> None:
    found = preflight(published, boards, asks_model=False)
    assert (found.to_draft, found.tokens, found.completion_tokens, found.cost) == (3, 0, 0, 0.0)


def test_a_quota_that_is_slower_than_the_model_counts(published: PromptTemplate, boards: Sheet, model: Any) -> None:
    ran(published, boards, 60)
    model.LLM_RPM = 2
    found = preflight(published, boards)
    assert (found.minutes, found.based_on) == (1.5, "at the most: 2 calls a minute")
