"""Which pairs are looked at: the filters that list, queue, saved views and API share, with the journal laid over the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Max, Q

from governance.sensitive.detectors import KINDS
from training.models import QAPair, ReviewPair
from training.querysets import QAPairQuerySet
from workbench.canonical import canonical_json

PROBLEMS = {"misfit": "does not fit the schema", "error": "no answer could be drafted"}
Fits = Callable[[Any], bool]


@dataclass(frozen=True)
class PairFilters:
    """What a reader wants to see; empty values ask for nothing. Confidences are from 0 to 1."""

    status: tuple[str, ...] = ()
    below: float | None = None
    above: float | None = None
    problem: str = ""
    mode: str = ""
    model: str = ""
    reviewer: str = ""
    mine: bool = False
    older: bool = False
    text: str = ""
    reason: str = ""
    since: datetime | None = None
    finding: str = ""

    @property
    def query(self) -> dict[str, Any]:
        """The filters as parameters of a URL, those that ask for something."""
        asked = {name: value for name, value in asdict(self).items() if value not in ("", None, False, ())}
        return {name: _text(value) for name, value in asked.items()}

    @property
    def more(self) -> dict[str, Any]:
        """All but the status, which the screens show apart."""
        return replace(self, status=()).query

    @property
    def is_detailed(self) -> bool:
        """Whether it asks for something that is asked for rarely."""
        return bool(self.more.keys() & {"mode", "model", "reviewer", "mine", "older", "reason", "since", "finding"})

    @property
    def lasts(self) -> bool:
        """Whether no decision has a pair fit, or fit no more."""
        return not self.older and not any(_changing(self, "anybody"))

    @property
    def words(self) -> list[str]:
        """What the filters but the status say."""
        said: Mapping[str, str] = {
            "below": f"confidence below {self.below}",
            "above": f"confidence from {self.above}",
            "problem": PROBLEMS.get(self.problem, ""),
            "mode": f"answer {self.mode.replace('_', ' ')}",
            "model": f"model {self.model}",
            "reviewer": f"reviewed by {self.reviewer}",
            "mine": "reviewed by me",
            "older": "label changed since",
            "text": f"text “{self.text}”",
            "reason": f"reason “{self.reason}”",
            "finding": f"{KINDS.get(self.finding, self.finding)} found",
            "since": f"changed since {self.since:%Y-%m-%d %H:%M}" if self.since else "",
        }
        return [words for name, words in said.items() if name in self.more]


def matching(training_sheet_id: str, filters: PairFilters, *, reader: str) -> QAPairQuerySet:
    """Return the pairs of the training sheet that fit as review left them: what waits in the journal counts as applied."""
    pairs = QAPair.objects.filter(_lasting(filters), training_sheet_id=training_sheet_id)
    if filters.older:
        pairs = pairs.from_older_labels()
    if filters.finding:
        pairs = pairs.with_finding(filters.finding)
    changing = list(_changing(filters, reader))
    if not changing:
        return pairs
    waiting = ReviewPair.objects.ahead().filter(training_sheet_id=training_sheet_id)
    here: list[str] = []
    elsewhere: list[str] = []
    for pair in waiting.annotate(changed_at=Max("actions__created_at")):
        (here if all(fits(pair) for _, fits in changing) else elsewhere).append(pair.pk)
    stored = Q(*(condition for condition, _ in changing))
    return pairs.filter(stored | Q(pk__in=here)).exclude(pk__in=elsewhere)


def _lasting(filters: PairFilters) -> Q:
    """The conditions on what no review changes."""
    found = Q()
    if filters.below is not None:
        found &= Q(ai_confidence__lt=filters.below)
    if filters.above is not None:
        found &= Q(ai_confidence__gte=filters.above)
    if filters.problem == "error":
        found &= ~Q(error="")
    if filters.mode:
        found &= Q(labeling_mode=filters.mode)
    if filters.model:
        found &= Q(model=filters.model)
    return found


def _changing(filters: PairFilters, reader: str) -> Iterator[tuple[Q, Fits]]:
    """The conditions on what review changes: for the lakehouse, and for a pair that is ahead of it."""
    if filters.status:
        yield Q(status__in=filters.status), lambda pair: pair.status in filters.status
    if filters.problem == "misfit":
        yield Q(misfits__len__gt=0), lambda pair: bool(pair.state["misfits"])
    for name in {filters.reviewer, reader if filters.mine else ""} - {""}:
        yield Q(reviewed_by=name), _is_by(name)
    if words := filters.reason:
        yield Q(review_notes__icontains=words), lambda pair: words.lower() in pair.state["review_notes"].lower()
    if text := filters.text:
        said = Q(item_ref__icontains=text) | Q(messages__icontains=text)
        yield said, lambda pair: text.lower() in f"{pair.item_ref}{canonical_json(pair.state['messages'])}".lower()
    if since := filters.since:
        yield Q(updated_at__gte=since), lambda pair: pair.changed_at >= since


def _text(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return "yes" if value is True else str(value)


def _is_by(name: str) -> Fits:
    return lambda pair: pair.state["reviewed_by"] == name
