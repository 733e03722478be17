"""Whose the first answer was: a pipeline's is right or wrong, a person's is neither, and what nobody reviewed is no ground truth."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from tests.training.ground_truth.conftest import Download, did
from tests.training.ground_truth.test_export import lines
from training.actions.generate import generate
from training.models import QAPair, TrainingSheet

ANSWER = {"defect_type": "scratch", "severity": "minor", "location": "top_right_quadrant"}
OTHER = {**ANSWER, "severity": "major"}


def made(boards: TrainingSheet, mode: str, **config: Any) -> TrainingSheet:
    sheet, template = Sheet.objects.get(pk=boards.sheet_id), PromptTemplate.objects.get(pk=boards.template_id)
    return generate(sheet=sheet, template=template, actor="omar", mode=mode, config=config)


@pytest.fixture
def by_hand(boards: TrainingSheet) -> TrainingSheet:
    """A training sheet that people answer: ten pairs by the labels that there are, the others not yet."""
    return made(boards, "manual")


def test_what_nobody_reviewed_is_no_ground_truth(boards: TrainingSheet, download: Download, api: APIClient) -> None:
    trusted = made(boards, "existing_column", response_column="aoi_result", trusted=True)
    taken = QAPair.objects.of(trusted.pk).filter(status="labeled", reviewed_by="")
    asked = {"training_sheet": trusted.pk}
    for more in ({}, {"approved_only": "false"}):
        found = lines(download(**asked, **more))
        assert len(found) == 10 and all(line["reviewed_by"] for line in found.values())
    assert api.get("/api/v1/ground-truth/stats", asked).json()["approved_jobs"] == 10
    pair = taken[0]
    did(pair, "flag", reason="odd")
    did(pair, "approve")
    assert lines(download(**asked))[pair.pk]["reviewed_by"] == "rosa"


def test_a_label_is_no_answer_of_a_pipeline(by_hand: TrainingSheet, download: Download, api: APIClient) -> None:
    asked = {"training_sheet": by_hand.pk}
    found = lines(download(**asked))
    assert len(found) == 10 and all(line["initial_result"] is None and line["final_result"] for line in found.values())
    pair = QAPair.objects.of(by_hand.pk).filter(labeling_mode="canonical")[0]
    did(pair, "edit", answer=ANSWER if found[pair.pk]["final_result"] != ANSWER else OTHER)
    line = lines(download(**asked))[pair.pk]
    assert line["corrections"] and line["initial_result"] == found[pair.pk]["final_result"]
    assert {download(**asked, has_corrections=side).status_code for side in ("true", "false")} == {409}
    stats = api.get("/api/v1/ground-truth/stats", asked).json()
    assert (stats["approved_jobs"], stats["total_corrections"]) == (10, 0)


def test_an_answer_that_a_person_gave_first_corrects_nothing(
    by_hand: TrainingSheet, download: Download, api: APIClient
) -> None:
    asked = {"training_sheet": by_hand.pk}
    pair = QAPair.objects.of(by_hand.pk).filter(status="unlabeled")[0]
    did(pair, "edit", answer=ANSWER)
    did(pair, "edit", answer=OTHER)
    line = lines(download(**asked))[pair.pk]
    assert line["initial_result"] is None and line["final_result"] == OTHER
    assert [each["field_path"] for each in line["corrections"]] == ["$", "severity"]
    assert {download(**asked, has_corrections=side).status_code for side in ("true", "false")} == {409}
    assert api.get("/api/v1/ground-truth/stats", asked).json()["top_corrected_fields"] == []


def test_an_answer_whose_label_was_corrected_elsewhere_is_flagged(
    by_hand: TrainingSheet, boards: TrainingSheet, download: Download
) -> None:
    here, there = (QAPair.objects.of(key).filter(labeling_mode="canonical")[0] for key in (boards.pk, by_hand.pk))
    assert here.item_ref == there.item_ref
    before = lines(download())
    did(here, "edit", answer=ANSWER if before[here.pk]["final_result"] != ANSWER else OTHER)
    found = lines(download())
    assert before[there.pk]["review_flags"] == found[here.pk]["review_flags"] == []
    assert found[there.pk]["review_flags"] == ["label_changed"] and found[there.pk]["approved"]
