from __future__ import annotations

import sys
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import OperationalError, connections

from workbench.command import stated_plainly
from workbench.router import LAKEHOUSE
from workbench.supervisor import supervise

# Databricks Apps cuts a request after 120 s, kills an app 15 s after SIGTERM, and gives up after 10 minutes of starting.
TIMEOUT, GRACE = 110, 8
PATIENCE, PAUSE = 300, 5


class Command(BaseCommand):
    help = (
        "Migrate both databases, then run the server and the worker until told to stop. What app.yaml starts. "
        "Example: manage.py serve_app"
    )

    @stated_plainly
    def handle(self, *args: Any, **options: Any) -> None:
        for alias in ("default", LAKEHOUSE):
            self._await(alias)
            call_command("migrate", database=alias, verbosity=0)
            connections[alias].close()
            self.stdout.write(f"{alias}: migrated")
        if not settings.WHITENOISE_USE_FINDERS:
            call_command("collectstatic", interactive=False, verbosity=0)
        host = "0.0.0.0" if settings.IN_DATABRICKS_APPS else "127.0.0.1"  # noqa: S104 - the proxy is the only one outside
        sys.exit(supervise([server(f"{host}:{settings.PORT}")], restarted=[worker()], grace=GRACE))

    def _await(self, alias: str) -> None:
        """Wait until the database answers: one that had nothing to do may be asleep."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return connections[alias].ensure_connection()
            except OperationalError as error:
                if time.monotonic() > deadline:
                    raise
                self.stderr.write(f"{alias}: not there yet: {' '.join(str(error).split())}")
                time.sleep(PAUSE)


def server(address: str) -> list[str]:
    """Return gunicorn's command, listening at HOST:PORT."""
    options = ["--workers", "2", "--threads", "8", "--timeout", str(TIMEOUT), "--graceful-timeout", str(GRACE - 2)]
    bound = ["--chdir", str(settings.BASE_DIR), "--bind", address, "--preload", "--no-control-socket"]
    return [sys.executable, "-m", "gunicorn", "workbench.wsgi", *bound, *options]


def worker() -> list[str]:
    """Return the command of the queue's worker."""
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker"]
