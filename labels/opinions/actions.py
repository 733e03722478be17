"""What can be done about second opinions: ask for them, give one, and decide between two.

An opinion is one row that is closed last. Deciding writes the label first, with the opinion's key in it, so that whoever
comes after a killed process knows what was decided and closes the opinion.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from labels.actions import record_label
from labels.checking import check_content, check_fits, existing_item
from labels.history import answered_by, repair
from labels.models import CanonicalLabel, LabelOpinion, SecondOpinion
from labels.opinions.deciding import in_words, taken_from
from labels.opinions.due import known_to
from labels.opinions.rules import is_chosen, rule_of, unknown_type
from labels.opinions.settling import close, first_of, label_of, rule_for, schema_of, settle
from labels.seen import expect_seen, says_already
from labels.standing import forget_standing, remember_asked
from sheets.models import Sheet
from templates_app.drafts import label_type_faults
from templates_app.models import PromptTemplate
from templates_app.schemas import misfits, normalise_output_schema
from workbench.canonical import canonical_bytes
from workbench.lakehouse.ids import uuid5_of
from workbench.problems import Conflict, Forbidden, Invalid

Status = LabelOpinion.Status


def ask_for_opinions(
    *, sheet: Sheet, label_type: str, share: int, actor: str, tolerance: float = 0.0, min_iou: float = 0.5
) -> SecondOpinion:
    """Return the rule of the sheet and label type, made or changed; a share of 0 asks for no more.

    Raises Invalid naming every input at fault.
    """
    faults = {
        "label_type": label_type_faults(label_type) or unknown_type(sheet, label_type),
        "share": [] if 0 <= share <= 100 else [f"Found {share}: a share is 0 to 100 percent."],
        "tolerance": [] if 0 <= tolerance < float("inf") else [f"Found {tolerance}: use 0 or more."],
        "min_iou": [] if 0 < min_iou <= 1 else [f"Found {min_iou}: use more than 0, and at most 1."],
    }
    if found := {name: words for name, words in faults.items() if words}:
        raise Invalid.of_fields("The rule was not saved.", found)
    now = timezone.now()
    wanted = {"share": share, "tolerance": tolerance, "min_iou": min_iou, "updated_by": actor, "updated_at": now}
    made = SecondOpinion(
        id=uuid5_of("second_opinion", sheet.pk, label_type),
        sheet=sheet,
        label_type=label_type,
        created_by=actor,
        created_at=now,
        **wanted,
    )
    SecondOpinion.objects.bulk_create([made], update_conflicts=True, unique_fields=["id"], update_fields=list(wanted))
    remember_asked(sheet.pk, label_type, share > 0)
    return SecondOpinion.objects.get(pk=made.pk)


def give_opinion(
    *,
    sheet: Sheet,
    item_ref: str,
    label_type: str,
    label_data: Any,
    actor: str,
    confidence: str = "high",
    notes: str = "",
    template: PromptTemplate | None = None,
) -> LabelOpinion:
    """Return the actor's own answer to an item whose label another gave; closed at once where both say the same.

    The same again changes nothing. Raises Invalid naming every input at fault, and Conflict where the item has no label,
    was not chosen, is labeled by the actor, or has its second opinion.
    """
    check_content(label_type, label_data, confidence, template)
    item = existing_item(sheet, item_ref)
    label = CanonicalLabel.objects.filter(sheet_id=sheet.pk, item_ref=item_ref, label_type=label_type).first()
    schema = (template.output_schema if template else label.output_schema if label else None) or {}
    check_fits(label_data, schema, item)
    opinion = LabelOpinion(
        # Without the author, so that of two who answer at the same moment one is stored.
        id=uuid5_of("label_opinion", sheet.pk, item_ref, label_type),
        sheet=sheet,
        item_ref=item_ref,
        label_type=label_type,
        author=actor,
        label_data=label_data,
        confidence=confidence,
        notes=notes,
        output_schema=schema,
        template_id=(template.pk if template else label.template_id if label else None) or "",
        item_hash=item.hash,
        made_at=timezone.now(),
    )
    given = list(LabelOpinion.objects.filter(sheet_id=sheet.pk, item_ref=item_ref, label_type=label_type))
    if mine := next((each for each in given if each.author == actor), None):
        return settle(_repeated(mine, label_data))
    _expect_due(sheet, label_type, item_ref, label, given, actor)
    if label is not None:
        repair(label)
        opinion.canonical_label_id, opinion.label_version = label.pk, label.version
        opinion.first_author = answered_by(label)
    LabelOpinion.objects.bulk_create([opinion], ignore_conflicts=True)
    forget_standing(sheet.pk, label_type, item_ref)
    stored = LabelOpinion.objects.get(pk=opinion.pk)
    if stored.author != actor:
        raise _given_by_another(stored)
    return settle(_repeated(stored, label_data))


def adjudicate(
    opinion: LabelOpinion,
    *,
    label_data: Any,
    actor: str,
    seen_version: int | None,
    confidence: str | None = None,
    notes: str | None = None,
) -> CanonicalLabel:
    """Return the label with the answer that the actor decided on, as its next version; the opinion is closed with it.

    The version's note says from whom each field is; confidence and notes that are not given stay. The same again changes nothing.
    Raises Forbidden for who gave one of both answers, StaleLabel where the label is not as it was seen, Conflict where
    the opinion was closed before, and else as `record_label`.
    """
    label = label_of(opinion)
    if label is None:
        raise Conflict(f"The label of {opinion.item_ref} was taken back: there is nothing to decide.")
    theirs = (opinion.author, opinion.first_author, label.labeled_by, answered_by(label))
    if actor in theirs and not (label.opinion_id == opinion.pk and label.decided_by == actor):
        raise Forbidden("One of both answers is yours: somebody else decides between them.")
    decision = {
        "decided_by": actor,
        "opinion_id": opinion.pk,
        "opinions_by": [opinion.first_author, opinion.author],
    }
    wanted = {"label_data": label_data, **decision}
    if opinion.status != Status.WAITING:
        expect_seen(seen_version, label, wanted)
        if not says_already(label, wanted):
            raise Conflict(f"{opinion.item_ref} is decided already: {_outcome(opinion)}.")
        return label
    recorded = record_label(
        sheet=opinion.sheet,
        item_ref=opinion.item_ref,
        label_type=opinion.label_type,
        label_data=label_data,
        actor=actor,
        confidence=confidence or label.confidence,
        notes=label.notes if notes is None else notes,
        change_note=f"Adjudicated: {_from_whom(opinion, label_data)}",
        template=_template_for(opinion, label, label_data),
        seen_version=seen_version,
        decision=decision,
    )
    close(opinion, Status.ADJUDICATED, actor)
    return recorded


def _repeated(stored: LabelOpinion, label_data: Any) -> LabelOpinion:
    if canonical_bytes(stored.label_data) != canonical_bytes(label_data):
        raise Conflict(f"You gave your opinion on {stored.item_ref} before, and it stands: others decide between both.")
    return stored


def _expect_due(
    sheet: Sheet,
    label_type: str,
    item_ref: str,
    label: CanonicalLabel | None,
    given: list[LabelOpinion],
    actor: str,
) -> None:
    rule = rule_of(sheet, label_type)
    if label is None:
        raise Conflict(
            f"{item_ref} has no label of type {label_type!r} yet: label it, a second opinion comes after that."
        )
    if rule is None or not is_chosen(rule, item_ref):
        raise Conflict(f"{item_ref} is not among the items that get a second opinion: correct its label instead.")
    if known_to([label], actor):
        raise Conflict(f"The label of {item_ref} is yours: a second opinion comes from somebody else.")
    if given:
        raise _given_by_another(given[0])


def _given_by_another(opinion: LabelOpinion) -> Conflict:
    return Conflict(f"{opinion.author} gave the second opinion on {opinion.item_ref} already: take another item.")


def _from_whom(opinion: LabelOpinion, answer: Any) -> str:
    first = first_of(opinion)
    both = (first.label_data if first else None), opinion.label_data
    taken = taken_from(schema_of(opinion), *both, answer, rule_for(opinion))
    return in_words(taken, opinion.first_author, opinion.author) or "both say the same"


def _template_for(opinion: LabelOpinion, label: CanonicalLabel, answer: Any) -> PromptTemplate | None:
    """Return the opinion's template for an answer that only it allows, such as a choice that a newer version added."""
    if not misfits(normalise_output_schema(label.output_schema or {}), answer):
        return None
    return PromptTemplate.objects.filter(pk=opinion.template_id).first()


def _outcome(opinion: LabelOpinion) -> str:
    return f"by {opinion.decided_by}" if opinion.decided_by else "both opinions are the same"
