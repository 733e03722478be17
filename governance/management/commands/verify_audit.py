from __future__ import annotations

import getpass
from itertools import islice
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
        try:
            if options["adopt"]:
                self.stdout.write(f"The audit ends with row {audit.adopt(actor=getpass.getuser()):,} from now on.")
            found = list(islice(audit.verify(), SHOWN + 1))
            count = UsageConstraintAudit.objects.count()
        except (DatabaseError, OSError, ValueError) as error:
            words = " ".join(str(error).split())
            raise CommandError(f"The audit cannot be read, so a file of it was damaged or removed: {words}") from error
        for fault in found[:SHOWN]:
            self.stderr.write(str(fault))
        if found:
            more = "at least " if len(found) > SHOWN else ""
            raise CommandError(f"The audit is not whole: {more}{min(len(found), SHOWN)} faults in {count:,} rows.")
        self.stdout.write(f"The audit is whole: {count:,} rows, each with the hash of the one before.")
