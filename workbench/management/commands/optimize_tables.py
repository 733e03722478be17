from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import NotSupportedError, ProgrammingError, connections

from workbench.command import stated_plainly
from workbench.router import LAKEHOUSE


class Command(BaseCommand):
    help = "Compact the small files of the workbench's tables and remove old ones. Example: manage.py optimize_tables"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tables", nargs="*", metavar="TABLE", help="default: every table of the workbench")
        parser.add_argument(
            "--retain-hours", type=int, default=168, help="keep files that old readers may still need (default: a week)"
        )

    @stated_plainly
    def handle(self, *args: Any, **options: Any) -> None:
        if options["retain_hours"] < 0:
            raise CommandError(f"Found --retain-hours {options['retain_hours']}: use 0 or more; 168 is a week.")
        connection = connections[LAKEHOUSE]
        refused = []
        with connection.cursor() as cursor:
            for table in options["tables"] or connection.introspection.table_names(cursor):
                name = connection.ops.quote_name(table)
                try:
                    cursor.execute(f"OPTIMIZE {name}")
                    cursor.execute(f"VACUUM {name} RETAIN {options['retain_hours']} HOURS")
                except (NotSupportedError, ProgrammingError) as error:
                    refused.append(f"{table} stays as it is: {error}")
                else:
                    self.stdout.write(f"{table}: compacted")
        if refused:
            raise CommandError("\n".join(refused))
