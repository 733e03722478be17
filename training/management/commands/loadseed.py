from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from training.seeds import SETS, load
from workbench.command import stated_plainly


class Command(BaseCommand):
    help = "Load seed data into the lakehouse. Example: manage.py loadseed pcb_defects"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sets", nargs="*", metavar="SET", help=f"one or more of {', '.join(SETS)}; default: all")

    @stated_plainly
    def handle(self, *args: Any, **options: Any) -> None:
        for name in options["sets"] or SETS:
            loaded = load(name)
            self.stdout.write(
                f"{name}: {loaded.source_rows} source rows, {loaded.files} files, {loaded.sheets} sheets, "
                f"{loaded.templates} templates, {loaded.labels} canonical labels added"
            )
