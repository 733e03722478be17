"""Whatever there is stands in the table, and the table names nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission

from tests.workbench.access import walk
from workbench import access
from workbench.roles import ROLES
from workbench.router import CONCEPT_APPS

WORDS = {access.OPEN, access.SIGNED_IN, access.SIGNED_LINK, access.STAFF, access.OPERATOR}
TABLES = [
    access.ENDPOINTS, access.SCREENS, access.ADMIN_PAGES, access.ADMIN_ACTIONS, access.COMMANDS,
]  # fmt: skip


def test_every_endpoint_is_listed() -> None:
    assert walk.endpoints() == set(access.ENDPOINTS)


def test_every_screen_is_listed() -> None:
    assert walk.screens() == set(access.SCREENS)


def test_every_page_and_action_of_the_admin_is_listed() -> None:
    assert walk.admin_models() - {"workbench.accesstoken"} == set(access.ADMIN_MODELS)
    of_every_model = {f"workbench_accesstoken_{page}" for page in walk.STANDARD}
    assert walk.admin_pages() == set(access.ADMIN_PAGES) - of_every_model
    assert walk.admin_actions() == set(access.ADMIN_ACTIONS)


def test_every_command_is_listed() -> None:
    assert walk.commands(CONCEPT_APPS | {"workbench"}) == set(access.COMMANDS)


@pytest.mark.django_db
def test_every_permission_exists() -> None:
    known = {f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")}
    assert {asked for table in TABLES for asked in table.values()} - WORDS <= known
    assert {codename for codenames in ROLES.values() for codename in codenames} <= known


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_made_with_its_permissions(role: str) -> None:
    given = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
    assert {f"{app}.{codename}" for app, codename in given} == set(ROLES[role])


def test_the_docs_show_every_row() -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "roles.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    shown = {row[0].strip("`"): row[1].strip("`") for row in rows}
    assert {name: asked for table in TABLES for name, asked in table.items()}.items() <= shown.items()
