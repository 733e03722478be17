"""The catalog shows what the lakehouse holds, each place at an address of its own."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from training.models import TrainingSheet
from workbench.router import LAKEHOUSE

PAGE = "/admin/sheets/sheet/catalog/"


def test_the_tree_opens_down_to_the_address(admin: Client, boards: TrainingSheet) -> None:
    (catalog,) = admin.get(f"{PAGE}mirion_vital/samples/").context["tree"]
    samples = next(node for node in catalog.children if node.name == "samples")
    assert [(node.name, node.kind) for node in samples.children] == [
        ("pcb_inspections", "table"),
        ("pcb_images", "volume"),
    ]
    assert [(node.name, node.state) for node in catalog.children if node.name != "samples"] == [("raw", "")]


def test_a_table_shows_columns_comments_and_rows(admin: Client, boards: TrainingSheet, sql: Any) -> None:
    sql("ALTER TABLE mirion_vital.samples.pcb_inspections SET TAGS ('line_data' = 'yes')")
    page = admin.get(f"{PAGE}mirion_vital/samples/pcb_inspections/").content.decode()
    assert "Serial number printed on the board" in page
    assert "line_data = yes" in page
    assert "pcb_020_" in page
    assert "/define/?table=mirion_vital.samples.pcb_inspections" in page


def test_a_volume_shows_its_pictures(admin: Client, boards: TrainingSheet) -> None:
    response = admin.get(f"{PAGE}mirion_vital/samples/volumes/pcb_images/")
    first = response.context["volume"]["files"][0]
    assert (response.context["volume"]["count"], first["shown"]) == (50, "image")
    assert f'src="{first["url"]}"' in response.content.decode()
    picture = admin.get(first["url"])
    picture.close()
    assert picture.status_code == 200


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("mirion/", "Did you mean &#x27;mirion_vital&#x27;"),
        ("mirion_vital/sample/", "Did you mean &#x27;samples&#x27;"),
        ("mirion_vital/samples/pcb_inspection/", "pcb_inspections"),
        ("mirion_vital/samples/volumes/pcb_image/", "pcb_images"),
    ],
)
def test_what_does_not_exist_is_named_with_its_near_misses(
    admin: Client, boards: TrainingSheet, place: str, words: str
) -> None:
    response = admin.get(f"{PAGE}{place}")
    assert response.status_code == 404
    assert words in response.content.decode()
    assert response.context["tree"]


def test_a_page_takes_few_queries(admin: Client, boards: TrainingSheet) -> None:
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        admin.get(f"{PAGE}mirion_vital/samples/pcb_inspections/")
    assert len(queries) <= 24


def test_browsing_needs_the_right_to_view_sheets(client: Client, nils: User, boards: TrainingSheet) -> None:
    nils.is_staff = True
    nils.save()
    client.force_login(nils)
    assert client.get(PAGE).status_code == 403
    nils.user_permissions.add(Permission.objects.get(codename="view_sheet"))
    page = client.get(f"{PAGE}mirion_vital/samples/pcb_inspections/").content.decode()
    assert "Make a sheet" not in page
    assert client.get("/admin/sheets/sheet/define/?table=mirion_vital.samples.pcb_inspections").status_code == 403
