"""What nobody had to look at is counted apart from what somebody reviewed, wherever it is counted."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client
from rest_framework.test import APIClient

from labels.actions import record_label
from tests.training.review.conftest import Act
from tests.training.review.test_actions import answer_of
from training.actions.generate import generate
from training.models import QAPair, TrainingSheet
from training.review.applying import apply_waiting


def test_a_label_that_did_not_fit_and_was_mended_is_reviewed(
    boards: TrainingSheet, waiting: QAPair, act: Act, api: APIClient, rosa: User, settings: Any
) -> None:
    old = {"sheet": boards.sheet, "item_ref": waiting.item_ref, "label_type": "classification"}
    record_label(**old, label_data={"kind": "scratch"}, actor="omar")
    again = generate(sheet=boards.sheet, template=boards.template, actor="omar")
    misfit = QAPair.objects.get(training_sheet=again, item_ref=waiting.item_ref)
    ready = QAPair.objects.of(again.pk).filter(status="labeled")[0]
    assert (misfit.status, misfit.labeling_mode, ready.labeling_mode) == ("unlabeled", "canonical", "canonical")

    def counted() -> tuple[int, ...]:
        progress = api.get(f"/api/v1/training-sheets/{again.pk}/progress").json()
        sheet = api.get(f"/api/v1/training-sheets/{again.pk}").json()
        assert progress["pre_approved"] == sheet["pre_approved_pairs"]
        return progress["pre_approved"], progress["approved_by_me"], progress["left"], sheet["labeled_pairs"]

    assert counted() == (10, 0, 40, 10)
    settings.REVIEW_APPLY = "worker"
    act(misfit, "edit", answer=answer_of(waiting))
    assert counted() == (10, 1, 39, 11)
    for verb in ("flag", "approve"):
        act(ready, verb, reason="Not sure")
    assert counted() == (9, 2, 39, 11)
    apply_waiting(again.pk)
    caches["pages"].clear()
    assert counted() == (9, 2, 39, 11)
    admin = Client()
    admin.force_login(rosa)
    shown = admin.get(f"/admin/training/qapair/?training_sheet__id__exact={again.pk}&review=pre_approved")
    assert shown.context["cl"].result_count == 9
    assert b"9 pre-approved" in admin.get("/admin/").content
