from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.utils import ConnectionHandler

from sheets.volumes import open_path
from tests.conftest import at
from workbench import databases
from workbench.env import env_bool, env_int, env_str, env_url
from workbench.problems import Forbidden
from workbench.router import LAKEHOUSE

Manage = Callable[..., CompletedProcess[str]]


@pytest.mark.parametrize(
    ("read", "value", "accepted"),
    [
        (lambda: env_bool("WORKBENCH_X", False), "maybe", "1, true, yes, on, 0, false, no, off"),
        (lambda: env_int("WORKBENCH_X", 2, at_least=1), "0", "at least 1"),
        (lambda: env_int("WORKBENCH_X", 2), "two", "whole number"),
        (lambda: env_int("WORKBENCH_X", 2), "²", "whole number"),
        (lambda: env_int("WORKBENCH_X", 2), "9999999999999", "at most 1000000"),
        (lambda: env_url("WORKBENCH_X", "", schemes=("http", "https")), "ftp://x", "http://…, https://…"),
    ],
)
def test_a_wrong_value_names_variable_value_and_what_is_accepted(
    read: Callable[[], Any], value: str, accepted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_X", value)
    with pytest.raises(ImproperlyConfigured) as caught:
        read()
    assert all(words in str(caught.value) for words in ("WORKBENCH_X", value, accepted))


def test_blank_values_count_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_X", "  ")
    assert (env_str("WORKBENCH_X", "d"), env_int("WORKBENCH_X", 3), env_bool("WORKBENCH_X", True)) == ("d", 3, True)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("delta://relative/dir", "delta:///DIR"),
        ("delta:///", "delta:///DIR"),
        ("delta:///dir?colour=red", "colour"),
        ("delta:///dir?memory=much", "memory=4GB"),
        ("delta:///dir?catalog=a/b", "catalog='a/b', which cannot be a name"),
        ("delta:///dir?schema=..", "schema='..'"),
        ("delta:///dir?schema=Information_Schema", "none of information_schema"),
    ],
)
def test_a_wrong_lakehouse_url(url: str, words: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="WORKBENCH_LAKEHOUSE_URL") as caught:
        databases.lakehouse(url)
    assert words in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite://rel.db", "sqlite:rel.db", "sqlite:///", "sqlite:///proc/none/x.db"])
def test_a_sqlite_url_names_a_file_in_a_directory_that_is_there(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"WORKBENCH_DATABASE_URL=.* three slashes"):
        databases.default(url)


def test_names_of_the_lakehouse_are_kept_in_lower_case(lakehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = databases.lakehouse("delta:///dir?catalog=Mirion_Vital&schema=Workbench")["OPTIONS"]
    monkeypatch.setitem(connections[LAKEHOUSE].settings_dict, "OPTIONS", options)
    with pytest.raises(Forbidden, match="signed link"):
        open_path("/Volumes/mirion_vital/workbench/exports/train.jsonl")


def test_a_wrong_database_url_stops_the_start_and_hides_the_password(manage: Manage) -> None:
    done = manage("check", WORKBENCH_DATABASE_URL="mysql://omar:hunter2@db/x")
    assert done.returncode != 0
    assert "WORKBENCH_DATABASE_URL" in done.stderr and "sqlite://…, postgresql://…" in done.stderr
    assert "omar:***" in done.stderr and "hunter2" not in done.stderr + done.stdout


@pytest.mark.parametrize("parent", ["/proc/none", "file"])
def test_an_unwritable_directory_is_told_in_one_line(lakehouse: Path, tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").touch()
    directory = tmp_path / parent / "lakehouse"
    with at(directory), pytest.raises(CommandError) as caught:
        call_command("sql", "SELECT 1")
    assert str(directory) in str(caught.value) and "\n" not in str(caught.value)


def test_a_commit_waits_for_the_disk(db: None, tmp_path: Path) -> None:
    entry = databases.default(f"sqlite://{tmp_path}/default.sqlite3")
    with ConnectionHandler({"default": entry})["default"].cursor() as cursor:
        assert [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")] == [
            "wal",
            2,
        ]
