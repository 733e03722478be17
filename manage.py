#!/usr/bin/env python
"""Run the workbench's commands: `python manage.py help` lists them."""

from __future__ import annotations

import os
import sys

try:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
except ModuleNotFoundError as error:
    if error.name != "django":
        raise
    sys.exit(f"Django is not installed for {sys.executable}: run `make install`, then `.venv/bin/python manage.py …`.")

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workbench.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"ImproperlyConfigured: {error}")
