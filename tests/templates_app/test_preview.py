"""A template on sample rows, and what generating would do."""

from __future__ import annotations

from django.utils import timezone

from labels.models import CanonicalLabel
from sheets.models import Sheet
from templates_app.actions import create_template
from templates_app.models import PromptTemplate
from templates_app.preflight import preflight
from templates_app.preview import missing_variables, preview
from tests.templates_app.conftest import BODY


def test_rows_are_shown_as_the_model_would_get_them(published: PromptTemplate, boards: Sheet) -> None:
    first, second = preview(published, boards, 2)
    assert [message["role"] for message in first.messages] == ["system", "user", "assistant", "user"]
    assert first.messages[-1]["content"] == "Board a1\nof line 1?"
    assert (first.problems, first.item_ref, second.item_ref) == ([], "a1", "b2")
    assert 20 < first.tokens < 80


def test_a_row_that_cannot_be_rendered_leaves_the_others_alone(boards: Sheet) -> None:
    prompt = "{{ board_id }}\n{{ note.upper() }}"
    found = preview(create_template(BODY | {"user_prompt_template": prompt, "examples": []}, actor="omar"), boards, 3)
    assert [len(item.problems) for item in found] == [0, 1, 0]
    assert found[1].problems[0].line == 2 and found[1].messages == [] and found[1].tokens == 0


def test_every_missing_variable_is_named_with_its_lines(boards: Sheet) -> None:
    prompt = "{{ board }}\n{{ board_id }} {{ lane }}\n{{ board }}"
    template = create_template(BODY | {"user_prompt_template": prompt}, actor="omar")
    (item,) = preview(template, boards, 1)
    assert {problem.variable: problem.line for problem in item.problems} == {"board": 1, "lane": 2}
    assert "Did you mean 'board_id'" in item.problems[0].message
    missing = missing_variables(template, ["board_id", "line"])
    assert [(each.variable, each.lines) for each in missing] == [("board", [1, 3]), ("lane", [2])]


def test_an_example_that_cannot_be_filled_is_told_apart(boards: Sheet) -> None:
    template = create_template(BODY | {"examples": [{"input": {}, "output": "none"}]}, actor="omar")
    (item,) = preview(template, boards, 1)
    assert [(problem.prompt, problem.variable) for problem in item.problems] == [("examples", "board_id")]


def test_preflight_counts_labels_that_fit(published: PromptTemplate, boards: Sheet) -> None:
    now = timezone.now()
    for ref, data in (("a1", {"defect": "none"}), ("b2", {"defect": "burnt"}), ("gone", {"defect": "none"})):
        CanonicalLabel.objects.create(
            sheet=boards, item_ref=ref, label_type="classification", label_data=data,
            labeled_at=now, last_modified_at=now, created_at=now,
        )  # fmt: skip
    found = preflight(published, boards)
    assert (found.items, found.pre_approved, found.incompatible_labels, found.to_draft) == (3, 1, 1, 1)
    assert (found.model, found.cost, found.sampled) == ("offline-nearest", 0.0, 3)
    assert found.tokens == preview(published, boards, 1)[0].tokens
