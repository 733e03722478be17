from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from workbench.canonical import canonical_json
from workbench.doctor import CHECKS, WRITING, Check, Finding, examine


class Command(BaseCommand):
    help = (
        "Check what the workbench stands on, and say what to do. Exits with 1 where something failed. "
        "Example: manage.py doctor --write"
    )
    # A database that does not answer is a finding here.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="also make, write and drop a table of the lakehouse")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        checks = (*CHECKS, WRITING) if options["write"] else CHECKS
        failed = False
        for check, finding in examine(checks):
            failed |= finding.state == "FAIL"
            self.stdout.write(_json(check, finding) if options["json"] else _line(check, finding))
            self.stdout.flush()
        if failed:
            sys.exit(1)


def _line(check: Check, finding: Finding) -> str:
    advice = f" - {finding.advice}" if finding.advice else ""
    return f"{finding.state:<4} {check.name}: {finding.found}{advice}"


def _json(check: Check, finding: Finding) -> str:
    return canonical_json({"name": check.name, **asdict(finding)})
