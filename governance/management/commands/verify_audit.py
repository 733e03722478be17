from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError

from governance import audit


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
        try:
            if options["adopt"]:
                self.stdout.write(f"The audit ends with row {audit.adopt(actor=getpass.getuser()):,} from now on.")
        except (DatabaseError, OSError, ValueError) as error:
            raise CommandError(f"The audit cannot be read: {' '.join(str(error).split())}") from error
        found = audit.verification()
        for fault in found.faults:
            self.stderr.write(str(fault))
        if not found.is_whole:
            raise CommandError(
                f"The audit is not whole: {found.fault_count:,} {'fault' if found.fault_count == 1 else 'faults'}."
            )
        self.stdout.write(f"The audit is whole: {found.rows:,} rows, each with the hash of the one before.")
