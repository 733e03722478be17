"""What changed under a pair since it was made: its source row, and the canonical label that its answer is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.cache import caches

from labels.opinions.due import read_standing
from labels.standing import UNREAD, Standing, standing_lately
from sheets.item_page import AHEAD_FOR, hash_of
from training.models import QAPair, ReviewPair
from training.review.frames import frame_of, training_sheet_of
from training.review.states import LINK

Link = tuple[str | None, int | None]


def says_otherwise(asked: str, now: str) -> bool:
    """Return whether an item of the hash `now` is another than was asked about; False where one is not known."""
    return bool(asked and now) and asked != now


def has_source_changed(pair: QAPair) -> bool | None:
    """Return whether the pair's item says something else by now; None where it cannot be read.

    Reads the item, unless a screen had it read within the last ten minutes.
    """
    training_sheet = training_sheet_of(pair.training_sheet_id)
    now = hash_of(training_sheet.sheet, pair.item_ref) if training_sheet else ""
    return says_otherwise(pair.item_hash, now) if pair.item_hash and now else None


@dataclass(frozen=True, slots=True)
class OtherLabel:
    """A label that stands for the item of a pair and that the pair was not made from: a newer version of its own, or another's."""

    label: Standing
    is_newer: bool


def other_label_of(pair: ReviewPair) -> OtherLabel | None:
    """Return the other label, None where there is none. As it was read ahead, where it was.

    Not judged while a decision waits, which may make the pair from the label.
    """
    if pair.waiting:
        return None
    read_labels_ahead([pair])
    return other_label_known(pair, standing_lately(*_place(pair)))


def reviewed_as(pair: QAPair) -> ReviewPair:
    """Return what review knows of a pair of the lakehouse, or would."""
    link = {name: getattr(pair, name) for name in LINK}
    place = {"training_sheet_id": pair.training_sheet_id, "item_ref": pair.item_ref, "version": pair.version}
    return ReviewPair.objects.filter(pk=pair.pk).first() or ReviewPair(id=pair.pk, state=link, **place)


def other_label_known(pair: ReviewPair, standing: Standing | None) -> OtherLabel | None:
    """Return the other label as far as this machine knows, where `standing` is the item's: nothing is read from the lakehouse."""
    made_from = None if pair.waiting else _made_from(pair)
    if standing in (None, UNREAD) or made_from is None:
        return None
    return other_than(standing, made_from)


def other_than(standing: Standing | None, made_from: Link) -> OtherLabel | None:
    """Return the label unless a pair was made from it, as it is or in a later version; `made_from` is a key and a version."""
    label, version = made_from
    if standing is None or (standing.key == label and standing.version <= (version or 0)):
        return None
    return OtherLabel(standing, is_newer=standing.key == label)


def read_labels_ahead(pairs: Sequence[ReviewPair]) -> None:
    """Read for those of the pairs that nobody has read ahead yet which label stands for their item, in one query for each task."""
    unknown = [pair for pair in pairs if _made_from(pair) is None and not pair.waiting]
    within = {pair.training_sheet_id for pair in unknown}
    stored = QAPair.objects.filter(training_sheet_id__in=within, pk__in=[pair.pk for pair in unknown])
    links = {key: tuple(link) for key, *link in stored.values_list("pk", *LINK)} if unknown else {}
    for pair in unknown:
        caches["ahead"].set(_key(pair), links.get(pair.pk, (None, None)), AHEAD_FOR)
    by_task: dict[tuple[str, str], list[str]] = {}
    for sheet_id, label_type, item_ref in map(_place, pairs):
        standing = standing_lately(sheet_id, label_type, item_ref)
        if standing is UNREAD or (standing and not standing.is_read):
            by_task.setdefault((sheet_id, label_type), []).append(item_ref)
    for task, item_refs in by_task.items():
        read_standing(*task, item_refs)


def _made_from(pair: ReviewPair) -> Link | None:
    """Return the label and version that the pair was made from; None where that would have to be read.

    Review knows it of most pairs that wait, until an action on the pair: only the others are looked for in the lakehouse.
    """
    if all(name in pair.state for name in LINK):
        label, version = (pair.state[name] for name in LINK)
        return label, version
    ahead: Link | None = caches["ahead"].get(_key(pair))
    return ahead


def _place(pair: ReviewPair) -> tuple[str, str, str]:
    frame = frame_of(pair.training_sheet_id)
    return frame.sheet_id, frame.label_type, pair.item_ref


def _key(pair: ReviewPair) -> str:
    return f"made-from-{pair.pk}-{pair.version}"
