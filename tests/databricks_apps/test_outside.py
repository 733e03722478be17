"""Outside Databricks Apps anybody can write the proxy's headers, and they change nothing."""

from __future__ import annotations

import sqlite3

from tests.databricks_apps.conftest import App

FORGED = {"X_Forwarded_Email": "omar@example.com", "X_Forwarded_User": "omar@example.com"}


def test_a_forged_header_changes_nothing(outside: App) -> None:
    assert outside.ask("GET", "/api/v1/sheets", **FORGED)[0] == 401
    assert "/admin/login/" in outside.ask("GET", "/admin/", **FORGED)[1]
    assert outside.ask("GET", "/admin/", X_Forwarded_Host="evil.example")[0] == 302
    with sqlite3.connect(f"{outside.environment['WORKBENCH_VAR_DIR']}/workbench.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM auth_user").fetchone() == (0,)
    database.close()


def test_the_doctor_finds_all_well_beside_a_running_app(outside: App) -> None:
    done = outside.manage("doctor", "--write", WORKBENCH_PUBLIC_URL="https://workbench.example")
    assert done.returncode == 0 and "ok   worker: 1 processes, 0 tasks wait" in done.stdout
    assert all(line.startswith("ok ") for line in done.stdout.splitlines()), done.stdout
