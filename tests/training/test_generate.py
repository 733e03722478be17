"""Generation: labels first, then the mode's answer; never a pair twice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from labels.models import CanonicalLabel
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from tests.conftest import Stage
from tests.seeded import loaded
from training.actions.generate import generate, resume
from training.answerers import existing_column
from training.chat import assistant_answer
from training.chunks import pair_id
from training.models import QAPair, TrainingSheet
from training.pairs import Question
from workbench.canonical import canonical_json
from workbench.problems import Conflict, Invalid
from workbench.router import LAKEHOUSE

pytestmark = pytest.mark.usefixtures("pcb")


@pytest.fixture
def pcb(stage: Stage) -> None:
    stage(loaded, "pcb_defects")


def made(mode: str = "ai_generated", **config: Any) -> TrainingSheet:
    template = PromptTemplate.objects.get(label_type="classification")
    return generate(sheet=Sheet.objects.get(), template=template, actor="omar", mode=mode, config=config)


def test_labels_are_reused_and_the_rest_is_drafted(lakehouse: Path) -> None:
    sheet = made()
    assert sheet.statistics == {
        "items": 50, "canonical": 10, "incompatible_labels": 0, "generated": 40, "manual": 0, "existing_column": 0, "failed": 0,
    }  # fmt: skip
    assert (sheet.status, sheet.generation_config["model"]) == ("review", "offline-nearest")
    pairs = pl.read_delta(str(lakehouse / "mirion_vital/workbench/qa_pairs"))
    assert pairs.group_by("status").len().sort("status").rows() == [("labeled", 10), ("unlabeled", 40)]


def test_a_pre_approved_pair_carries_its_label() -> None:
    made()
    label = CanonicalLabel.objects.order_by("item_ref")[0]
    pair = QAPair.objects.get(item_ref=label.item_ref)
    assert (pair.canonical_label_id, pair.labeling_mode, pair.status) == (label.pk, "canonical", "labeled")
    assert (pair.reviewed_by, pair.reviewed_at) == (label.labeled_by, label.labeled_at)
    assert assistant_answer(pair.messages) == canonical_json(label.label_data)


def test_a_draft_states_its_confidence_and_is_never_approved() -> None:
    made()
    drafts = QAPair.objects.filter(labeling_mode="ai_generated")
    assert {pair.status for pair in drafts} == {"unlabeled"}
    assert all(0 <= (pair.ai_confidence or 0) < 1 for pair in drafts)
    assert {pair.model for pair in drafts} == {"offline-nearest"}


def test_a_label_that_does_not_fit_is_a_draft_with_the_misfit_named() -> None:
    label = CanonicalLabel.objects.order_by("item_ref")[0]
    CanonicalLabel.objects.filter(pk=label.pk).update(label_data={"defect_type": "burnt"})
    assert made().statistics["incompatible_labels"] == 1
    pair = QAPair.objects.get(item_ref=label.item_ref)
    assert (pair.status, assistant_answer(pair.messages)) == ("unlabeled", '{"defect_type":"burnt"}')
    assert any("burnt" in misfit for misfit in pair.misfits)


def test_resuming_adds_what_is_missing_and_nothing_twice() -> None:
    sheet = made()
    QAPair.objects.filter(training_sheet=sheet, position__gte=30).delete()
    assert resume(sheet).statistics["items"] == 50
    assert resume(sheet).statistics["items"] == 50
    assert set(QAPair.objects.values_list("pk", flat=True)) == {
        pair_id(sheet.pk, ref) for ref in QAPair.objects.values_list("item_ref", flat=True)
    }


def test_what_stops_a_generation_is_kept_and_it_can_be_resumed(lakehouse: Path) -> None:
    sheet, table = made(), lakehouse / "mirion_vital/samples/pcb_inspections"
    QAPair.objects.filter(training_sheet=sheet, position__gte=30).delete()
    table.rename(table.with_name("elsewhere"))
    with pytest.raises(Invalid, match="pcb_inspections"):
        resume(sheet)
    stopped = TrainingSheet.objects.get()
    assert (stopped.status, "pcb_inspections" in stopped.error) == ("failed", True)
    table.with_name("elsewhere").rename(table)
    assert (resume(stopped).status, stopped.error, stopped.statistics["items"]) == ("review", "", 50)


def test_what_a_model_was_trained_on_stays_as_it_is() -> None:
    sheet = made()
    TrainingSheet.objects.update(status="trained")
    with pytest.raises(Conflict, match="generate a new one"):
        resume(TrainingSheet.objects.get())
    assert TrainingSheet.objects.get(pk=sheet.pk).status == "trained"


def test_manual_pairs_wait_with_an_empty_answer() -> None:
    sheet = made("manual")
    assert sheet.statistics["manual"] == 40
    pair = QAPair.objects.filter(labeling_mode="manual")[0]
    assert (pair.status, assistant_answer(pair.messages)) == ("unlabeled", "")


@pytest.mark.parametrize(("trusted", "labeled"), [(True, 50), (False, 10)])
def test_an_existing_column_is_approved_only_when_trusted(trusted: bool, labeled: int) -> None:
    sheet = made("existing_column", response_column="aoi_result", trusted=trusted)
    assert sheet.statistics["existing_column"] == 40
    assert sheet.pairs.filter(status="labeled").count() == labeled
    assert sheet.status == ("approved" if trusted else "review")


@pytest.mark.parametrize("text", ["0042", "9" * 26, "NaN", "[1"])
def test_a_text_that_the_schema_takes_stays_as_it_is(text: str) -> None:
    answers = existing_column({"response_column": "v", "trusted": True}, {"type": "string"})
    (answer,) = answers([Question({"v": text}, [])])
    assert (answer.text, answer.status, answer.misfits) == (text, "labeled", [])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (date(2026, 1, 2), "2026-01-02"),
        (b"\x00\xff", "AP8="),
        (Decimal("12.50"), "12.5"),
        ([date(2026, 1, 2)], '["2026-01-02"]'),
    ],
)
def test_a_value_of_any_type_is_taken_as_text_or_json(value: Any, text: str) -> None:
    answers = existing_column({"response_column": "v", "trusted": True}, {})
    (answer,) = answers([Question({"v": value}, [])])
    assert (answer.text, answer.status) == (text, "labeled")


def test_a_value_that_json_lacks_is_the_error_of_its_item() -> None:
    answers = existing_column({"response_column": "v", "trusted": True}, {})
    (answer,) = answers([Question({"v": float("nan")}, [])])
    assert (answer.text, answer.status, "NaN" in answer.error) == ("", "unlabeled", True)


@pytest.mark.parametrize(
    ("mode", "config", "words"),
    [
        ("existing_column", {}, "needs the name of the column"),
        ("existing_column", {"response_column": "aoi_resul"}, "Did you mean 'aoi_result'"),
        ("ai_generated", {"model": "gpt"}, "There is no model 'gpt'"),
        ("ai_generated", {"modle": "x"}, "Did you mean 'model'"),
        ("ai_generated", {"limit": 0}, "at least 1"),
        ("ai_generated", {"limit": 10**30}, "at least 1"),
        ("ai_generated", {"model": ["x"]}, "There is no model"),
        ("ai_generated", {"model": ""}, "There is no model ''"),
        ("ai_generated", {"temperature": "hot"}, "a number from 0 to 2"),
        ("existing_column", {"response_column": "aoi_result", "trusted": "false"}, "true or false"),
        ("guess", {}, "ai_generated, existing_column, manual"),
    ],
)
def test_a_wrong_request_says_what_is_allowed_and_writes_nothing(mode: str, config: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        made(mode, **config)
    assert not TrainingSheet.objects.exists()


def test_an_option_that_is_null_is_left_out() -> None:
    options = ("model", "temperature", "max_tokens", "concurrency", "limit", "cache")
    sheet = made(**dict.fromkeys(options))
    assert (sheet.generation_config, sheet.status) == ({"model": "offline-nearest"}, "review")


def test_a_draft_template_cannot_generate() -> None:
    PromptTemplate.objects.filter(label_type="classification").update(status="draft")
    with pytest.raises(Conflict, match="is draft: publish it"):
        made()


def test_an_item_that_the_template_cannot_be_filled_with_is_kept_with_its_error() -> None:
    PromptTemplate.objects.filter(label_type="classification").update(
        user_prompt_template="{% if board_serial.endswith('-007') %}{{ colour }}{% endif %}Which defect?"
    )
    assert made().statistics["failed"] == 1
    failed = QAPair.objects.get(item_ref__startswith="pcb_007")
    assert (failed.status, "colour" in failed.error) == ("unlabeled", True)


def test_a_failed_item_is_of_the_mode_that_was_asked_for() -> None:
    PromptTemplate.objects.filter(label_type="classification").update(
        user_prompt_template="{% if board_serial.endswith('-007') %}{{ colour }}{% endif %}Which defect?"
    )
    sheet = made("manual")
    assert (sheet.statistics["manual"], sheet.statistics["failed"]) == (39, 1)
    assert QAPair.objects.exclude(error="").get().labeling_mode == "manual"


LONG = "{% for turn in range(21000) %}0123456789{% endfor %}"
COSTLY = "{% for turn in range(90000) %}{% for again in range(90000) %}{% endfor %}{% endfor %}"


def test_an_item_that_makes_too_long_a_prompt_ends_no_run() -> None:
    only_one = "{% if board_serial.endswith('-007') %}" + LONG + "{% endif %}Which defect?"
    PromptTemplate.objects.filter(label_type="classification").update(user_prompt_template=only_one)
    assert (made().status, QAPair.objects.exclude(error="").count()) == ("review", 1)
    assert "longer than 200,000 characters" in QAPair.objects.exclude(error="").get().error


def test_a_template_that_computes_too_long_at_item_after_item_ends_the_run() -> None:
    PromptTemplate.objects.filter(label_type="classification").update(user_prompt_template=COSTLY)
    with pytest.raises(Conflict, match="goes on too long at 5 items in a row, as at pcb_005"):
        made()
    assert TrainingSheet.objects.get().status == "failed"


def test_a_row_that_the_drafter_fails_at_is_kept_with_its_error() -> None:
    in_circles = {"type": "object", "properties": {"line": {"$ref": "#/properties/line"}}}
    PromptTemplate.objects.filter(label_type="classification").update(output_schema=in_circles)
    assert made(limit=20).statistics["failed"] > 0
    assert "drafter failed" in QAPair.objects.exclude(error="")[0].error


def test_a_limit_takes_the_first_items_in_their_order() -> None:
    sheet = made(limit=3)
    assert [pair.item_ref[:7] for pair in QAPair.objects.of(sheet.pk)] == ["pcb_001", "pcb_002", "pcb_003"]


def test_labels_of_a_chunk_are_one_query() -> None:
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        made()
    # Those of the chunk, and whose items are held out.
    assert sum("FROM `canonical_labels`" in query["sql"] for query in queries) <= 4
    assert sum(query["sql"].startswith("MERGE INTO `qa_pairs`") for query in queries) == 1
