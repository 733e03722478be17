from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from governance.uses import USES
from sheets.models import Sheet
from training.actions.ground_truth import exclusion_words, ground_truth_to_file
from training.ground_truth.serializers import GroundTruthSerializer
from training.models import QAPair, TrainingSheet
from training.progress_bar import ProgressBar
from workbench.command import find, stated_plainly
from workbench.files import is_stdout
from workbench.problems import Invalid, in_words

BOOLEAN = ("true", "false")


class Command(BaseCommand):
    help = (
        "Export reviewed pairs as JSONL, each with its first answer, corrections and last answer. "
        "Example: manage.py export_ground_truth --out corpus.jsonl --has-corrections true --since 2026-01-01T00:00Z"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", required=True, type=Path, metavar="FILE")
        parser.add_argument(
            "--approved-only", choices=BOOLEAN, default="true", help="false: reviewed pairs of any status"
        )
        parser.add_argument("--has-corrections", choices=BOOLEAN, help="default: with and without")
        parser.add_argument("--since", metavar="TIME", help="pairs last written then or later; UTC without a zone")
        parser.add_argument("--until", metavar="TIME", help="pairs last written before")
        parser.add_argument("--sheet", metavar="NAME|ID")
        parser.add_argument("--training-sheet", metavar="NAME|ID")
        parser.add_argument("--use", default="training", help=f"one of {', '.join(USES)}")

    @stated_plainly
    def handle(self, *_: Any, **options: Any) -> None:
        names = ("approved_only", "has_corrections", "since", "until", "use")
        asked = GroundTruthSerializer(data={name: options[name] for name in names if options[name] is not None})
        if not asked.is_valid():
            raise Invalid(in_words({name: [str(each) for each in faults] for name, faults in asked.errors.items()}))
        found = _training_sheets(options["training_sheet"], options["sheet"])
        wanted, actor = asked.wanted(), getpass.getuser()
        pairs = QAPair.objects.filter(
            training_sheet_id__in=[each.pk for each in found], **wanted.span.conditions()
        ).count()
        with ProgressBar(sys.stderr, pauses=False, of="pairs") as bar:
            export = ground_truth_to_file(found, wanted, options["out"], actor=actor, between=bar.up_to(pairs))
        ledger = export.ledger
        self.stderr.write(f"{ledger.exported} of {ledger.total} pairs exported to {options['out']}")
        for words in exclusion_words(ledger):
            self.stderr.write(f"  excluded {words}")
        self.stderr.write(f"The next increment misses nothing with --since {export.next_since}")
        told = self.stderr if is_stdout(options["out"]) else self.stdout
        told.write(export.digest.hexdigest())


def _training_sheets(named: str | None, of_sheet: str | None) -> list[TrainingSheet]:
    """Return the training sheets that are asked for, each by id or name; all where none is named."""
    found = TrainingSheet.objects.select_related("sheet")
    if named:
        found = found.filter(pk=find(TrainingSheet, named).pk)
    if of_sheet:
        found = found.filter(sheet_id=find(Sheet, of_sheet).pk)
    return list(found)
