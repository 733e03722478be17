"""A platform lead recalls an item, sees what it reached, withdraws it with a reason, and reads its timeline."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from rest_framework.test import APIClient

from training.models import QAPair, TrainingSheet


@pytest.mark.django_db(transaction=True)
def test_recall_withdraw_and_timeline(invoices: TrainingSheet, omar: User, live_server: Any, chromium: Any) -> None:
    api = APIClient()
    api.force_authenticate(omar)
    assert api.get(f"/api/v1/training-sheets/{invoices.pk}/export/jsonl").getvalue()
    pair = QAPair.objects.filter(status="labeled").permitted("training")[0]
    page = chromium.new_page(viewport={"width": 1280, "height": 720})
    page.goto(f"{live_server.url}{reverse('admin:governance_usageconstraintaudit_recall')}")
    page.fill("input[name=username]", "omar")
    page.fill("input[name=password]", "omar's password")
    page.click("button[type=submit]")
    page.select_option("#id_sheet", invoices.sheet_id)
    page.fill("#id_item_ref", pair.item_ref)
    page.click("text=Recall >> css=button")
    assert "1 approved pair leaves exports" in " ".join(page.inner_text("main").split())
    page.fill("input[name=reason]", "Patient withdrew consent")
    page.click("text=Withdraw for all uses")
    assert "withdrawn by omar" in " ".join(page.inner_text("main").split())
    with page.expect_download() as report:
        page.click("text=Signed report")
    assert report.value.suggested_filename == "recall.jsonl"
    page.click("main >> text=Timeline")
    told = page.locator(".wb-happened").all_inner_texts()
    assert "exported for training as chat" in " ".join(told) and "Withdrawn: Patient withdrew consent" in told[-1]
    page.goto(f"{live_server.url}{reverse('admin:governance_usageconstraintaudit_exclusions')}")
    assert page.locator("svg.wb-chart rect").count() == page.locator(".wb-legend li").count() > 0
