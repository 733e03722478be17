"""When an opinion is closed: both said the same, or somebody decided. Until then the label's answer stays as it is."""

from __future__ import annotations

from collections.abc import Collection

from django.utils import timezone

from labels.history import version_id
from labels.models import CanonicalLabel, CanonicalLabelVersion, LabelOpinion
from labels.opinions.comparing import Rule, are_same, compare
from labels.opinions.rules import rule_of, sameness
from labels.resting import has_answer
from sheets.models import Sheet
from templates_app.plain_schema import Schema
from templates_app.schemas import normalise_output_schema
from workbench.problems import Conflict

Status = LabelOpinion.Status


def settle(opinion: LabelOpinion) -> LabelOpinion:
    """Return the opinion, closed where it says what the first one said, or where it was decided and a process was killed then."""
    label = label_of(opinion)
    if opinion.status != Status.WAITING or label is None:
        return opinion
    if decided := _decided(opinion, label):
        return close(opinion, Status.ADJUDICATED, decided.decided_by)
    first = first_of(opinion)
    if first is None or not are_same(
        compare(schema_of(opinion), first.label_data, opinion.label_data, rule_for(opinion))
    ):
        return opinion
    # Another answer rests on nobody's opinion. And no other version: the answer stays, so that pairs made from it are not marked.
    names = {"opinions_by": [opinion.first_author, opinion.author], "opinion_id": opinion.pk}
    stands = CanonicalLabel.objects.filter(pk=label.pk, version=label.version)
    if has_answer(label, first.label_data) and not stands.update(**names):
        return opinion
    return close(opinion, Status.AGREED, "")


def waiting_among(sheet: Sheet, item_refs: Collection[str]) -> set[tuple[str, str]]:
    """Return item and label type of those of the items that have two answers of which none was decided for yet."""
    waiting = LabelOpinion.objects.filter(sheet=sheet, item_ref__in=list(item_refs), status=Status.WAITING)
    return set(waiting.order_by().values_list("item_ref", "label_type"))


def expect_settled(label: CanonicalLabel) -> None:
    """Raise Conflict where a second opinion that differs waits beside the label: only a decision gives it another answer."""
    key = {"sheet_id": label.sheet_id, "item_ref": label.item_ref, "label_type": label.label_type}
    opinion = LabelOpinion.objects.select_related("sheet").filter(**key, status=Status.WAITING).first()
    if opinion and settle(opinion).status == Status.WAITING:
        raise Conflict(
            f"{label.item_ref} has two answers that differ, from {opinion.first_author} and {opinion.author}. Its answer "
            "stays until somebody else decides between them, on the screen that adjudicates; the rest may be changed."
        )


def close(opinion: LabelOpinion, status: str, by: str) -> LabelOpinion:
    """Return the opinion, closed unless somebody else closed it before."""
    closed = {"status": status, "decided_by": by, "decided_at": timezone.now()}
    LabelOpinion.objects.filter(pk=opinion.pk, status=Status.WAITING).update(**closed)
    return LabelOpinion.objects.select_related("sheet").get(pk=opinion.pk)


def label_of(opinion: LabelOpinion) -> CanonicalLabel | None:
    """Return the label of the opinion's item as it stands now, which undoing a review may have taken back."""
    key = {"sheet_id": opinion.sheet_id, "item_ref": opinion.item_ref, "label_type": opinion.label_type}
    return CanonicalLabel.objects.filter(**key).first()


def first_of(opinion: LabelOpinion) -> CanonicalLabelVersion | None:
    """Return the version of the label that is the first opinion, whatever became of the label since."""
    key = version_id(opinion.canonical_label_id, opinion.label_version)
    return CanonicalLabelVersion.objects.filter(pk=key).first()


def schema_of(opinion: LabelOpinion) -> Schema:
    """Return the schema under which both answers are compared: the one that the second was given under."""
    found: Schema = normalise_output_schema(opinion.output_schema or {})
    return found


def rule_for(opinion: LabelOpinion) -> Rule:
    """Return when two values of the opinion's task count as the same."""
    return sameness(rule_of(opinion.sheet, opinion.label_type))


def _decided(opinion: LabelOpinion, label: CanonicalLabel) -> CanonicalLabel | CanonicalLabelVersion | None:
    """Return the label, or the version of it, that was decided between both opinions."""
    if label.opinion_id == opinion.pk and label.decided_by:
        return label
    versions = CanonicalLabelVersion.objects.filter(canonical_label_id=label.pk, opinion_id=opinion.pk)
    return versions.exclude(decided_by="").first()
