"""Throwaway apps on a lakehouse of their own, and processes that use it."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import polars
import pytest
from deltalake import DeltaTable
from django.conf import settings
from django.contrib import admin
from django.db import connections
from django.test import override_settings

from tests.conftest import at
from tests.lakehouse.testapp.settings import THROWAWAY_APPS, THROWAWAY_ROUTER
from workbench.router import LAKEHOUSE

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="package", autouse=True)
def throwaway_apps() -> Iterator[None]:
    """Installs the throwaway apps beside the project's."""
    site = admin.site
    with override_settings(
        INSTALLED_APPS=[*THROWAWAY_APPS, *settings.INSTALLED_APPS],
        DATABASE_ROUTERS=[THROWAWAY_ROUTER, *settings.DATABASE_ROUTERS],
    ):
        # Unfold makes a new site, an empty one, whenever apps are made ready.
        admin.site = admin.sites.site = site
        yield


@pytest.fixture(scope="session")
def migrated(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lakehouse with the empty tables of the parts store only."""
    directory = tmp_path_factory.mktemp("parts") / "lakehouse"
    with django_db_blocker.unblock(), at(directory), connections[LAKEHOUSE].schema_editor() as editor:
        from tests.lakehouse.testapp.models import ALL  # models load after their app is installed

        for model in ALL:
            editor.create_model(model)
    return directory


@pytest.fixture
def delta(lakehouse: Path) -> Callable[[str], DeltaTable]:
    """A table as an independent reader opens it."""
    return lambda table: DeltaTable(lakehouse / "mirion_vital" / "workbench" / table)


@pytest.fixture
def frame(lakehouse: Path) -> Callable[[str], polars.DataFrame]:
    """A table's rows as polars reads them."""
    return lambda table: polars.read_delta(str(lakehouse / "mirion_vital" / "workbench" / table))


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Starts processes by fork from one that has loaded the project and opened no table, as gunicorn does."""
    # One that a test of review started knows nothing of the throwaway apps, and would be used on.
    forkserver._forkserver._stop()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "tests.lakehouse.testapp.work"])
    return context


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a process with its own var directory and lakehouse under `tmp_path`."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("WORKBENCH_")}
    return ours | {
        "WORKBENCH_VAR_DIR": str(tmp_path / "var"),
        "WORKBENCH_LAKEHOUSE_URL": f"delta://{tmp_path / 'lakehouse'}",
        "DJANGO_SETTINGS_MODULE": "tests.lakehouse.testapp.settings",
    }


@pytest.fixture
def manage(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a management command in a process of its own."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment | more,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run
