"""Labeling as an expert does it: by keyboard in both seed sheets, offline and signed out, beside a colleague."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.urls import reverse
from rest_framework.test import APIClient

from labels.models import CanonicalLabel
from templates_app.models import PromptTemplate
from tests.browser.test_review import AXE, all_saved, item_of, press, serious
from training.models import TrainingSheet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])
Labels = Callable[..., Any]


@pytest.fixture
def labels(page: Any, live_server: Any) -> Labels:
    """Opens the labeling screen of a training sheet's sheet, as Rosa."""

    def open_(training_sheet: TrainingSheet, label_type: str, query: str = "") -> Any:
        page.set_default_timeout(15_000)
        page.goto(live_server.url + reverse("label", args=[training_sheet.sheet_id, label_type]) + query)
        page.wait_for_selector("[data-ready]")
        return page

    return open_


def label_of(item_ref: str) -> CanonicalLabel:
    return CanonicalLabel.objects.get(item_ref=item_ref, label_type__in=["classification", "entity_extraction"])


def gone_to(page: Any, item_ref: str) -> None:
    page.wait_for_function("ref => document.querySelector('.item').dataset.itemRef === ref", arg=item_ref)


def test_boards_by_keyboard_alone(labels: Labels, boards: TrainingSheet) -> None:
    page = labels(boards, "classification")
    first = item_of(page)
    page.keyboard.press("a")
    page.locator("text=There is no label yet").wait_for()
    press(page, "2", "2", "3", "a")
    skipped = item_of(page)
    press(page, "s")
    third = item_of(page)
    press(page, "6", "4", "5", "Control+Enter")
    all_saved(page)
    assert label_of(first).label_data == {
        "defect_type": "solder_bridge", "severity": "major", "location": "bottom_left_quadrant",
    }  # fmt: skip
    assert label_of(third).labeled_by == "rosa"
    assert not CanonicalLabel.objects.filter(item_ref=skipped, label_type="classification").exists()
    page.locator("#progress >> text=38 without a label").wait_for()
    press(page, "p")
    assert item_of(page) == third
    page.locator("text=Labeled by rosa").wait_for()
    press(page, "1", "a")
    all_saved(page)
    assert (label_of(third).version, label_of(third).label_data["defect_type"]) == (2, "scratch")
    page.keyboard.press("i")
    page.keyboard.type("pcb_003_m")
    page.keyboard.press("Enter")
    page.locator(".item h2 >> text=pcb_003_missing_component").wait_for()
    page.wait_for_selector("[data-ready]")
    page.keyboard.press("i")
    page.keyboard.type("pcb_003_missing.jpg")
    page.keyboard.press("Enter")
    page.locator("text=Did you mean").wait_for()
    assert page.faults == []


def test_an_item_that_cannot_be_shown_keeps_nobody_from_the_next(labels: Labels, boards: TrainingSheet) -> None:
    page = labels(boards, "classification")
    press(page, "s")
    second = item_of(page)
    press(page, "s")
    third = item_of(page)
    parts = f"**/item?ref={second}&*"
    page.route(parts, lambda route: route.fulfill(status=500, body="Server Error (500)"))
    labels(boards, "classification")
    page.keyboard.press("s")
    page.locator("#notices", has_text=f"{second} cannot be shown now: skip it, or try again.").wait_for()
    press(page, "s")
    assert item_of(page) == third
    page.unroute(parts)
    page.click("#notices >> text=Try again")
    page.locator(".item h2", has_text=second).wait_for()


def test_invoices_by_keyboard_offline_and_signed_out(labels: Labels, invoices: TrainingSheet) -> None:
    page = labels(invoices, "entity_extraction")
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    refs = []
    for name in ("Ada Vale", "Bo Reed"):
        refs.append(item_of(page))
        written(page, name)
        if name == "Ada Vale":
            press(page, "Control+Enter")
        else:
            page.keyboard.press("Control+Enter")
    page.locator("#state >> text=Offline: 2 waiting").wait_for()
    assert not CanonicalLabel.objects.filter(item_ref__in=refs).exists()
    page.context.set_offline(False)
    all_saved(page)
    assert [label_of(ref).label_data["patient_name"] for ref in refs] == ["Ada Vale", "Bo Reed"]
    page.wait_for_function("refs => !refs.includes(document.querySelector('.item').dataset.itemRef)", arg=refs)
    page.wait_for_load_state("networkidle")
    Session.objects.all().delete()
    third = item_of(page)
    written(page, "Cy Moor")
    page.keyboard.press("Control+Enter")
    page.locator("#state >> text=Signed out: 1 waiting").wait_for()
    with page.context.expect_page() as opened:
        page.click("text=Sign in again")
    opened.value.fill("#id_username", "rosa")
    opened.value.fill("#id_password", "rosa's password")
    opened.value.click("button[type=submit]")
    all_saved(page)
    assert label_of(third).label_data["patient_name"] == "Cy Moor"


def written(page: Any, name: str) -> None:
    """Fill in the form from the keyboard: the texts in their order, and one code."""
    page.keyboard.press("e")
    for text in (name, "1998-09-04", "ZZ40977332"):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    page.fill("[name='answer.total_amount']", "12.50")
    page.fill("[name='answer.provider_name']", "Northgate")
    page.click("[data-add]")
    page.keyboard.type("85025")


def test_refused_at_its_field_and_another_was_faster(
    labels: Labels, boards: TrainingSheet, invoices: TrainingSheet, api: APIClient, omar: User
) -> None:
    page = labels(invoices, "entity_extraction")
    first = item_of(page)
    page.fill("[name='answer.patient_dob']", "04.09.1998")
    page.keyboard.press("Control+Enter")
    page.locator("[data-field=patient_dob] .af-fault").wait_for()
    assert item_of(page) == first
    page = labels(boards, "classification")
    item_ref = item_of(page)
    theirs = {"defect_type": "scratch", "severity": "minor", "location": "none"}
    api.force_authenticate(omar)
    key = {"sheet_id": boards.sheet_id, "item_ref": item_ref, "label_type": "classification"}
    assert api.post("/api/v1/canonical-labels", {**key, "label_data": theirs}, format="json").status_code == 201
    for each in ("3", "1", "1", "a"):
        page.keyboard.press(each)
    page.locator("#stale-dialog >> text=omar saved version 1").wait_for()
    page.click("#stale-dialog >> text=Use mine")
    all_saved(page)
    label = label_of(item_ref)
    assert (label.version, label.label_data["defect_type"], label.last_modified_by) == (2, "missing_component", "rosa")


def test_confirming_a_label_is_no_new_version(labels: Labels, invoices: TrainingSheet, api: APIClient) -> None:
    page = labels(invoices, "entity_extraction")
    ref = item_of(page)
    answer = {
        "patient_name": "Ada Vale", "patient_dob": "1998-09-04", "insurance_id": "ZZ40977332",
        "procedure_codes": ["85025"], "total_amount": 120.0, "provider_name": "Northgate",
    }  # fmt: skip
    key = {"sheet_id": invoices.sheet_id, "item_ref": ref, "label_type": "entity_extraction"}
    template = PromptTemplate.objects.get(label_type="entity_extraction")
    body = {**key, "label_data": answer, "template_id": template.pk}
    assert api.post("/api/v1/canonical-labels", body, format="json").status_code == 201
    page = labels(invoices, "entity_extraction", f"?item={ref}")
    with page.expect_response("**/api/v1/canonical-labels"):
        page.keyboard.press("a")
    all_saved(page)
    assert (label_of(ref).version, str(label_of(ref).label_data["total_amount"])) == (1, "120.0")


def test_a_refusal_leads_back_from_another_sheet(
    labels: Labels, boards: TrainingSheet, invoices: TrainingSheet
) -> None:
    page = labels(invoices, "entity_extraction")
    page.route("**/api/v1/canonical-labels", lambda route: route.abort())
    refused = item_of(page)
    page.fill("[name='answer.patient_dob']", "04.09.1998")
    page.keyboard.press("Control+Enter")
    page.locator("#state >> text=Offline: 1 waiting").wait_for()
    labels(boards, "classification")
    page.unroute("**/api/v1/canonical-labels")
    page.evaluate("dispatchEvent(new Event('online'))")
    page.locator(f"#notices >> text={refused}").wait_for()
    page.click("#notices >> text=Open it")
    page.locator(".item h2", has_text=refused).wait_for()
    assert page.input_value("[name='answer.patient_dob']") == "04.09.1998"


def test_without_scripts(page: Any, chromium: Any, boards: TrainingSheet, live_server: Any) -> None:
    context = chromium.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    plain = context.new_page()
    plain.goto(f"{live_server.url}/label/?sheet={boards.sheet_id}&label_type=classification")
    first = item_of(plain)
    plain.click("label:has-text('scratch')")
    plain.click("button[value=save]")
    plain.locator("[data-field=severity] .af-fault").wait_for()
    assert plain.locator("label:has-text('scratch') input").is_checked()
    plain.click("label:has-text('minor')")
    plain.click("fieldset:has-text('Location') label:has-text('top left')")
    plain.click("button[value=save]")
    plain.locator(f"text=Saved: {first}").wait_for()
    second = item_of(plain)
    plain.click("button[value=skip]")
    assert item_of(plain) not in (first, second)
    assert label_of(first).label_data["severity"] == "minor"
    context.close()


def test_axe_finds_nothing_serious(page: Any, chromium: Any, boards: TrainingSheet, live_server: Any) -> None:
    label = CanonicalLabel.objects.filter(sheet_id=boards.sheet_id, label_type="classification")[0]
    addresses = {
        reverse("label", args=[boards.sheet_id, "classification"]) + f"?item={label.item_ref}": "[data-ready]",
        reverse("label-entry"): "h1",
        reverse("label-versions", args=[label.pk]): "h1",
        reverse("label-import", args=[boards.sheet_id]): "h1",
    }
    for scheme in ("light", "dark"):
        context = chromium.new_context(color_scheme=scheme, bypass_csp=True, storage_state=page.context.storage_state())
        seen = context.new_page()
        for address, ready in addresses.items():
            seen.goto(live_server.url + address)
            seen.wait_for_selector(ready)
            for summary in seen.locator("summary").all():
                summary.click()
            seen.evaluate(AXE.read_text())
            assert serious(seen) == [], address
        context.close()
