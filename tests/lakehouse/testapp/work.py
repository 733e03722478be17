"""What tests let other processes do; loading it loads the project and opens no table."""

from __future__ import annotations

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.lakehouse.testapp.settings"

import django

django.setup()

from django.db import connections

from workbench.router import LAKEHOUSE


def use(directory: str) -> None:
    """Point this process at a lakehouse."""
    connections.settings[LAKEHOUSE]["NAME"] = directory
    connections[LAKEHOUSE].settings_dict["NAME"] = directory
