from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from workbench.management.commands.serve_app import GRACE, server, worker
from workbench.supervisor import supervise


class Command(BaseCommand):
    help = (
        "Run the web server and the worker until Ctrl-C; a worker that dies is started again. Example: manage.py serve"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--bind", metavar="HOST:PORT", default="127.0.0.1:8000", help="where the web server listens"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(supervise([server(options["bind"])], restarted=[worker()], grace=GRACE))
