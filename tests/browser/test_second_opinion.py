"""A second opinion from end to end: Ana labels, Ben answers blind, Rosa decides by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars
import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from labels.actions import record_label
from labels.models import CanonicalLabel, LabelOpinion
from labels.opinions.actions import ask_for_opinions, give_opinion
from templates_app.models import PromptTemplate
from tests.browser.test_review import AXE, item_of, serious, sign_in
from training.models import TrainingSheet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])
TYPE = "classification"
HERS = {"defect_type": "solder_bridge", "severity": "major", "location": "top_left_quadrant"}


@pytest.fixture
def signed_in(boards: TrainingSheet, rosa: User, live_server: Any, chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens an address as one of the cast; what fails on a page fails the test."""
    faults: list[str] = []
    experts = Permission.objects.filter(codename__in=["add_canonicallabel", "add_labelopinion"])
    for name in ("ana", "ben"):
        user = User.objects.create_user(name, password=f"{name}'s password", is_staff=True)
        user.user_permissions.set(experts)

    def open_(user: str, address: str, **options: Any) -> Any:
        context = chromium.new_context(viewport={"width": 1280, "height": 720}, **options)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: "Content Security" in message.text and faults.append(message.text))
        sign_in(page, f"{live_server.url}/admin/login/?next={address}", user)
        page.wait_for_selector("[data-ready]")
        return page

    yield open_
    assert faults == []


def test_ana_and_ben_differ_and_rosa_decides(
    signed_in: Callable[..., Any], boards: TrainingSheet, seeded: Path, live_server: Any
) -> None:
    sheet = boards.sheet
    ask_for_opinions(sheet=sheet, label_type=TYPE, share=100, actor="omar")
    screen = reverse("label", args=[sheet.pk, TYPE])
    page = signed_in("ana", screen)
    page.wait_for_load_state("networkidle")
    item_ref = item_of(page)
    for key in ("2", "2", "1", "a"):
        page.keyboard.press(key)
    page.locator("#state[data-state=saved]").wait_for()
    first = CanonicalLabel.objects.get(sheet=sheet, item_ref=item_ref, label_type=TYPE)
    page.context.close()

    page = signed_in("ben", f"{screen}?item={item_ref}")
    page.locator(".badge >> text=Your second opinion").wait_for()
    page.wait_for_load_state("networkidle")
    html = page.content()
    assert "ana" not in page.inner_text("body")
    assert first.pk not in html
    assert page.locator(".item input:checked").count() == 0
    for key in ("1", "2", "1", "a"):
        page.keyboard.press(key)
    page.locator("#state[data-state=saved]").wait_for()
    opinion = LabelOpinion.objects.get()
    assert (opinion.author, opinion.first_author, opinion.status) == ("ben", "ana", "waiting")
    page.context.close()

    page = signed_in("rosa", reverse("adjudicate", args=[sheet.pk, TYPE]))
    assert (item_of(page), page.locator("[data-difference]").count()) == (item_ref, 1)
    page.keyboard.press("a")
    page.locator("text=Choose an answer for each field first").wait_for()
    page.keyboard.press("2")
    page.keyboard.press("a")
    page.locator(f"text=Decided: {item_ref}, version 2").wait_for()
    page.context.close()

    rows = polars.read_delta(str(next(seeded.rglob("canonical_labels")))).filter(polars.col("id") == first.pk)
    row = rows.row(0, named=True)
    assert (row["decided_by"], row["opinions_by"], row["version"]) == ("rosa", ["ana", "ben"], 2)
    assert '"scratch"' in row["label_data"]


def test_the_marked_field_has_the_focus(signed_in: Callable[..., Any], boards: TrainingSheet) -> None:
    differ(boards, CanonicalLabel.objects.filter(sheet=boards.sheet, label_type=TYPE)[0].item_ref)
    page = signed_in("rosa", reverse("adjudicate", args=[boards.sheet.pk, TYPE]))
    names = page.locator("[data-difference] legend").all_text_contents()
    assert len(names) == 2
    for key, name in (("n", names[1]), ("p", names[0]), ("2", names[1])):
        page.keyboard.press(key)
        focused = "document.activeElement.closest('[data-difference]')?.querySelector('legend').textContent"
        assert page.evaluate(focused) == name
    assert page.locator("#aloud").text_content() == f"{names[0]}: ben: scratch"
    assert page.locator("[data-difference]").first.locator("input[value=second]").is_checked()


def differ(boards: TrainingSheet, item_ref: str) -> None:
    """Have Ana and Ben answer an item, both fields otherwise."""
    of = {"sheet": boards.sheet, "item_ref": item_ref, "label_type": TYPE}
    ask_for_opinions(sheet=boards.sheet, label_type=TYPE, share=100, actor="omar")
    template = PromptTemplate.objects.get(label_type=TYPE)
    record_label(**of, label_data=HERS, actor="ana", template=template)
    theirs = {**HERS, "defect_type": "scratch", "location": "bottom_left_quadrant"}
    give_opinion(**of, label_data=theirs, actor="ben")


def test_both_answers_are_drawn_on_the_large_picture(signed_in: Callable[..., Any], boards: TrainingSheet) -> None:
    of = {"sheet": boards.sheet, "item_ref": "pcb_001_scratch.jpg", "label_type": "defect_boxes"}
    ask_for_opinions(sheet=boards.sheet, label_type="defect_boxes", share=100, actor="omar")
    template = PromptTemplate.objects.get(label_type="defect_boxes")

    def marked(x: int) -> dict[str, Any]:
        box = {"label": "scratch", "box": {"x": x, "y": 300, "width": 80, "height": 200}}
        return {"defects": {"image": of["item_ref"], "width": 800, "height": 600, "shapes": [box]}}

    record_label(**of, label_data=marked(240), actor="ana", template=template)
    give_opinion(**of, label_data=marked(400), actor="ben")
    page = signed_in("rosa", reverse("adjudicate", args=[boards.sheet.pk, "defect_boxes"]))
    drawn = page.locator(".viewer .both polygon[data-colour]")
    drawn.nth(1).wait_for()
    assert page.locator(".whose").text_content().split() == ["ana", "ben"]
    left = [drawn.nth(at).bounding_box()["x"] for at in (0, 1)]
    image = page.locator(".viewer img").bounding_box()
    assert left == pytest.approx([image["x"] + image["width"] * x / 800 for x in (240, 400)], abs=6)
    page.click("[aria-label='Zoom in']")
    assert drawn.nth(1).bounding_box()["x"] - drawn.nth(0).bounding_box()["x"] > 1.2 * (left[1] - left[0])
    page.keyboard.press("e")
    assert page.evaluate("document.activeElement.name") == "other.defects"


def test_axe_finds_nothing_serious_and_it_works_without_scripts(
    signed_in: Callable[..., Any], boards: TrainingSheet, live_server: Any
) -> None:
    sheet = boards.sheet
    ask_for_opinions(sheet=sheet, label_type=TYPE, share=100, actor="omar")
    template = PromptTemplate.objects.get(label_type=TYPE)
    refs = list(CanonicalLabel.objects.filter(sheet=sheet, label_type=TYPE).values_list("item_ref", flat=True)[:2])
    for ref in refs:
        record_label(sheet=sheet, item_ref=ref, label_type=TYPE, label_data=HERS, actor="ana", template=template)
        theirs = {**HERS, "defect_type": "scratch", "location": "bottom_left_quadrant"}
        give_opinion(sheet=sheet, item_ref=ref, label_type=TYPE, label_data=theirs, actor="ben")
    addresses = [reverse(name, args=[sheet.pk, TYPE]) for name in ("adjudicate", "agreement")]
    page = signed_in("rosa", addresses[0])
    state = page.context.storage_state()
    for scheme, width in (("light", 1280), ("dark", 820)):
        context = page.context.browser.new_context(
            color_scheme=scheme, bypass_csp=True, storage_state=state, viewport={"width": width, "height": 720}
        )
        seen = context.new_page()
        for address in addresses:
            seen.goto(live_server.url + address)
            for summary in seen.locator("summary").all():
                summary.click()
            seen.evaluate(AXE.read_text())
            assert serious(seen) == [], address
        context.close()
    context = page.context.browser.new_context(java_script_enabled=False, storage_state=state)
    plain = context.new_page()
    plain.goto(live_server.url + addresses[0])
    plain.click("button[value=save]")
    plain.locator("fieldset:has-text('Defect type') .af-fault").wait_for()
    plain.click("fieldset:has-text('Defect type') input[value=second]")
    plain.click("fieldset:has-text('Location') input[value=other]")
    plain.select_option("fieldset:has-text('Location') select", '"top_right_quadrant"')
    plain.click("button[value=save]")
    plain.locator("text=Decided:").wait_for()
    decided = CanonicalLabel.objects.get(sheet=sheet, label_type=TYPE, decided_by="rosa")
    assert decided.label_data == {**HERS, "defect_type": "scratch", "location": "top_right_quadrant"}
    context.close()
