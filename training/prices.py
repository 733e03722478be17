"""What tokens cost."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings

MILLION = 1_000_000


def cost_of(prompt_tokens: int, completion_tokens: int) -> Decimal | None:
    """Return US dollars at the prices of the settings; None where a price that matters is not known."""
    prices = ((prompt_tokens, settings.LLM_PRICE_PROMPT), (completion_tokens, settings.LLM_PRICE_COMPLETION))
    if any(tokens and price is None for tokens, price in prices):
        return None
    return sum((price * tokens / MILLION for tokens, price in prices if price), Decimal(0))
