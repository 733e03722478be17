"""The app inside Databricks Apps, on Lakebase and a warehouse, from its start to its end."""

from __future__ import annotations

import re
import signal

from tests.databricks_apps.conftest import DEADLINE, HOST, App

OMAR = {"X_Forwarded_Email": "Omar@Example.com"}
NILS = {"X_Forwarded_Email": "nils@example.com"}
WORK = "from django_q.tasks import async_task, result; print(result(async_task('math.sqrt', 16), wait=30000))"


def test_an_owner_is_let_in_by_the_proxy(inside: App) -> None:
    assert inside.ask("GET", "/admin/", **OMAR)[0] == 200
    assert inside.ask("GET", "/admin/auth/user/", **OMAR)[0] == 200


def test_everybody_else_reads_by_api_and_no_more(inside: App) -> None:
    assert inside.ask("GET", "/api/v1/sheets", **NILS)[0] == 200
    assert inside.ask("POST", "/api/v1/sheets", "{}", **NILS)[0] == 403
    assert "/admin/login/" in inside.ask("GET", "/admin/", **NILS)[1]


def test_one_whom_the_proxy_does_not_name_is_nobody(inside: App) -> None:
    assert inside.ask("GET", "/api/v1/sheets")[0] == 401
    assert inside.ask("GET", "/api/v1/sheets", X_Forwarded_Email="")[0] == 401


def test_a_page_of_another_site_cannot_write(inside: App) -> None:
    status, body = inside.ask("POST", "/api/v1/sheets", "{}", Origin="https://evil.example", **OMAR)
    assert status == 403 and "CSRF" in body
    status, body = inside.ask("POST", "/api/v1/sheets", "{}", **OMAR)  # a script with Databricks' own token
    assert status == 400 and "name" in body


def test_a_form_of_ours_can_be_sent(inside: App) -> None:
    secret = "c" * 32
    headers = {"Content_Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={secret}", **OMAR}
    form = ("POST", "/admin/auth/group/add/", f"csrfmiddlewaretoken={secret}&name=reviewers")
    assert inside.ask(*form, Origin="https://evil.example", **headers)[0] == 403
    assert inside.ask(*form, Origin=f"https://{HOST}", **headers) == (302, "/admin/auth/group/")


def test_static_files_have_names_of_their_content(inside: App) -> None:
    page = inside.ask("GET", "/admin/", **OMAR)[1]
    (name,) = set(re.findall(r"/static/workbench/admin\.[0-9a-f]{12}\.css", page))
    assert inside.ask("GET", name)[0] == 200


def test_the_address_is_that_of_the_proxy(inside: App) -> None:
    headers = {"Host": "10.0.0.7:8000", "X_Forwarded_Host": HOST, **NILS}
    assert inside.ask("GET", "/api/v1/sheets", **headers)[0] == 200
    assert inside.ask("GET", "/api/v1/sheets", **(headers | {"X_Forwarded_Host": "evil.example"}))[0] == 400


def test_the_worker_works(inside: App) -> None:
    done = inside.manage("shell", "--verbosity", "0", "-c", WORK)
    assert done.stdout.strip() == "4.0", done.stderr


def test_the_doctor_finds_lakebase_warehouse_and_worker(inside: App) -> None:
    found = inside.manage("doctor").stdout
    assert all(f"ok   {name}: " in found for name in ("default database", "lakehouse", "tags", "worker")), found


def test_it_ends_when_it_is_told(inside: App) -> None:
    inside.process.send_signal(signal.SIGTERM)
    assert inside.process.wait(DEADLINE) == 0
    assert "default: migrated" in inside.log.read_text() and "lakehouse: migrated" in inside.log.read_text()
    assert "token-" not in inside.log.read_text()
