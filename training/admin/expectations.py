"""What a generation will cost and take, as far as prices and earlier jobs tell."""

from __future__ import annotations

from dataclasses import dataclass

from templates_app.models import PromptTemplate
from templates_app.preflight import Preflight
from training.models import JobRun
from training.prices import cost_of
from training.progress_bar import in_words

LATEST = 20


@dataclass(frozen=True)
class Expectation:
    """Cost and time in words; `time` is empty where no job with the model has succeeded yet."""

    cost: str
    time: str


def expect(counts: Preflight, template: PromptTemplate) -> Expectation:
    """Return what drafting the counted items will cost and take."""
    return Expectation(_cost(counts, template), _time(counts))


def _cost(counts: Preflight, template: PromptTemplate) -> str:
    if counts.cost == 0:
        return "without cost"
    least = cost_of(counts.tokens, 0)
    # How long the answers will be is not known; max_tokens is what they cannot exceed.
    most = cost_of(counts.tokens, counts.to_draft * template.max_tokens)
    if least is None or most is None:
        return "cost unknown: the price of the endpoint is not set"
    return f"${least:,.2f} for the prompts, at most ${most:,.2f} with the answers"


def _time(counts: Preflight) -> str:
    latest = JobRun.objects.filter(status=JobRun.Status.SUCCEEDED)[:LATEST]
    rates = (run.result.get("rate") for run in latest if run.result.get("model") == counts.model)
    rate = next((rate for rate in rates if rate), None)
    return in_words(counts.to_draft / rate) if rate else ""
