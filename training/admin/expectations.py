"""What a generation will cost and take, as far as prices, jobs and the preflight tell."""

from __future__ import annotations

from dataclasses import dataclass

from templates_app.preflight import Preflight
from training.actions.generate import IN_REQUEST
from training.models import JobRun
from training.progress_bar import in_words

LATEST = 20


@dataclass(frozen=True)
class Expectation:
    """Cost and time in words, and what the time comes from; `time` is empty where nothing tells."""

    cost: str
    time: str
    basis: str


def expect(counts: Preflight) -> Expectation:
    """Return what drafting the counted items will cost and take."""
    if rate := _rate(counts.model):
        time, basis = in_words(counts.to_draft / rate), f"at the pace of the last job with {counts.model}"
    else:
        time, basis = "" if counts.minutes is None else in_words(60 * counts.minutes), counts.based_on
    return Expectation(_cost(counts), time, basis)


def _cost(counts: Preflight) -> str:
    if counts.cost is None:
        return "cost unknown: the price of the endpoint is not set"
    if not counts.cost:
        return "without cost"
    return f"and {counts.completion_tokens:,} of answers: ${counts.cost:,.2f}"


def _rate(model: str) -> float:
    """Return how many items a second the last long job with the model did; 0 where none has succeeded yet."""
    latest = JobRun.objects.filter(status=JobRun.Status.SUCCEEDED)[:LATEST]
    # A short one tells how long it takes to begin.
    long = (run for run in latest if run.progress.get("total", 0) > IN_REQUEST)
    rates = (run.result.get("rate") for run in long if run.result.get("model") == model)
    return next((float(rate) for rate in rates if rate), 0.0)
