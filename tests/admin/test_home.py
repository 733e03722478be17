"""The home page shows the loop with counts that follow from the rows."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.models import Permission, User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from training.models import QAPair, TrainingSheet
from workbench.router import LAKEHOUSE


def test_counts_of_the_seed_data(admin: Client, boards: TrainingSheet) -> None:
    stages = {stage.name: stage for stage in admin.get("/admin/").context["stages"]}
    counts = {f"{stage.main.words}": stage.main.count for stage in stages.values()}
    assert counts == {"sheets": 2, "training sheets": 2, "pairs": 80, "exports": 0}
    label = {figure.words: figure.count for figure in stages["Label"].more}
    assert label == {"pre-approved": 18, "to review": 62, "labeled": 18, "flagged": 0, "rejected": 0}


def test_every_figure_links_to_as_many_rows(admin: Client, boards: TrainingSheet) -> None:
    for stage in admin.get("/admin/").context["stages"]:
        for figure in (stage.main, *stage.more):
            if figure.words not in ("items", "pairs left as JSONL"):  # sums over rows, not rows
                assert admin.get(figure.url).context["cl"].result_count == figure.count, figure


def test_what_waits_leads_to_the_review_screen(admin: Client, boards: TrainingSheet) -> None:
    review = f'href="/review/{boards.pk}/">40'
    assert f"{review} to review</a>" in admin.get("/admin/").content.decode()
    assert f"{review}</a>" in admin.get("/admin/training/trainingsheet/").content.decode()
    pair = QAPair.objects.filter(training_sheet=boards)[0]
    address = reverse("admin:training_qapair_open_review", args=[pair.pk])
    assert f'href="{address}"' in admin.get(f"/admin/training/qapair/{pair.pk}/change/").content.decode()
    assert admin.get(address).headers["Location"] == f"/review/{boards.pk}/?pair={pair.pk}"


def test_home_takes_few_queries(admin: Client, boards: TrainingSheet) -> None:
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        admin.get("/admin/")
    assert len(queries) <= 9


def test_an_empty_lakehouse_says_what_to_do_first(admin: Client, lakehouse: Path) -> None:
    page = admin.get("/admin/").content.decode()
    assert "Start with a sheet" in page
    assert 'href="/admin/sheets/sheet/catalog/">Browse the catalog' in page


def test_a_stage_shows_only_to_those_who_may_view_it(client: Client, nils: User, boards: TrainingSheet) -> None:
    nils.is_staff = True
    nils.save()
    nils.user_permissions.add(Permission.objects.get(codename="view_sheet"))
    client.force_login(nils)
    response = client.get("/admin/")
    assert [stage.name for stage in response.context["stages"]] == ["Data"]
    assert "Latest exports" not in response.content.decode()


def test_pages_load_nothing_from_elsewhere(admin: Client, boards: TrainingSheet) -> None:
    page = admin.get("/admin/").content.decode()
    assert 'src="http' not in page
    assert 'href="http' not in page
