"""A platform lead recalls an item, sees what it reached, withdraws it with a reason, and reads its timeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse

from tests.browser.test_review import sign_in
from training.models import QAPair, TrainingSheet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])


@pytest.fixture
def exported(invoices: TrainingSheet, tmp_path: Path) -> QAPair:
    """One of the pairs that were just exported."""
    call_command("export_jsonl", invoices.pk, "--out", str(tmp_path / "invoices.jsonl"))
    return QAPair.objects.of(invoices.pk).filter(status="labeled").permitted("training")[0]


def test_recall_withdraw_and_timeline(
    exported: QAPair, omar: User, live_server: Any, chromium: Any, tmp_path: Path
) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(20_000)
    recall = reverse("admin:governance_usageconstraintaudit_recall")
    sign_in(page, f"{live_server.url}/admin/login/?next={recall}", "omar")
    page.select_option("#id_sheet", exported.training_sheet.sheet_id)
    page.fill("#id_item_ref", exported.item_ref)
    page.click("#recall-form button")
    page.locator(".wb-badge >> text=in use").wait_for()
    assert "1 approved pair leaves exports" in " ".join(page.inner_text("main").split())
    with page.expect_download() as report:
        page.click("text=Signed report")
    report.value.save_as(tmp_path / "recall.jsonl")
    call_command("verify_report", tmp_path / "recall.jsonl")
    page.fill("input[name=reason]", "Patient withdrew consent")
    page.click("text=Withdraw for all uses")
    page.locator(".wb-badge >> text=withdrawn").wait_for()
    assert not QAPair.objects.filter(pk=exported.pk).permitted("training").exists()
    page.click("main >> text=Timeline")
    page.locator(".wb-happened").first.wait_for()
    told = page.locator(".wb-happened").all_inner_texts()
    assert any("exported for training as chat" in each for each in told)
    assert "Withdrawn: Patient withdrew consent" in told[-1]
    page.goto(f"{live_server.url}{reverse('admin:governance_usageconstraintaudit_exclusions')}")
    assert page.locator("svg.wb-chart rect").count() == page.locator(".wb-legend li").count() > 0
