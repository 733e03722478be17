"""Tags that were set past the workbench, by SQL or in the catalog: the audit tells of them when an export first finds them."""

from __future__ import annotations

from collections.abc import Iterable

from governance import audit
from sheets.models import ToldTags
from sheets.tagged import Tagged
from workbench.lakehouse.ids import uuid5_of
from workbench.near import listed


def tell_tags(tagged: Iterable[Tagged], *, actor: str) -> None:
    """Add a row to the audit for each place whose tags are not those that it told of last; unread tags are not told."""
    now = {f"{each.level} {each.name}": sorted(each.words) for each in tagged if not each.problem}
    told = {each.place: each for each in ToldTags.objects.filter(place__in=list(now))}
    known = [told.get(place) or ToldTags(place=place) for place in now]
    changed = [each for each in known if each.words != now[each.place]]
    # The key makes one row of two exports that find the same at once, and of one that is tried again after a kill.
    audit.append([
        audit.entry(
            "tag_rule", each.place, reason=_words(each.words, now[each.place]), actor=actor,
            key=uuid5_of("told_tags", each.place, str(each.version)),
        )
        for each in changed
    ])  # fmt: skip
    for each in changed:
        _keep(each, now[each.place])


def note_tags(tagged: Tagged) -> None:
    """Keep the tags of a place that a form of the workbench changed, of which the audit was told."""
    place = f"{tagged.level} {tagged.name}"
    _keep(ToldTags.objects.filter(place=place).first() or ToldTags(place=place), sorted(tagged.words))


def _keep(told: ToldTags, words: list[str]) -> None:
    ToldTags.objects.update_or_create(place=told.place, defaults={"words": words, "version": told.version + 1})


def _words(before: list[str], after: list[str]) -> str:
    changes = (("set", set(after) - set(before)), ("gone", set(before) - set(after)))
    found = " and ".join(f"{listed(tags)} {what}" for what, tags in changes if tags)
    return f"Tags changed past the workbench, found at an export: {found}."
