"""Settings under which Django's own tests run: every alias is a lakehouse of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

DIRECTORY = Path(tempfile.mkdtemp(prefix="conformance-"))


def _lakehouse(name: str) -> dict[str, object]:
    return {
        "ENGINE": "workbench.lakehouse",
        "NAME": str(DIRECTORY / name),
        # Some of Django's tests expect rows without ORDER BY in one order; on one thread it is always the same.
        "OPTIONS": {"catalog": "conformance", "schema": "workbench", "threads": 1},
        "TEST": {"NAME": str(DIRECTORY / f"test_{name}")},
    }


DATABASES = {"default": _lakehouse("default"), "other": _lakehouse("other")}
TEST_RUNNER = "tests.conformance.rewind.Runner"
SECRET_KEY = "conformance"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = False
