"""Settings under which Django's own tests run: every alias is a lakehouse of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

_DIRECTORY = Path(tempfile.mkdtemp(prefix="conformance-"))


def _lakehouse(name: str) -> dict[str, object]:
    return {
        "ENGINE": "workbench.lakehouse",
        "NAME": str(_DIRECTORY / name),
        "OPTIONS": {"catalog": "conformance", "schema": "workbench"},
        "TEST": {"NAME": str(_DIRECTORY / f"test_{name}")},
    }


DATABASES = {"default": _lakehouse("default"), "other": _lakehouse("other")}
SECRET_KEY = "conformance"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = False
