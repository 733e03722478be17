from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from workbench.supervisor import supervise

MANAGE = str(settings.BASE_DIR / "manage.py")


class Command(BaseCommand):
    help = (
        "Run the web server and the worker until Ctrl-C; a worker that dies is started again. Example: manage.py serve"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--bind", metavar="HOST:PORT", default="127.0.0.1:8000", help="where the web server listens"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        served = [
            "--chdir",
            str(settings.BASE_DIR),
            "--bind",
            options["bind"],
            "--workers",
            "2",
            "--threads",
            "4",
            "--timeout",
            "120",
        ]
        web = [sys.executable, "-m", "gunicorn", "workbench.wsgi", *served, "--no-control-socket"]
        sys.exit(supervise([web], restarted=[[sys.executable, MANAGE, "worker"]], grace=10))
