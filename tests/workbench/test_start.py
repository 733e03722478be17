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
