"""Which items a second expert answers too: the rule of a sheet and label type, and the hash that chooses."""

from __future__ import annotations

from hashlib import sha256

from labels.models import CanonicalLabel, SecondOpinion
from labels.opinions.comparing import Rule
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from workbench.near import listed, near_misses

_PARTS = 10_000


def rule_of(sheet: Sheet, label_type: str) -> SecondOpinion | None:
    """Return the rule for this task, None where nobody asked for second opinions."""
    return SecondOpinion.objects.filter(sheet_id=sheet.pk, label_type=label_type).first()


def unknown_type(sheet: Sheet, label_type: str) -> list[str]:
    """Return the fault of a label type that nobody labels the sheet for; none of one that has its rule already."""
    published = PromptTemplate.objects.filter(status=PromptTemplate.Status.PUBLISHED)
    labels = CanonicalLabel.objects.filter(sheet_id=sheet.pk)
    known = {
        each for rows in (published, labels) for each in rows.order_by().values_list("label_type", flat=True).distinct()
    }
    if label_type in known or rule_of(sheet, label_type):
        return []
    near = near_misses(label_type, known)
    return [
        f"Found {label_type!r}, which no label of the sheet and no published template has: use {listed(known)}.{near}"
    ]


def sameness(rule: SecondOpinion | None) -> Rule:
    """Return when two values count as the same; what nobody said is exact."""
    return Rule(rule.tolerance, rule.min_iou) if rule else Rule()


def is_chosen(rule: SecondOpinion, item_ref: str) -> bool:
    """Return whether the item belongs to the share.

    Its hash alone decides, so that the same items are chosen in any order, however the sheet grows; of a greater share
    the items of the smaller one are a part.
    """
    digest = sha256("\0".join((rule.sheet_id, rule.label_type, item_ref)).encode()).digest()
    return int.from_bytes(digest[:8]) % _PARTS < rule.share * _PARTS // 100
