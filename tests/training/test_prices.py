"""What tokens cost, as far as it is known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from templates_app.prices import cost_of
from workbench.env import env_price


def test_tokens_cost_their_price_for_a_million(settings: Any) -> None:
    settings.LLM_PRICE_PROMPT, settings.LLM_PRICE_COMPLETION = Decimal("0.15"), Decimal("0.60")
    assert cost_of(2_000_000, 500_000) == Decimal("0.60")


def test_a_price_that_matters_and_is_not_known_makes_no_cost(settings: Any) -> None:
    settings.LLM_PRICE_PROMPT, settings.LLM_PRICE_COMPLETION = Decimal(1), None
    assert cost_of(1_000_000, 1) is None
    assert cost_of(1_000_000, 0) == 1
    assert cost_of(0, 0) == 0


@pytest.mark.parametrize("text", ["free", "-1", "1,5", "1e3", "NaN"])
def test_a_price_is_a_plain_number(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("WORKBENCH_LLM_PRICE_PROMPT", text)
    with pytest.raises(ImproperlyConfigured, match=f"WORKBENCH_LLM_PRICE_PROMPT='{text}' is not accepted"):
        env_price("WORKBENCH_LLM_PRICE_PROMPT")
