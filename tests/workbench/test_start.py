"""A wrong setting stops the start with one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WORKBENCH_PUBLIC_URL", "https://"),
        ("WORKBENCH_PUBLIC_URL", "http://[::1"),
        ("WORKBENCH_PUBLIC_URL", "https://workbench.example/app"),
        ("WORKBENCH_PUBLIC_URL", "https://workbench.example?a=1"),
        ("WORKBENCH_PUBLIC_URL", "https://omar:secret@workbench.example"),
        ("WORKBENCH_LAKEHOUSE_URL", "databricks://[x/sql/1.0/warehouses/1"),
        ("WORKBENCH_DATABASE_URL", "postgresql://omar:secret@[::1/name?password=secret@"),
        ("WORKBENCH_DATABASE_URL", "postgresql://omar:secret@h\u2100st/name"),
        ("WORKBENCH_OIDC_ISSUER", "https://[x"),
        ("WORKBENCH_DATABASE_URL", "postgresql://omar:secret@host:port/name"),
        ("WORKBENCH_DEBUG", "maybe"),
        ("WORKBENCH_LLM_HEADERS", "X-Key secret@"),
        ("WORKBENCH_LLM_TIMEOUT", "0"),
        ("WORKBENCH_SESSION_HOURS", "9999999999999"),
    ],
)
def test_a_wrong_setting_is_one_line_without_secrets(tmp_path: Path, variable: str, value: str) -> None:
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "loadseed"]
    environment = {**os.environ, "WORKBENCH_VAR_DIR": str(tmp_path), variable: value}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and variable in done.stderr and "secret@" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "origin", "host"),
    [
        ("http://wb.example/", "http://wb.example", "wb.example"),
        ("HTTPS://WB.example:443", "https://wb.example", "wb.example"),
        ("http://[::2]:8000/", "http://[::2]:8000", "[::2]"),
        ("http://[::2]", "http://[::2]", "[::2]"),
    ],
)
def test_forms_may_be_sent_from_the_public_url_however_it_is_written(
    tmp_path: Path, given: str, origin: str, host: str
) -> None:
    environment = {**os.environ, "WORKBENCH_VAR_DIR": str(tmp_path), "WORKBENCH_PUBLIC_URL": given}
    show = "from django.conf import settings as s; print(s.PUBLIC_URL, *s.CSRF_TRUSTED_ORIGINS, s.ALLOWED_HOSTS[0])"
    command = [sys.executable, "-c", show]
    environment["DJANGO_SETTINGS_MODULE"] = "workbench.settings"
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [origin, origin, host]


def test_a_python_without_django_is_told_in_one_line() -> None:
    # -S: without the packages of the environment.
    command = [sys.executable, "-S", str(Path(settings.BASE_DIR) / "manage.py"), "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert sys.executable in done.stderr and "make install" in done.stderr
