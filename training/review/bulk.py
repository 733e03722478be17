"""One decision about many pairs: what it will do to how many is said first, and all of it can be taken back as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Max, Min

from training.actions.review import review_many, undo_batch
from training.chat import assistant_answer
from training.models import ReviewAction, ReviewPair
from training.review.journal import Decision, LabeledMeanwhile
from training.review.listing import answer_in_words
from training.review.states import know
from training.review.transitions import NEEDS_REASON, STATUS_WORDS, TRANSITIONS
from workbench.lakehouse.ids import uuid5_of
from workbench.problems import Invalid, Problem

MOST = 1_000
# Batches that are offered to be taken back.
LATEST = 3
DONE = {"approve": "approved", "reject": "rejected", "flag": "flagged", "reopen": "reopened", "undo": "undone"}


@dataclass(frozen=True)
class Bulk:
    """A verb for many pairs, each in the version that was looked at."""

    verb: str
    versions: Mapping[str, int]
    batch_id: str
    reason: str = ""

    @property
    def needs_reason(self) -> bool:
        return self.verb in NEEDS_REASON

    @property
    def pairs_text(self) -> str:
        """The pairs with their versions, as the form of the preview holds them."""
        return " ".join(f"{key}:{version}" for key, version in self.versions.items())

    def decisions(self) -> list[Decision]:
        """Return one decision for each pair, with ids that follow from the batch: sent twice it happens once."""
        return [
            Decision(key, self.verb, uuid5_of(self.batch_id, key), version, reason=self.reason, batch_id=self.batch_id)
            for key, version in self.versions.items()
        ]


@dataclass(frozen=True)
class Outcome:
    """How many pairs a verb was done to, and why it was refused for how many; or what would be.

    `why` says it for each pair that is refused, by its key.
    """

    verb: str
    done: int
    refused: Mapping[str, int]
    why: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """As in "38 approved, 3 refused: 2 no answer, 1 held by ana"."""
        said = f"{self.done:,} {DONE[self.verb]}"
        if not self.refused:
            return said
        why = ", ".join(f"{count:,} {words}" for words, count in self.refused.items())
        return f"{said}, {sum(self.refused.values()):,} refused: {why}"


@dataclass(frozen=True)
class Batch:
    """Decisions that were made as one, of which `standing` were not taken back."""

    batch_id: str
    action: str
    standing: int
    made_at: datetime

    @property
    def words(self) -> str:
        return f"{DONE.get(self.action, 'uses changed').capitalize()} {self.standing:,}"


def bulk_of(verb: str, keys: Iterable[str], batch_id: str) -> Bulk:
    """Return the verb for the pairs as they are now; Invalid for a verb that is not for many."""
    if verb not in TRANSITIONS or verb == "edit":
        raise Invalid(f"There is no {verb!r} for many pairs: use approve, reject, flag or reopen.")
    wanted = list(keys)
    know(wanted)
    versions = dict(ReviewPair.objects.filter(pk__in=wanted).values_list("pk", "version"))
    return Bulk(verb, {key: versions[key] for key in wanted if key in versions}, batch_id)


def preview(bulk: Bulk, *, actor: str) -> Outcome:
    """Return what would happen; a reason that is still to be given refuses nothing."""
    words = bulk.reason or ("to be said" if bulk.needs_reason else "")
    return _done(Bulk(bulk.verb, bulk.versions, bulk.batch_id, words), actor, dry_run=True)


def carry_out(bulk: Bulk, *, actor: str) -> Outcome:
    """Do it and return what happened. Invalid without the reason that the verb needs."""
    if bulk.needs_reason and not bulk.reason.strip():
        raise Invalid(f"Say why: {bulk.verb} needs a reason.")
    return _done(bulk, actor, dry_run=False)


def named(bulk: Bulk, outcome: Outcome) -> list[tuple[str, str, str]]:
    """Return the item, answer and refusal, if any, of each pair of the batch."""
    pairs = ReviewPair.objects.in_bulk(list(bulk.versions))
    return [
        (pairs[key].item_ref, answer_in_words(pairs[key].state["messages"]), outcome.why.get(key, ""))
        for key in bulk.versions
    ]


def take_back(batch_id: str, *, actor: str, **rights: bool) -> Outcome:
    """Undo all of a batch, as far as nothing came after it; NotFound where nobody made it."""
    done, refused = undo_batch(batch_id, actor=actor, **rights)
    return Outcome("undo", len(done), Counter(problem.message for _, problem in refused))


def latest_batches(training_sheet_id: str, *, actor: str) -> list[Batch]:
    """Return the actor's latest batches over the training sheet of which something stands, the newest first."""
    made = ReviewAction.objects.filter(training_sheet_id=training_sheet_id, actor=actor, undone=False)
    found = made.exclude(batch_id="").exclude(action="undo").order_by().values("batch_id")
    counted = found.annotate(first=Min("action"), count=Count("pk"), at=Max("created_at"), last=Max("pk"))
    return [Batch(row["batch_id"], row["first"], row["count"], row["at"]) for row in counted.order_by("-last")[:LATEST]]


def _done(bulk: Bulk, actor: str, *, dry_run: bool) -> Outcome:
    done, refused = review_many(bulk.decisions(), actor=actor, dry_run=dry_run)
    known = ReviewPair.objects.in_bulk([decision.pair_id for decision, _ in refused])
    why = {decision.pair_id: _why(known[decision.pair_id], decision, problem, actor) for decision, problem in refused}
    return Outcome(bulk.verb, len(done), dict(Counter(why.values()).most_common()), why)


def _why(pair: ReviewPair, decision: Decision, problem: Problem, actor: str) -> str:
    if pair.is_held_by_another(actor):
        return f"held by {pair.holder}"
    if pair.version != decision.version:
        return "changed meanwhile"
    if pair.status not in TRANSITIONS[decision.action][0]:
        return f"{STATUS_WORDS[pair.status]} already"
    if isinstance(problem, LabeledMeanwhile):
        return "labeled meanwhile"
    if "answer" in problem.fields:
        return "no answer" if not assistant_answer(pair.state["messages"]) else "does not fit the schema"
    return problem.message
