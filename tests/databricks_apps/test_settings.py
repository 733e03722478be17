"""What an app must be told, and what ends in time there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import get_commands

from workbench import databases, databricks_apps
from workbench.lakebase import credentials
from workbench.lakehouse.engines.databricks.connection import SESSION
from workbench.lakehouse.engines.databricks.patience import RETRIES
from workbench.management.commands import serve_app

ROOT = Path(settings.BASE_DIR)
REQUEST = 120
FILE = 10_000_000


@pytest.fixture
def described() -> dict[str, Any]:
    """What `app.yaml` says."""
    return dict(yaml.safe_load((ROOT / "app.yaml").read_text()))


def test_the_command_exists_and_needs_no_shell(described: dict[str, Any]) -> None:
    assert described["command"][:2] == ["python", "manage.py"] and described["command"][2] in get_commands()


def test_app_yaml_sets_all_that_is_required(described: dict[str, Any]) -> None:
    names = {each["name"] for each in described["env"]}
    assert set(databricks_apps.REQUIRED) | {"LAKEBASE_ENDPOINT"} <= names
    assert all(("value" in each) != ("valueFrom" in each) for each in described["env"])


def test_no_file_is_larger_than_an_app_may_have() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert not [name for name in listed.split("\0") if name and (ROOT / name).stat().st_size > FILE]


def test_only_both_variables_make_an_app() -> None:
    assert databricks_apps.inside({"DATABRICKS_APP_NAME": "a", "DATABRICKS_APP_PORT": "8000"})
    for variables in ({}, {"DATABRICKS_APP_NAME": "a"}, {"DATABRICKS_APP_PORT": "8000"}):
        assert not databricks_apps.inside(variables)


def test_all_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        databricks_apps.require({"WORKBENCH_PUBLIC_URL": "https://a"})
    missing = ("WORKBENCH_SECRET_KEY", "WORKBENCH_LAKEHOUSE_URL", "WORKBENCH_DATABASE_URL")
    assert all(name in str(caught.value) for name in missing) and "WORKBENCH_PUBLIC_URL" not in str(caught.value)


def test_an_app_without_a_secret_key_does_not_start(tmp_path: Path) -> None:
    app = {"DATABRICKS_APP_NAME": "a", "DATABRICKS_APP_PORT": "8000", "WORKBENCH_VAR_DIR": str(tmp_path)}
    command = [sys.executable, str(ROOT / "manage.py"), "check"]
    done = subprocess.run(command, env=os.environ | app, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "WORKBENCH_SECRET_KEY" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "seconds",
    [
        serve_app.TIMEOUT,
        credentials.PATIENCE["http_timeout_seconds"] + credentials.PATIENCE["retry_timeout_seconds"],
        int(SESSION["STATEMENT_TIMEOUT"]),
        RETRIES["_socket_timeout"] + RETRIES["_retry_stop_after_attempts_duration"],
        databases.STATEMENT_MS / 1000,
        databases.default("sqlite:///x")["OPTIONS"]["timeout"],
    ],
)
def test_whatever_a_request_waits_for_ends_before_the_proxy_cuts_it(seconds: float) -> None:
    assert 0 < seconds < REQUEST


def test_the_server_and_the_worker_end_before_they_are_killed() -> None:
    command = serve_app.server("127.0.0.1:8000")
    assert int(command[command.index("--graceful-timeout") + 1]) < serve_app.GRACE < 15
