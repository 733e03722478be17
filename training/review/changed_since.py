"""What changed under a pair since it was made: its source row, and the canonical label that its answer is."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.cache import caches

from labels.models import CanonicalLabel
from sheets.item_page import AHEAD_FOR, hash_of
from training.models import QAPair, ReviewPair
from training.review.frames import training_sheet_of
from training.review.states import LINK


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


def newer_label_of(pair: ReviewPair) -> str:
    """Return the key of the pair's canonical label where that was changed since the pair was made from it, else "".

    As it was read ahead, where it was. Not judged while a decision waits, which may make the pair from the newer label.
    """
    if pair.waiting:
        return ""
    ahead: str | None = caches["ahead"].get(_key(pair))
    return _read([pair])[pair.pk] if ahead is None else ahead


def read_labels_ahead(pairs: Sequence[ReviewPair]) -> None:
    """Read for those of the pairs that nobody has read ahead yet whether their label changed, in one query."""
    missing = [pair for pair in pairs if not caches["ahead"].has_key(_key(pair))]
    found = _read(missing) if missing else {}
    for pair in missing:
        caches["ahead"].set(_key(pair), found[pair.pk], AHEAD_FOR)


def _read(pairs: Sequence[ReviewPair]) -> dict[str, str]:
    """Return for each pair the key of its label where that is newer, else "".

    Review knows of most pairs that wait which label they were made from, often none: only the others are looked for
    among all pairs of the training sheet.
    """
    linked = [pair for pair in pairs if all(name in pair.state for name in LINK)]
    unknown = [pair for pair in pairs if pair not in linked]
    return _newer_than_known(linked) | (_newer_in_lakehouse(unknown) if unknown else {})


def _newer_than_known(pairs: Sequence[ReviewPair]) -> dict[str, str]:
    links = {pair.pk: tuple(pair.state[name] for name in LINK) for pair in pairs}
    labels = {label for label, version in links.values() if label and version}
    stand = CanonicalLabel.objects.filter(pk__in=labels).values_list("pk", "version") if labels else ()
    versions: dict[str, int] = dict(stand)
    return {
        key: label if version and versions.get(label, 0) > version else "" for key, (label, version) in links.items()
    }


def _newer_in_lakehouse(pairs: Sequence[ReviewPair]) -> dict[str, str]:
    within = {pair.training_sheet_id for pair in pairs}
    older = QAPair.objects.filter(training_sheet_id__in=within, pk__in=[pair.pk for pair in pairs]).from_older_labels()
    return {pair.pk: "" for pair in pairs} | dict(older.values_list("pk", "canonical_label_id"))


def _key(pair: ReviewPair) -> str:
    return f"label-{pair.pk}-{pair.version}"
