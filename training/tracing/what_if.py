"""What a change of rules takes from exports and models, by the gate's own filter; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Count

from governance.foresight import FIRST, Foreseen, OfExport, OfModel, OfTrainingSheet
from governance.policies import current_policy
from governance.uses import USES, Policy, TagRule
from sheets.alike import alike_of, items_by_any_name
from sheets.models import Sheet
from sheets.source_uses import judged, uses_of
from sheets.tagged import LEVELS, Tagged
from training.models import Export, ExportPart, ModelTrainingLineage, QAPair, TrainingSheet
from training.querysets import QAPairQuerySet

# Names of items are looked up for that many training sheets.
NAMED = 20
# What a model was trained on left for these.
LEARNED = ("training", "validation")

Keys = Mapping[str, Sequence[str]]
Given = Mapping[str, Any]


def look(kind: str, given: Given, user: Any) -> list[Foreseen]:
    """Return what happens to each use that the change touches; kinds as for `governance.foresight.foreseen`."""
    return KINDS[kind](given, user)


def _of_tag_rule(given: Given, user: Any) -> list[Foreseen]:
    tag, policy = str(given["tag"]).strip().upper(), current_policy()
    after = {name: rule for name, rule in policy.items() if name != tag}
    if not given.get("remove"):
        rule = TagRule(frozenset(given.get("prohibited_uses") or ()), given.get("data_classification") or None)
        after[tag] = rule
    return _of_sources(user, after, lambda tagged: tagged)


def _of_tag(given: Given, user: Any) -> list[Foreseen]:
    """Look at the place of this name, and of this `level` where one is given: a volume may have the name of a table."""
    key, value, remove = given["key"], given.get("value") or "", bool(given.get("remove"))
    levels = [given["level"]] if given.get("level") else LEVELS

    def tagged_so(tagged: Sequence[Tagged]) -> list[Tagged]:
        return [
            each.with_tag(key, value, remove=remove) if each.name == given["place"] and each.level in levels else each
            for each in tagged
        ]

    return _of_sources(user, current_policy(), tagged_so)


def _of_sources(user: Any, policy: Policy, tagged_so: Callable[[Sequence[Tagged]], Sequence[Tagged]]) -> list[Foreseen]:
    """Compare what each sheet's sources permit now and under another policy or other tags."""
    closed: dict[str, list[str]] = {}
    opened: dict[str, list[str]] = {}
    for sheet in Sheet.objects.visible_to(user).order_by("name"):
        before = uses_of(sheet)
        after = judged(tagged_so(before.tagged), policy, sheet)
        for use in USES:
            was, now = before.decision.permits(use), after.decision.permits(use)
            if was != now:
                (closed if was else opened).setdefault(use, []).append(sheet.pk)
    return _of_sheets({"closed": closed, "opened": opened}, user)


def _of_sheets(given: Given, user: Any) -> list[Foreseen]:
    def of(keys: Sequence[str]) -> QAPairQuerySet:
        return _approved(user).filter(training_sheet__sheet_id__in=list(keys))

    return _foreseen(given, of, {"sheet": False})


def _of_pairs(given: Given, user: Any) -> list[Foreseen]:
    return _foreseen(given, lambda keys: _approved(user).filter(pk__among=list(keys)), {"pair": False})


def _of_labels(given: Given, user: Any) -> list[Foreseen]:
    return _foreseen(
        given, lambda keys: _approved(user).filter(canonical_label__id__among=list(keys)), {"label": False}
    )


def _of_item(given: Given, user: Any) -> list[Foreseen]:
    alike = alike_of(Sheet.objects.get(pk=given["sheet_id"]))
    pairs = _approved(user).filter(items_by_any_name(alike, [given["item_ref"]], "training_sheet__sheet_id"))
    every = {use: [given["item_ref"]] for use in USES}
    return _foreseen({"closed": every}, lambda _keys: pairs, {})


KINDS: dict[str, Callable[[Given, Any], list[Foreseen]]] = {
    "tag_rule": _of_tag_rule,
    "tag": _of_tag,
    "sheets": _of_sheets,
    "pairs": _of_pairs,
    "labels": _of_labels,
    "item": _of_item,
}


def _approved(user: Any) -> QAPairQuerySet:
    return QAPair.objects.visible_to(user).filter(status=QAPair.Status.LABELED)


def _foreseen(given: Given, of: Callable[[Sequence[str]], QAPairQuerySet], unasked: Any) -> list[Foreseen]:
    """Return what happens to each use that has keys `closed` or `opened`; `unasked` is what the change opens."""
    closed, opened = given.get("closed") or {}, given.get("opened") or {}
    found = []
    for use in USES:
        leaving = of(closed[use]).permitted(use) if closed.get(use) else QAPair.objects.none()
        back = of(opened[use]).permitted(use, **unasked) if opened.get(use) else QAPair.objects.none()
        if closed.get(use) or opened.get(use):
            found.append(_effect(use, leaving, back))
    return [each for each in found if each.leave or each.come_back]


def _effect(use: str, leaving: QAPairQuerySet, back: QAPairQuerySet) -> Foreseen:
    leave, come_back = _counted(leaving), _counted(back)
    names = dict(TrainingSheet.objects.filter(pk__in=[*leave, *come_back]).values_list("pk", "name"))
    sheets = [
        OfTrainingSheet(key, name, leave.get(key, 0), come_back.get(key, 0), _first(leaving, key, at))
        for at, (key, name) in enumerate(sorted(names.items(), key=lambda each: -leave.get(each[0], 0)))
    ]
    exports, models = _reached(use, leaving, list(leave)) if leave else ([], [])
    return Foreseen(use, sum(leave.values()), sum(come_back.values()), sheets, exports, models)


def _counted(pairs: QAPairQuerySet) -> dict[str, int]:
    return dict(pairs.order_by().values_list("training_sheet_id").annotate(n=Count("pk")))


def _first(leaving: QAPairQuerySet, key: str, at: int) -> list[str]:
    if at >= NAMED:
        return []
    pairs = leaving.filter(training_sheet_id=key).order_by("position", "id")
    return list(pairs.values_list("item_ref", flat=True)[:FIRST])


def _reached(use: str, leaving: QAPairQuerySet, keys: list[str]) -> tuple[list[OfExport], list[OfModel]]:
    """Return the past exports for the use, and the models, that have some of the pairs.

    The keys of the pairs are in memory meanwhile, about 100 bytes each, and only where something was exported or trained.
    """
    exports = Export.objects.filter(training_sheet_id__in=keys, use=use).order_by("id").in_bulk()
    lineage = ModelTrainingLineage.objects.filter(training_sheet_id__in=keys).order_by("trained_at", "id")
    models = list(lineage) if use in LEARNED else []
    if not (exports or models):
        return [], []
    wanted = set(leaving.order_by().values_list("pk", flat=True))
    counts = _in_exports(wanted, list(exports))
    of_exports = [
        OfExport(key, each.training_sheet_id, each.format, each.created_at, counts[key])
        for key, each in exports.items()
        if counts.get(key)
    ]
    return of_exports, list(_in_models(wanted, models))


def _in_exports(wanted: set[str], export_ids: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    parts = ExportPart.objects.filter(export_id__in=export_ids).exclude(first_position=None).order_by()
    for export_id, ids in parts.values_list("export_id", "pair_ids").iterator(chunk_size=50):
        counts[export_id] = counts.get(export_id, 0) + len(wanted.intersection(ids))
    return counts


def _in_models(wanted: set[str], models: Iterable[ModelTrainingLineage]) -> Iterator[OfModel]:
    for each in models:
        if trained := len(wanted.intersection(each.qa_pair_ids)):
            yield OfModel(each.model_id, each.model_name, each.model_version, trained)
