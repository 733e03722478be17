"""What a screen reader is told on the review screen: why a field is refused, and what a digit chose."""

from __future__ import annotations

import pytest

from tests.browser.test_review import Opens, opens
from training.models import TrainingSheet

__all__ = ["opens"]
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])
DESCRIBED = """() => {
    const { activeElement: focused } = document, told = focused.closest("[aria-invalid=true]");
    return (told?.getAttribute("aria-describedby") ?? "").split(" ").map(id => document.getElementById(id)?.textContent);
}"""


def test_the_reason_of_a_refusal_is_said_with_its_field(opens: Opens, invoices: TrainingSheet) -> None:
    page = opens(invoices)
    page.fill("[name='answer.patient_dob']", "09/04/1998")
    page.keyboard.press("Control+Enter")
    page.locator("[data-field=patient_dob] .af-fault >> text=2026-01-31").wait_for()
    page.wait_for_function("() => document.activeElement.name === 'answer.patient_dob'")
    assert "2026-01-31" in page.evaluate(DESCRIBED)[-1]
    page.fill("[name='answer.patient_dob']", "1998-09-04")
    page.fill("[name='answer.total_amount']", "much")
    page.keyboard.press("Control+Enter")
    page.locator("[data-field=total_amount] .af-fault").wait_for()
    assert "number" in page.evaluate(DESCRIBED)[-1]
    corrected = page.locator("[name='answer.patient_dob']")
    assert corrected.get_attribute("aria-invalid") is None
    assert "faults" not in (corrected.get_attribute("aria-describedby") or "")


def test_a_digit_says_what_it_chose_and_leaves_the_answer_alone_among_the_uses(
    opens: Opens, boards: TrainingSheet
) -> None:
    page = opens(boards)
    page.keyboard.press("w")
    page.keyboard.press("2")
    assert page.locator(".changed").count() == 0
    said = page.locator("#aloud[role=status]")
    assert said.text_content() == ""
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    assert said.text_content() == "Defect type: solder bridge. Next: Severity."
