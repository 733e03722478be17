"""Both seed data sets reviewed to the end by keyboard alone, and what that leaves in the lakehouse for the next template."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from templates_app.actions import duplicate, publish
from tests.browser.test_review import Opens, all_saved, opens
from training.actions.generate import generate
from training.models import QAPair, ReviewAction, TrainingSheet
from training.review.applying import settle

__all__ = ["opens"]
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])
DECIDED = """before => {
  const [item, empty] = [document.querySelector(".item"), document.getElementById("empty")];
  return !empty.hidden || item.dataset.itemRef !== before;
}"""


def review_all(page: Any, training_sheet: TrainingSheet, edit: Sequence[str], mend: Sequence[str] = ()) -> int:
    """Approve what waits, every fifth with an edit, what does not fit once mended; returns how many were decided."""
    keys, count = page.keyboard, 0
    while page.locator("#empty").is_hidden():
        item = page.locator(".item")
        before, faulty = item.get_attribute("data-item-ref"), item.get_attribute("data-misfits") != "0"
        changes = mend if faulty else edit if count % 5 == 0 else ()
        for key in (*changes, "Control+Enter") if changes else ("a",):
            keys.press(key)
        page.wait_for_function(DECIDED, arg=before)
        count += 1
    all_saved(page)
    settle(training_sheet.pk)
    return count


def labels_in(directory: Path, training_sheet: TrainingSheet) -> pl.DataFrame:
    """The labels of a sheet, by a reader that is none of ours."""
    table = pl.read_delta(str(directory / "mirion_vital" / "workbench" / "canonical_labels"))
    return table.filter(pl.col("sheet_id") == training_sheet.sheet_id)


def next_version(training_sheet: TrainingSheet) -> TrainingSheet:
    """Generate again, with the template's next version."""
    draft = duplicate(training_sheet.template, actor="omar")
    return generate(sheet=training_sheet.sheet, template=publish(draft, actor="omar"), actor="omar")


def test_forty_boards_and_twenty_two_invoices(
    opens: Opens, seeded: Path, boards: TrainingSheet, invoices: TrainingSheet
) -> None:
    page = opens(boards)
    assert review_all(page, boards, ("1", "1", "1")) == 40
    assert "All reviewed" in page.locator("#empty").inner_text()
    # What the last answer counted is shown a moment later.
    page.wait_for_function("() => document.querySelector('#progress').innerText.startsWith('0 left')")
    # One draft has no date of birth, which is the second field.
    assert review_all(opens(invoices), invoices, ("e", "End", "x"), mend=("e", "Tab", *"1998-09-04")) == 22
    assert set(ReviewAction.objects.values_list("action", flat=True)) == {"approve", "edit"}
    assert [labels_in(seeded, each).height for each in (boards, invoices)] == [50, 30]
    for training_sheet in (boards, invoices):
        again = next_version(training_sheet)
        pairs = QAPair.objects.filter(training_sheet=again)
        assert again.statistics["canonical"] == pairs.filter(status="labeled", labeling_mode="canonical").count()
        assert again.statistics["canonical"] == again.statistics["items"]
