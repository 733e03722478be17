"""A template is written, mended, published, duplicated and compared, as a person does it."""

from __future__ import annotations

from typing import Any

import pytest

from templates_app.models import PromptTemplate
from training.models import TrainingSheet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])


def test_from_a_missing_variable_to_two_versions(page: Any, boards: TrainingSheet) -> None:
    page.goto("/admin/templates_app/prompttemplate/studio/")
    page.fill("[name=name]", "Short question")
    page.fill("[name=label_type]", "classification")
    page.select_option("[name=sheet]", boards.sheet_id)
    page.fill("[name=user_prompt_template]", "Look at it.\nBoard {{ bord_serial }}: ")
    page.locator("[data-code=user_prompt_template] mark >> text=bord_serial").wait_for()
    assert page.locator(".wb-line-bad").get_attribute("data-number") == "2"
    page.fill("[name=user_prompt_template]", "Look at it.\nBoard ")
    page.press("[name=user_prompt_template]", "Control+End")
    page.click("#variables >> text=board_serial")
    page.locator("#preview >> text=Board 7617-001").wait_for()
    page.click("text=Add a field >> nth=0")
    page.fill("[data-code=output_schema] input[placeholder=name]", "defect_type")
    page.fill("[data-code=output_schema] input[placeholder^=options]", "scratch, none")
    page.press("[data-code=output_schema] input[placeholder^=options]", "Tab")
    page.locator("#preview >> text=Ready to publish").wait_for()
    page.click("#try")
    page.locator("#answer >> text=offline-nearest").wait_for()
    page.click("button[name=publish]")
    page.locator("text=Published Short question 1.0.0.").wait_for()
    made = PromptTemplate.objects.get(name="Short question")
    assert made.output_schema["properties"] == {"defect_type": {"type": "string", "enum": ["scratch", "none"]}}
    assert made.input_schema == [{"type": "string", "name": "board_serial", "required": True}]
    page.click("button[name=duplicate]")
    page.locator("text=Made the draft Short question 1.1.0.").wait_for()
    page.fill("[name=system_prompt]", "You inspect boards.")
    page.click("button[name=save]")
    page.locator("text=Saved the draft").wait_for()
    page.click("text=Compare (1)")
    page.locator("ins >> text=You inspect boards.").wait_for()
    assert page.faults == []


def test_json_and_rows_of_a_schema_follow_each_other(page: Any, boards: TrainingSheet) -> None:
    page.goto("/admin/templates_app/prompttemplate/studio/")
    place = page.locator("[data-code=output_schema]")
    place.locator("summary").click()
    schema = '{"type": "object", "properties": {"a": {"type": "number", "multipleOf": 2}}, "required": ["a"]}'
    page.fill("[name=output_schema]", schema)
    place.locator("[aria-label='maximum of a']").fill("9")
    place.locator("[aria-label='maximum of a']").press("Tab")
    assert '"multipleOf": 2' in page.input_value("[name=output_schema]")
    assert '"maximum": 9' in page.input_value("[name=output_schema]")
    page.fill("[name=output_schema]", '{"type":\n}')
    place.locator(".wb-line-bad[data-number='2']").wait_for()
    assert "cannot be read" in place.inner_text()
    assert page.faults == []
