"""What tests of the audit let other processes do; loading it loads the project and opens no table."""

from __future__ import annotations

import os

import django
from django.apps import apps

if not apps.ready:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workbench.settings")
    django.setup()

from django.db import connections

from governance import audit
from workbench.router import LAKEHOUSE


def append_some(lakehouse: str, database: str, actor: str, count: int) -> None:
    """Append so many rows, one after the other, in a lakehouse and a default database of their own."""
    for alias, name in ((LAKEHOUSE, lakehouse), ("default", database)):
        connections.settings[alias]["NAME"] = name
        connections[alias].settings_dict["NAME"] = name
    for at in range(count):
        audit.append([audit.entry("uses", f"sheet {at}", reason="Contains PHI", actor=actor)])
