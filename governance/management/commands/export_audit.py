from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from governance.audit_export import FORMATS, audit_blocks
from governance.models import UsageConstraintAudit
from workbench.command import stated_plainly
from workbench.files import written_whole


class Command(BaseCommand):
    help = "Write the whole audit as a file. Example: manage.py export_audit --out audit.csv --format csv"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", required=True, type=Path, metavar="FILE")
        parser.add_argument("--format", choices=FORMATS, default="jsonl")

    @stated_plainly
    def handle(self, *_: Any, **options: Any) -> None:
        with written_whole(options["out"]) as file:
            file.writelines(audit_blocks(UsageConstraintAudit.objects.all(), options["format"]))
        self.stderr.write(f"{UsageConstraintAudit.objects.count():,} rows written to {options['out']}")
