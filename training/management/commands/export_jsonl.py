from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from governance.uses import USES
from training.actions.export import exclusion_words, export_to_file
from training.models import TrainingSheet
from workbench.command import find, stated_plainly


class Command(BaseCommand):
    help = "Export the approved and allowed pairs as JSONL. Example: manage.py export_jsonl ID --out train.jsonl"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("training_sheet", metavar="ID", help="id or name of a training sheet")
        parser.add_argument("--out", required=True, type=Path, metavar="FILE")
        parser.add_argument("--use", default="training", help=f"one of {', '.join(USES)}")

    @stated_plainly
    def handle(self, *args: Any, **options: Any) -> None:
        training_sheet = find(TrainingSheet.objects.select_related("sheet"), options["training_sheet"])
        export = export_to_file(training_sheet, options["out"], actor=getpass.getuser(), use=options["use"])
        ledger = export.run.ledger
        self.stderr.write(f"{ledger.exported} of {ledger.total} pairs exported to {options['out']}")
        for words in exclusion_words(export.run):
            self.stderr.write(f"  excluded {words}")
        self.stdout.write(export.run.digest.hexdigest())
