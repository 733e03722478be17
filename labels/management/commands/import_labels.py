from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labels.import_plans import Terms
from labels.importing import OUTCOMES, Imported, import_labels, preview_import
from sheets.models import Sheet
from workbench.command import find, stated_plainly


class Command(BaseCommand):
    help = (
        "Import canonical labels from JSONL, one label a line, as export_labels writes them. Example: manage.py "
        'import_labels --sheet "PCB Defect Detection - Sample" --in labels.jsonl --dry-run'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sheet", required=True, metavar="NAME|ID")
        parser.add_argument("--in", required=True, type=Path, metavar="FILE", dest="source")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
        parser.add_argument("--reason", default="", help="why uses change, where the file changes any; audited")
        parser.add_argument(
            "--actor", default="import_labels", metavar="NAME", help="who labeled; default: the command"
        )

    @stated_plainly
    def handle(self, *_: Any, **options: Any) -> None:
        sheet, source = find(Sheet, options["sheet"]), options["source"]
        terms = Terms(reason=options["reason"])
        with source.open("rb") as lines:
            if options["dry_run"]:
                done = preview_import(sheet, lines, terms)
            else:
                done = import_labels(sheet, lines, terms, actor=options["actor"], note=f"Imported from {source.name}")
        self._say(done)

    def _say(self, done: Imported) -> None:
        for number, words in done.refused:
            self.stderr.write(f"line {number}: {words}")
        self.stdout.write(", ".join(f"{done.counts[outcome]} {outcome}" for outcome in OUTCOMES))
        if refused := done.counts["refused"]:
            lines = "line is" if refused == 1 else "lines are"
            raise CommandError(f"{refused} {lines} refused and left out: correct them, then import the file again.")
