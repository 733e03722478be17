from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError

from governance import audit
from governance.models import UsageConstraintAudit

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Check that no row of the audit was changed, removed or slipped in, also past the workbench. "
        "Example: manage.py verify_audit"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--adopt",
            action="store_true",
            help="take the table's end as the truth, after the default database was restored from a backup",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        count, broken = 0, ""
        try:
            if options["adopt"]:
                self.stdout.write(f"The audit ends with row {audit.adopt(actor=getpass.getuser()):,} from now on.")
            for fault in audit.verify():
                count += 1
                if count <= SHOWN:
                    self.stderr.write(str(fault))
            rows = UsageConstraintAudit.objects.count()
        except (DatabaseError, OSError, ValueError) as error:
            broken = f" It cannot be read, so a file of it was damaged or removed: {' '.join(str(error).split())}"
        if count or broken:
            raise CommandError(f"The audit is not whole: {count:,} {'fault' if count == 1 else 'faults'}.{broken}")
        self.stdout.write(f"The audit is whole: {rows:,} rows, each with the hash of the one before.")
