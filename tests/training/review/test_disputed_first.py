"""An item about which experts differed comes early in the review queue, before what the model was unsure of."""

from __future__ import annotations

from labels.actions import record_label
from labels.opinions.actions import ask_for_opinions, give_opinion
from training.models import QAPair, ReviewPair
from training.review.queue import upcoming


def test_a_disputed_item_comes_before_an_unsure_one(waiting: QAPair) -> None:
    sheet = waiting.training_sheet.sheet
    surest = QAPair.objects.filter(status="unlabeled", misfits__len=0, error="").order_by("-ai_confidence")[0]
    key = {"sheet": sheet, "item_ref": surest.item_ref, "label_type": "board_side"}
    record_label(**key, label_data={"side": "top"}, actor="ana")
    ask_for_opinions(sheet=sheet, label_type="board_side", share=100, actor="omar")
    give_opinion(**key, label_data={"side": "bottom"}, actor="ben")
    refs = [pair.item_ref for pair in upcoming(waiting.training_sheet_id, actor="rosa", most=100)]
    sound = [ref for ref in refs if ReviewPair.objects.get(item_ref=ref).risk > -1]
    assert sound[0] == surest.item_ref
