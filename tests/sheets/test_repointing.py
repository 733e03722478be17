"""A sheet of which something was made is not pointed at rows that let more through, but by a platform lead."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit
from governance.uses import decide
from labels.actions import record_label
from labels.reserving import release, reserve
from sheets.actions import create_sheet
from sheets.item_limits import limits_of_items
from sheets.models import Sheet
from sheets.withdrawing import release_item, withdraw_item
from tests.sheets.conftest import BOARDS, Table

BODY = {"name": "Boards", "primary_table": "shop.raw.boards", "join_keys": ["board_id"]}
COPY = {"primary_table": "shop.raw.copy"}


@pytest.fixture
def sheet(boards: Any, table: Table) -> Sheet:
    """A sheet with a label, beside a copy of its table."""
    boards()
    table("shop.raw.copy", BOARDS | {"other_id": ["1", "2", "3", "4"]})
    sheet = create_sheet(BODY, actor="omar")
    record_label(sheet=sheet, item_ref="a1", label_type="severity", label_data={"x": 1}, actor="rosa")
    return sheet


def patched(user: User, sheet: Sheet, data: Any) -> Any:
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=user.pk))
    return client.patch(f"/api/v1/sheets/{sheet.pk}", data)


def told() -> UsageConstraintAudit:
    return UsageConstraintAudit.objects.order_by("-sequence")[0]


def test_away_from_a_tag_needs_the_right_to_loosen(sheet: Sheet, sql: Any, dora: User, omar: User) -> None:
    sql("ALTER TABLE shop.raw.boards SET TAGS ('PHI' = '')")
    refused = patched(dora, sheet, COPY)
    assert refused.status_code == 403
    assert "allows training, validation again: a platform lead" in refused.json()["error"]["message"]
    assert (told().kind, told().subject) == ("refusal", f"sheet {sheet.pk}")
    assert Sheet.objects.get().primary_table == "shop.raw.boards"
    assert patched(omar, sheet, COPY).status_code == 200
    assert "primary_table from 'shop.raw.boards' to 'shop.raw.copy'" in told().reason
    assert "training" in told().old_prohibited_uses and "training" in told().new_allowed_uses
    assert patched(dora, sheet, {"primary_table": "shop.raw.boards"}).status_code == 200
    assert "training" in told().new_prohibited_uses and told().modified_by == "dora"
    again = UsageConstraintAudit.objects.count()
    assert patched(dora, sheet, {"primary_table": "shop.raw.`BOARDS`", "description": "x"}).status_code == 200
    assert UsageConstraintAudit.objects.count() == again


@pytest.mark.parametrize("given", [COPY, COPY | {"item_ref_column": "other_id"}])
def test_away_from_a_withdrawn_item_does_too(sheet: Sheet, dora: User, omar: User, given: dict[str, str]) -> None:
    other = create_sheet(BODY | {"name": "Again"}, actor="omar")
    withdraw_item(sheet if "item_ref_column" in given else other, "a1", "No consent", actor="omar")
    refused = patched(dora, sheet, given)
    assert refused.status_code == 403 and "frees 1 items" in refused.json()["error"]["message"]
    assert patched(omar, sheet, given).status_code == 200


@pytest.mark.parametrize("given", [COPY, {"item_ref_column": "line"}])
def test_an_empty_sheet_that_withdraws_for_others_does_too(
    sheet: Sheet, dora: User, omar: User, given: dict[str, str]
) -> None:
    carrier = create_sheet(BODY | {"name": "Carrier"}, actor="dora")
    withdraw_item(carrier, "a1", "No consent", actor="omar")
    refused = patched(dora, carrier, given)
    assert refused.status_code == 403 and "frees 1 items" in refused.json()["error"]["message"]
    assert not decide(limits_of_items(sheet)["a1"]).allowed
    assert patched(dora, carrier, {"filter_condition": "line = 1"}).status_code == 200
    assert patched(omar, carrier, given).status_code == 200 and told().reason.startswith("Sources changed")


def test_a_sheet_that_limits_items_is_deleted_after_their_release(sheet: Sheet, dora: User) -> None:
    carrier = create_sheet(BODY | {"name": "Carrier"}, actor="dora")
    withdraw_item(carrier, "a1", "No consent", actor="omar")
    reserve(carrier, ["b2"], "Golden set", actor="omar")
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=dora.pk))
    refused = client.delete(f"/api/v1/sheets/{carrier.pk}")
    assert refused.status_code == 409
    assert "1 withdrawal and 1 held-out item point at the sheet" in refused.json()["error"]["message"]
    release_item(carrier, "a1", "Consent again", actor="omar", may_loosen=True)
    release(carrier, ["b2"], "Retired", actor="omar")
    assert client.delete(f"/api/v1/sheets/{carrier.pk}").status_code == 204
    assert (told().subject, told().modified_by) == (
        f"sheet {carrier.pk}",
        "dora",
    ) and told().reason == "Deleted the sheet 'Carrier'"


def test_without_labels_and_pairs_it_is_anybodys(sheet: Sheet, sql: Any, dora: User) -> None:
    sql("ALTER TABLE shop.raw.boards SET TAGS ('PHI' = '')")
    bare = create_sheet(BODY | {"name": "Bare"}, actor="omar")
    assert patched(dora, bare, COPY).status_code == 200
    assert not UsageConstraintAudit.objects.filter(subject=f"sheet {bare.pk}").exists()


def test_the_admin_says_so_on_its_form(sheet: Sheet, sql: Any, dora: User, omar: User, client: Client) -> None:
    sql("ALTER TABLE shop.raw.boards SET TAGS ('PHI' = '')")
    url = reverse("admin:sheets_sheet_change", args=[sheet.pk])
    form = {
        "name": "Boards", "description": "", **COPY, "secondary_sources": "[]", "join_keys": "board_id",
        "item_ref_column": "", "filter_condition": "", "sample_size": "",
    }  # fmt: skip
    client.force_login(dora)
    page = client.post(url, form)
    assert page.status_code == 200 and "platform lead" in page.content.decode()
    client.force_login(omar)
    assert client.post(url, form).status_code == 302 and Sheet.objects.get().primary_table == COPY["primary_table"]
