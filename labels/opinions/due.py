"""Which items wait for an expert's second opinion; until it is given, that expert is shown nothing of the first one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any

from labels.history import answered_by, changes_uses_alone, version_id
from labels.models import CanonicalLabel, CanonicalLabelVersion, LabelOpinion, SecondOpinion
from labels.opinions.rules import is_chosen, rule_of
from labels.standing import Standing, is_asked_known, remember_asked, remember_standing
from sheets.models import Sheet
from workbench.problems import Conflict

GIVE = "labels.add_labelopinion"
CHUNK = 500


def due_refs(sheet: Sheet, label_type: str, item_refs: Collection[str], *, actor: str) -> set[str]:
    """Return those of the items that are labeled by others, chosen for a second opinion, and have none yet."""
    rule = rule_of(sheet, label_type)
    chosen = [ref for ref in item_refs if rule and is_chosen(rule, ref)]
    if not chosen:
        return set()
    labels = CanonicalLabel.objects.filter(sheet_id=sheet.pk, label_type=label_type, item_ref__in=chosen)
    return {label.item_ref for label in _open(labels, actor)}


def blind_labels(labels: Iterable[CanonicalLabel], user: Any) -> set[str]:
    """Return the keys of those labels that the user may yet give a second opinion on; one statement where there are none."""
    if not user.has_perm(GIVE):
        return set()
    among = list(labels)
    tasks = {(label.sheet_id, label.label_type) for label in among}
    rules = _rules(tasks) if tasks else {}
    chosen = [label for label in among if (rule := rules.get(_task(label))) and is_chosen(rule, label.item_ref)]
    return {label.pk for label in _open(chosen, user.get_username())}


def blind_of_sheet(sheet: Sheet, user: Any) -> frozenset[str]:
    """Return the keys of the sheet's labels that the user may yet give a second opinion on, by a few statements."""
    if not user.has_perm(GIVE):
        return frozenset()
    return frozenset(label.pk for label in _open(_chosen([sheet.pk]), user.get_username()))


def due_items(sheet_ids: Collection[str], user: Any) -> dict[tuple[str, str], set[str]]:
    """Return the items that wait for the user's second opinion by sheet and label type; one statement where nobody asked."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    if user.has_perm(GIVE):
        for label in _open(_chosen(sheet_ids), user.get_username()):
            found[_task(label)].add(label.item_ref)
    return found


def is_blind(sheet: Sheet, label_type: str, item_ref: str, user: Any) -> bool:
    """Return whether the user may yet give the second opinion on the item."""
    return user.has_perm(GIVE) and bool(due_refs(sheet, label_type, [item_ref], actor=user.get_username()))


def expect_open(sheet: Sheet, label_type: str, item_ref: str, user: Any) -> None:
    """Raise Conflict where the user may yet give the second opinion on the item, and so neither see nor write its label."""
    if is_blind(sheet, label_type, item_ref, user):
        raise Conflict(waits_in_words(item_ref))


def waits_in_words(item_ref: str) -> str:
    """Return the message for an expert whose second opinion is pending: the label stays hidden until it is given."""
    return (
        f"{item_ref} waits for a second opinion, which may be yours: give it first, by POST /api/v1/label-opinions or on "
        "the labeling screen. Until then its label is neither shown to you nor changed by you."
    )


def _chosen(sheet_ids: Collection[str]) -> list[CanonicalLabel]:
    """Return the labels of the sheets that a second expert answers too, with their names alone."""
    rules = SecondOpinion.objects.filter(sheet_id__in=sheet_ids, share__gt=0)
    return [
        label
        for rule in rules
        for label in CanonicalLabel.objects.filter(sheet_id=rule.sheet_id, label_type=rule.label_type)
        .only("sheet_id", "label_type", "item_ref", "version", "labeled_by", "last_modified_by")
        .iterator()
        if is_chosen(rule, label.item_ref)
    ]


def _rules(tasks: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], SecondOpinion]:
    rules = SecondOpinion.objects.filter(sheet_id__in={sheet_id for sheet_id, _ in tasks}, share__gt=0)
    return {_task(rule): rule for rule in rules}


def _task(row: CanonicalLabel | SecondOpinion) -> tuple[str, str]:
    return row.sheet_id, row.label_type


def _open(labels: Iterable[CanonicalLabel], actor: str) -> list[CanonicalLabel]:
    """Return those of the labels that are others' alone and have no second opinion yet."""
    others = [label for label in labels if label.labeled_by != actor]
    if not others:
        return []
    answered = _answered(others)
    known = known_to(others, actor)
    return [label for label in others if label.pk not in known and (*_task(label), label.item_ref) not in answered]


def known_to(labels: Collection[CanonicalLabel], actor: str) -> set[str]:
    """Return the keys of those labels whose answer the actor knows: who wrote a version, unless it changed uses alone."""
    return {key for key, names in _who_knows(labels, modified_by=actor).items() if actor in names}


def read_standing(sheet_id: str, label_type: str, item_refs: Collection[str]) -> None:
    """Have it remembered which labels stand for the items: one statement as a rule, and a few more where some have one."""
    found = CanonicalLabel.objects.filter(sheet_id=sheet_id, label_type=label_type, item_ref__among=list(item_refs))
    labels = {label.item_ref: label for label in found.order_by()}
    task, rule = (sheet_id, label_type), None
    if labels or not is_asked_known(*task):
        rule = _rules({task}).get(task)
        remember_asked(*task, rule is not None)
    chosen = [label for label in labels.values() if rule and is_chosen(rule, label.item_ref)]
    answered = _answered(chosen) if chosen else set()
    waiting = [label for label in chosen if (*_task(label), label.item_ref) not in answered]
    seen = _who_knows(waiting) if waiting else {}
    for item_ref in item_refs:
        label = labels.get(item_ref)
        standing = _standing(label, frozenset(seen[label.pk]) if label.pk in seen else None) if label else None
        remember_standing(sheet_id, label_type, item_ref, standing)


def _standing(label: CanonicalLabel, known: frozenset[str] | None) -> Standing:
    by = answered_by(label) if label.version > 1 else label.labeled_by
    return Standing(label.pk, label.version, by, label.label_data, known)


def _answered(labels: Collection[CanonicalLabel]) -> set[tuple[str, str, str]]:
    # By the item: a label that was taken back and given anew is another row, and the opinion stays the item's.
    given = LabelOpinion.objects.filter(
        sheet_id__in={label.sheet_id for label in labels}, item_ref__among=list({label.item_ref for label in labels})
    )
    return set(given.values_list("sheet_id", "label_type", "item_ref"))


def _who_knows(labels: Collection[CanonicalLabel], **written_by: str) -> dict[str, set[str]]:
    known = {label.pk: {label.labeled_by} for label in labels}
    # Of one whose last writer was killed the version row may be missing.
    lost = {(label.pk, label.version): label.last_modified_by for label in labels}
    written = CanonicalLabelVersion.objects.filter(canonical_label__pk__among=list(known), **written_by).iterator()
    while chunk := list(islice(written, CHUNK)):
        keys = {row.pk: version_id(row.canonical_label_id, row.version - 1) for row in chunk if row.version > 1}
        before = CanonicalLabelVersion.objects.in_bulk(list(keys.values())) if keys else {}
        for row in chunk:
            was = before.get(keys.get(row.pk, ""))
            if was is None or not changes_uses_alone(was, row):
                known[row.canonical_label_id].add(row.modified_by)
            lost.pop((row.canonical_label_id, row.version), None)
    for (key, _), name in lost.items():
        known[key].add(name)
    return known
