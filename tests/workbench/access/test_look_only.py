"""Who may only look at a sheet adds nothing to it by the admin's pages, as the API lets them not either."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labels.models import CanonicalLabel, SecondOpinion
from sheets.restricting import restrict_sheet
from training.models import QAPair, TrainingSheet

LABEL = {
    "label_type": "mine", "template": "", "label_data": '{"a": 1}', "confidence": "high", "notes": "",
    "allowed_uses": ["training"], "prohibited_uses": [], "usage_reason": "", "data_classification": "public", "reason": "",
}  # fmt: skip
RULE = {"label_type": "classification", "share": "50", "tolerance": "0", "min_iou": "0.5"}


@pytest.mark.parametrize(("who", "page", "form"), [("rosa", "canonicallabel", LABEL), ("dora", "secondopinion", RULE)])
def test_the_add_pages_of_the_admin_offer_only_sheets_to_work_on(
    boards: TrainingSheet, request: pytest.FixtureRequest, omar: User, who: str, page: str, form: dict[str, Any]
) -> None:
    model: Any = {"canonicallabel": CanonicalLabel, "secondopinion": SecondOpinion}[page]
    rows = model.objects.filter(label_type=form["label_type"])
    form = form | {"sheet": boards.sheet_id, "item_ref": QAPair.objects.of(boards.pk)[40].item_ref}
    browser, url = Client(), f"/admin/labels/{page}/add/"
    browser.force_login(request.getfixturevalue(who))
    restrict_sheet(boards.sheet, [{"user": who, "level": "read"}], actor="omar")
    assert boards.sheet_id not in browser.get(url).content.decode()
    assert browser.post(url, form).status_code == 200 and not rows.exists()
    restrict_sheet(boards.sheet, [{"user": who}], actor="omar")
    assert browser.post(url, form).status_code == 302 and rows.exists()
