"""A PDF of many pages beside an answer: only what is near the view is drawn."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

from tests.browser.test_review import Opens, opens
from training.models import TrainingSheet

__all__ = ["opens"]
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])
PAGES = 60
# As those that come next are opened ahead.
OPEN_OTHERS = """async () => {
    const { opened } = await import("/static/sheets/viewer.js");
    const { url } = document.querySelector("[data-viewer=pdf]").dataset;
    for (let each = 0; each < 8; each += 1) await opened(`${url}?other=${each}`);
}"""
INKED = "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data].some(v => v < 90)"


@pytest.fixture
def many_pages() -> bytes:
    """Letters in turn upright and across, each with its number."""
    file = BytesIO()
    canvas = Canvas(file)
    for number in range(1, PAGES + 1):
        canvas.setPageSize((612, 792) if number % 2 else (792, 612))
        canvas.setFont("Helvetica", 90)
        canvas.drawString(100, 300, str(number))
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def test_pages_are_drawn_near_the_view_and_freed_behind_it(
    opens: Opens, invoices: TrainingSheet, many_pages: bytes
) -> None:
    page = opens(invoices)
    page.route("**/api/v1/files/**.pdf*", lambda route: route.fulfill(body=many_pages, content_type="application/pdf"))
    page.reload()
    page.wait_for_selector(f"[data-drawn='{PAGES}']")
    assert page.locator(".viewer [role=img]").count() == PAGES
    of = f"[aria-label^='Page {{}} of {PAGES}'] canvas".format
    page.locator(of(1)).wait_for()
    page.evaluate(OPEN_OTHERS)
    page.evaluate("document.querySelector('.viewer-stage').scrollTo(0, 1e6)")
    page.locator(of(PAGES)).wait_for()
    assert page.locator(of(PAGES)).evaluate(INKED)
    page.locator(of(1)).wait_for(state="detached")
    assert 1 <= page.locator(".viewer canvas").count() < 10
    sizes: Any = "canvas => [canvas.width > canvas.height, canvas.clientWidth]"
    (is_wide, before) = page.locator(of(PAGES)).evaluate(sizes)
    page.click("[aria-label='Zoom in']")
    page.wait_for_function(f'() => document.querySelector("{of(PAGES)}").clientWidth > {before}')
    assert is_wide
