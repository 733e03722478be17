"""The journal: an action is decided and kept in one transaction of the default database, and then holds.

What a decision is judged by beside its pair is looked at before the transaction, which on SQLite keeps every other writer
waiting; as a rule it is remembered, and no statement goes to the lakehouse. Applying comes afterwards, in
`training.review.applying`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import uuid4

from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from governance.changing import UsesChange
from labels.opinions.due import waits_in_words
from labels.standing import Standing, standing_lately
from sheets.pictures import Picture, pictures_of_item, read_pictures
from templates_app.annotations import asks_for_annotations
from templates_app.changes import Change, as_stored, changes_between
from templates_app.schemas import checker, misfits
from templates_app.shapes import picture_faults
from training.answerers import as_answer
from training.chat import assistant_answer, with_answer
from training.models import ReviewAction, ReviewPair
from training.review.changed_since import other_label_known
from training.review.frames import Frame, frame_of, refuse_closed
from training.review.label_plans import WRITES
from training.review.states import CHANGED, LIMITED, LINK, place_of
from training.review.transitions import NEEDS_REASON, TRANSITIONS, after
from workbench.canonical import canonical_json, storing_faults
from workbench.problems import Conflict, Forbidden, Invalid, Problem

UNSAID: Any = object()
USES = "uses"
LONGEST_ID = 64
PicturesOf = Callable[[str, str], Sequence[Picture] | None]


@dataclass(frozen=True)
class Decision:
    """What a reviewer wants done with one pair.

    `action_id` makes a repeat harmless; `version` is that of the pair that the reviewer saw, None for the newest.
    `answer` is a JSON value or a text, for `edit` alone. `override` lets a reviewer act on what another holds or did.
    `undoes` is the action_id that an `undo` must find as the latest, where it matters which. `uses` is for the action
    "uses" alone, as `governance.changing.UsesChange.of` takes it; it and its undo need `may_change_uses`. `label_version`
    is that of the item's label which the reviewer saw, 0 for none; who `gives_opinions` may be kept from it.
    """

    pair_id: str
    action: str
    action_id: str = field(default_factory=lambda: str(uuid4()))
    version: int | None = None
    answer: Any = UNSAID
    reason: str = ""
    notes: str | None = None
    confidence: str = ""
    batch_id: str = ""
    override: bool = False
    undoes: str = ""
    uses: Mapping[str, Any] | None = None
    may_change_uses: bool = False
    may_loosen: bool = False
    label_version: int | None = None
    gives_opinions: bool = True


@dataclass(frozen=True)
class Basis:
    """What a decision is judged by beside its pair; no `pictures` where shapes lie on none, or none can be looked at now.

    `standing` is the label of the item as far as this machine knows it, which nothing is read for.
    """

    frame: Frame
    pictures: Sequence[Picture] | None = None
    standing: Standing | None = None


class StaleVersion(Conflict):
    """The pair changed since the reviewer saw it; `details` has it as it was seen, as it is, and what was wanted."""

    code = "stale_version"


class LabeledMeanwhile(StaleVersion):
    """The item has a label that the pair was not made from and the reviewer has not seen; `details` as for a stale version."""


def basis_of(decision: Decision, pictures: PicturesOf = pictures_of_item) -> Basis:
    """Return what the decision is judged by, which may be read from the lakehouse; NotFound for a pair that does not exist.

    `pictures` says from where the item's are: for one of many, `remembered_pictures` after `read_pictures_of`.
    """
    training_sheet_id, item_ref = place_of(decision.pair_id)
    frame = frame_of(training_sheet_id)
    basis = Basis(frame, standing=standing_lately(frame.sheet_id, frame.label_type, item_ref))
    if not _needs_pictures(decision, frame):
        return basis
    try:
        return replace(basis, pictures=pictures(frame.sheet_id, item_ref))
    except (DatabaseError, OSError, Problem):
        return basis


def read_pictures_of(decisions: Sequence[Decision]) -> None:
    """Have the pictures remembered by which the decisions are judged, in one query for each sheet."""
    places = ReviewPair.objects.filter(pk__in=[decision.pair_id for decision in decisions])
    by_pair = {key: place for key, *place in places.values_list("pk", "training_sheet_id", "item_ref")}
    by_sheet: dict[str, list[str]] = {}
    for decision in decisions:
        training_sheet_id, item_ref = by_pair.get(decision.pair_id, ("", ""))
        if item_ref and _needs_pictures(decision, frame := frame_of(training_sheet_id)):
            by_sheet.setdefault(frame.sheet_id, []).append(item_ref)
    for sheet_id, item_refs in by_sheet.items():
        # What cannot be looked at now is judged without.
        with suppress(DatabaseError, OSError, Problem):
            read_pictures(sheet_id, item_refs)


def _needs_pictures(decision: Decision, frame: Frame) -> bool:
    return decision.action in WRITES and asks_for_annotations(frame.output_schema)


def record(decision: Decision, *, actor: str, basis: Basis | None = None) -> ReviewAction:
    """Return the action, kept in the journal; the same `action_id` again returns the one of the first time.

    `basis` is for who opened a transaction around this one: by `basis_of`, before that.

    Invalid for an answer or reason that cannot be used, Conflict for a transition that is not allowed, a version that
    is no longer the newest, a pair that another holds, a training sheet that a model was trained on, or an `action_id`
    that was another action's; Forbidden to undo what another did, and to change uses without the right.
    """
    _expect_storable(decision)
    try:
        basis = basis or basis_of(decision)
        with transaction.atomic("default"):
            return _recorded(decision, actor, basis)
    except (IntegrityError, Problem):
        # The same action again, from a browser that was not sure: as a rule its pair has moved on by the first time.
        if done := _done(decision, actor):
            return done
        raise


def _expect_storable(decision: Decision) -> None:
    """Raise Invalid for what a database or JSON cannot keep."""
    said = {name: getattr(decision, name) for name in ("action_id", "batch_id", "answer", "reason", "notes")}
    faults = {name: storing_faults(value) for name, value in said.items() if value is not UNSAID}
    for name in ("action_id", "batch_id"):
        if (length := len(said[name])) > LONGEST_ID:
            faults[name].append(f"Found {length} characters: use at most {LONGEST_ID}.")
    if found := {name: words for name, words in faults.items() if words}:
        raise Invalid.of_fields("The action was not recorded.", found)


def _done(decision: Decision, actor: str) -> ReviewAction | None:
    found = ReviewAction.objects.select_related("pair").filter(action_id=decision.action_id).first()
    if found and (found.actor != actor or not _says_the_same(decision, found)):
        raise Conflict(
            f"This was sent before as {found.action} by {found.actor}, and said something else (action_id "
            f"{decision.action_id!r}). Look at the pair, then decide anew: each action needs an action_id of its own."
        )
    return found


def _says_the_same(decision: Decision, found: ReviewAction) -> bool:
    """Return whether the decision would have been kept as the action was; of the version seen nothing depends."""
    said = (decision.pair_id, decision.action, decision.reason.strip(), decision.confidence)
    if said != (found.pair_id, found.action, found.reason, found.confidence):
        return False
    if decision.action == "undo":
        return decision.undoes in ("", found.undoes.action_id if found.undoes else "")
    if decision.action == USES:
        change = UsesChange.of(decision.uses or {}, decision.reason).applied(found.before, may_loosen=True)
        return change is not None and found.before | change == found.after
    if _notes(decision, found.before["review_notes"]) != found.after["review_notes"]:
        return False
    if decision.action == "edit":
        text = canonical_json(_value(decision.answer, found.before["messages"], frame_of(found.training_sheet_id)))
        return text == assistant_answer(found.after["messages"])
    return True


def _recorded(decision: Decision, actor: str, basis: Basis) -> ReviewAction:
    # Locked on PostgreSQL; on SQLite the transaction itself is the only writer.
    pair = ReviewPair.objects.select_for_update().get(pk=decision.pair_id)
    _check_may(pair, decision, actor)
    undone = _to_undo(pair, decision, actor) if decision.action == "undo" else None
    limits = changes_uses(decision.action, undone)
    if not limits:
        refuse_closed(pair.training_sheet_id)
    before = _snapshot(pair, limited=limits)
    new = _undone(undone, before, limits) if undone else _after(pair, decision, actor, basis)
    changes = _changes(basis.frame, before, new)
    _write(pair, new, keep_holder=limits, relinks=(undone or decision).action in WRITES)
    if undone:
        ReviewAction.objects.filter(pk=undone.pk).update(undone=True)
    return ReviewAction.objects.create(
        action_id=decision.action_id,
        batch_id=decision.batch_id,
        pair=pair,
        training_sheet_id=pair.training_sheet_id,
        action=decision.action,
        actor=actor,
        reason=decision.reason.strip(),
        confidence=decision.confidence,
        pair_version=pair.version,
        before=before,
        after=new,
        changes=changes,
        undoes=undone,
    )


def _undone(undone: ReviewAction, before: Mapping[str, Any], limits: bool) -> dict[str, Any]:
    """Return status and state as they were before an action; of one about uses these alone, as an answer may have come since."""
    if not limits:
        return dict(undone.before)
    return {**before, **{name: undone.before[name] for name in LIMITED if name in undone.before}}


def changes_uses(action: str, undone: ReviewAction | None) -> bool:
    """Return whether an action is about uses: it may come whoever holds the pair, and after a model was trained on it."""
    return action == USES or bool(undone and undone.action == USES)


def _check_may(pair: ReviewPair, decision: Decision, actor: str) -> None:
    if decision.action == USES and not decision.may_change_uses:
        raise Forbidden("You may not change what pairs may be used for: ask for the permission to change uses.")
    if pair.is_held_by_another(actor) and not decision.override and decision.action != USES:
        raise Conflict(f"{pair.holder} has this pair on the screen: take another one, or wait a few minutes.")
    if decision.version is not None and decision.version != pair.version:
        raise _stale(pair, decision)
    if decision.action in NEEDS_REASON and not decision.reason.strip():
        raise Invalid.of_fields("The action was not recorded.", {"reason": [f"Say why: {decision.action} needs it."]})


def _stale(pair: ReviewPair, decision: Decision) -> StaleVersion:
    last = pair.actions.order_by("-id").first()
    since = pair.actions.filter(pair_version=(decision.version or 0) + 1)
    seen = since.values_list("before", flat=True).first()
    who = f" {last.actor} did {last.action} meanwhile." if last else ""
    problem = StaleVersion(
        f"The pair has version {pair.version}, you saw {decision.version}.{who} Look at both, then decide again."
    )
    theirs = {**_snapshot(pair, limited=decision.action == USES), "version": pair.version}
    problem.details = {"base": seen, "theirs": theirs, "mine": _mine(decision)}
    return problem


def _mine(decision: Decision) -> dict[str, Any]:
    answer = {} if decision.answer is UNSAID else {"answer": decision.answer}
    uses = {} if decision.uses is None else {"uses": dict(decision.uses)}
    return {"action": decision.action, "reason": decision.reason, **answer, **uses}


def _to_undo(pair: ReviewPair, decision: Decision, actor: str) -> ReviewAction:
    """Return the latest action that stands. Conflict where there is none, Forbidden where it is another's."""
    standing = pair.actions.filter(undone=False).exclude(action="undo").order_by("-id").first()
    if standing is None:
        raise Conflict("There is nothing to undo on this pair.")
    if decision.undoes and decision.undoes != standing.action_id:
        raise Conflict(f"The pair has changed since: {standing.action} by {standing.actor} comes first.")
    if standing.actor != actor and not decision.override:
        hint = ": reopen it instead." if pair.status in TRANSITIONS["reopen"][0] else "."
        raise Forbidden(f"The latest action is {standing.action} by {standing.actor}, who may undo it{hint}")
    if standing.action == USES and not decision.may_change_uses:
        raise Forbidden("The latest action changed uses: undoing it needs the permission to change uses.")
    return standing


def _snapshot(pair: ReviewPair, *, limited: bool = False) -> dict[str, Any]:
    limits = {name: pair.state.get(name, []) for name in LIMITED} if limited else {}
    return {"status": pair.status, **{name: pair.state[name] for name in CHANGED}, **limits}


def _after(pair: ReviewPair, decision: Decision, actor: str, basis: Basis) -> dict[str, Any]:
    """Return status and state after an action other than undo."""
    if decision.action == USES:
        return _limited(pair, decision)
    new = {**_snapshot(pair), "status": after(decision.action, pair.status)}
    new |= {"reviewed_by": actor, "reviewed_at": timezone.now().isoformat()}
    new["review_notes"] = _notes(decision, new["review_notes"])
    if decision.action in WRITES:
        text = _answer_text(pair, decision, basis)
        _expect_label_seen(pair, decision, actor, basis, text)
        new |= {"messages": with_answer(pair.state["messages"], text), "misfits": []}
    if decision.action == "reopen":
        new |= {"reviewed_by": "", "reviewed_at": None}
    return new


def _notes(decision: Decision, present: str) -> str:
    """Return the notes after the decision; the present ones stay where it says nothing."""
    if decision.notes is None and not decision.reason:
        return present
    return "\n".join(filter(None, (decision.reason.strip(), decision.notes)))


def _limited(pair: ReviewPair, decision: Decision) -> dict[str, Any]:
    """Return status and state with other uses. Conflict where they are so already."""
    before = _snapshot(pair, limited=True)
    changed = UsesChange.of(decision.uses or {}, decision.reason).applied(before, may_loosen=decision.may_loosen)
    if changed is None:
        raise Conflict("Uses and classification are so already: nothing changes.")
    return before | changed


def _answer_text(pair: ReviewPair, decision: Decision, basis: Basis) -> str:
    """Return the answer to approve, as text; Invalid for an empty one and for one that does not fit the schema."""
    if (decision.action == "edit") != (decision.answer is not UNSAID):
        words = "An edit needs the answer." if decision.action == "edit" else "Only an edit takes an answer."
        raise Invalid.of_fields("The action was not recorded.", {"answer": [words]})
    stored = assistant_answer(pair.state["messages"])
    given = decision.answer if decision.action == "edit" else stored
    if given is None or (isinstance(given, str) and not given.strip()):
        words = "The answer is empty, and an empty answer cannot be approved: write one, reject the pair or flag it."
        raise Invalid.of_fields("The action was not recorded.", {"answer": [words]})
    schema = basis.frame.output_schema
    value = _value(given, pair.state["messages"], basis.frame)
    faults = misfits(schema, value)
    if not faults and basis.pictures is not None:
        faults = picture_faults(schema, value, basis.pictures)
    if faults:
        raise Invalid.of_fields("The answer does not fit the template's output schema.", {"answer": faults})
    return canonical_json(value)


def _expect_label_seen(pair: ReviewPair, decision: Decision, actor: str, basis: Basis, text: str) -> None:
    """Raise Conflict where approving would write over a label that the reviewer did not see, as far as this machine knows."""
    other = other_label_known(pair, basis.standing)
    if other is None:
        return
    label = other.label
    if not label.may_be_seen(actor, gives_opinions=decision.gives_opinions):
        looking = f"{pair.item_ref} was labeled meanwhile: look at the pair again, then decide."
        raise Conflict(waits_in_words(pair.item_ref) if label.is_read else looking)
    theirs, mine = canonical_json(label.answer), as_answer(text, checker(basis.frame.output_schema))
    if label.version <= (decision.label_version or 0) or canonical_json(as_stored(mine, label.answer)) == theirs:
        return
    problem = LabeledMeanwhile(
        f"{label.by} labeled {pair.item_ref} meanwhile, with another answer, and approving writes over it: look at both on the "
        f"review screen, or send label_version {label.version} with what you decide."
    )
    shown = {**_snapshot(pair), "messages": with_answer(pair.state["messages"], theirs), "version": pair.version}
    more = {"label_version": label.version, "labeled_by": label.by, "reviewed_by": ""}
    problem.details = {"base": _snapshot(pair), "theirs": shown | more, "mine": _mine(decision)}
    raise problem


def _value(given: Any, messages: Sequence[Mapping[str, str]], frame: Frame) -> Any:
    """Return the answer that was given over that of the messages, as it is kept."""
    fits = checker(frame.output_schema)
    return as_stored(as_answer(given, fits), as_answer(assistant_answer(messages), fits))


def _changes(frame: Frame, before: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return how the answer changed, field by field; a missing answer is null."""
    fits = checker(frame.output_schema)
    old, now = (as_answer(assistant_answer(each["messages"]), fits) for each in (before, new))
    return changes_between(old, now)


def _write(pair: ReviewPair, new: Mapping[str, Any], *, keep_holder: bool, relinks: bool) -> None:
    """Make `new` the newest state of the pair and give it back, so that the next item can be taken."""
    pair.status, pair.version = new["status"], pair.version + 1
    # An approval may have it made from another label, or from another version: only the lakehouse knows then.
    kept = {name: value for name, value in pair.state.items() if not (relinks and name in LINK)}
    pair.state = {**kept, **{name: new[name] for name in (*CHANGED, *LIMITED) if name in new}}
    pair.waiting += 1
    if not keep_holder:
        pair.holder, pair.held_until = "", None
    cast(Any, pair).save(update_fields=["status", "version", "state", "waiting", "holder", "held_until"])
