"""What a what-if asks, as what is foreseen takes it: for uses, the rows that a change would close or open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.changing import LOOSEN, Outcome
from governance.choosing import chosen
from labels.limiting import change_uses as change_labels
from labels.models import CanonicalLabel
from sheets.limiting import change_uses as change_sheet
from sheets.models import Sheet
from sheets.tagging import places_named
from training.actions.uses import change_uses as change_pairs
from training.models import QAPair
from training.tracing.recall import expect_item
from workbench.problems import NotFound
from workbench.sheet_rights import visible_to

USES = ("allowed_uses", "prohibited_uses", "allow", "prohibit", "data_classification")
# A preview needs a reason as the change will, and keeps none.
REASON = "what if"


def foreseen_given(asked: Mapping[str, Any], user: Any) -> tuple[str, Mapping[str, Any]]:
    """Return kind and details for `governance.foresight.foreseen`.

    NotFound for rows, places and items that are not there or that the user may not see; Invalid for no level or name.
    """
    kind = asked["kind"]
    uses = {name: asked[name] for name in USES if name in asked}
    if kind in ("sheets", "item"):
        sheet = Sheet.objects.visible_to(user).filter(pk=asked["sheet"]).first()
        if sheet is None:
            raise NotFound(f"There is no sheet {asked['sheet']!r}, or you may not see it.")
        if kind == "item":
            expect_item(sheet, asked["item_ref"])
            return kind, {"sheet_id": sheet.pk, "item_ref": asked["item_ref"]}
        return kind, _touched(change_sheet(sheet, uses, REASON, actor=user.get_username(), preview=True))
    if kind in ("pairs", "labels"):
        return kind, _touched(_of_rows(kind, asked["ids"], uses, user))
    if kind == "tag":
        # Of a table and a volume of one name the name is the same.
        place, *_ = places_named(asked["place"], level=asked.get("level", ""), user=user)
        return kind, {**asked, "place": place.name}
    return kind, asked


def _of_rows(kind: str, ids: list[str], uses: Mapping[str, Any], user: Any) -> Outcome:
    rows: Any = QAPair.objects.all() if kind == "pairs" else CanonicalLabel.objects.all()
    actor, may_loosen = user.get_username(), user.has_perm(LOOSEN)
    keys = chosen(visible_to(user, rows), ids, rows.none, actor=actor)
    if kind == "labels":
        return change_labels(keys, uses, REASON, actor=actor, preview=True, may_loosen=may_loosen)
    return change_pairs(keys, uses, REASON, actor=actor, batch_id="", preview=True, may_loosen=may_loosen)


def _touched(outcome: Outcome) -> dict[str, Any]:
    return {"closed": outcome.closed, "opened": outcome.opened}
