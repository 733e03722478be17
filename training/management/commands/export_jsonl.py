from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.uses import USES
from training.actions.export import check_export, exclusion_words, export_to_file, manifest_path
from training.exports.formats import FORMATS
from training.exports.options import Options
from training.exports.profiles import PROFILES
from training.exports.splits import SIDES
from training.models import QAPair, TrainingSheet
from training.progress_bar import ProgressBar
from workbench.command import find, stated_plainly
from workbench.files import is_stdout, is_stream
from workbench.problems import Invalid


class Command(BaseCommand):
    help = (
        "Export the approved and allowed pairs, as chat lines or in another format, with a manifest beside the file; "
        "or say what such a file would be like. "
        "Example: manage.py export_jsonl ID --out train.jsonl --split train"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("training_sheet", metavar="ID", help="id or name of a training sheet")
        target = parser.add_mutually_exclusive_group(required=True)
        target.add_argument("--out", type=Path, metavar="FILE")
        target.add_argument(
            "--checks",
            action="store_true",
            help="write nothing: print tokens, duplicates, balance and problems as JSON; exit code 1 where one is an error",
        )
        parser.add_argument(
            "--max-tokens",
            type=int,
            metavar="N",
            help="name the lines with more, beside those over the profile's limit",
        )
        parser.add_argument("--use", default="", help=f"one of {', '.join(USES)}; default: training, or the split's")
        parser.add_argument("--format", default="chat", help=f"one of {', '.join(FORMATS)}")
        parser.add_argument("--split", default="", help=f"one of {', '.join(SIDES)}; default: all items")
        parser.add_argument(
            "--validation-percent", type=int, metavar="N", help="fixed by the sheet's first split export"
        )
        parser.add_argument(
            "--stratify-by", default="", metavar="FIELD", help="of the answers, or $ for the whole answer"
        )
        parser.add_argument("--profile", default="", help=f"refuse what it would refuse: one of {', '.join(PROFILES)}")
        parser.add_argument("--since", default="", metavar="EXPORT", help="only pairs new or changed since this export")

    @stated_plainly
    def handle(self, *args: Any, **options: Any) -> None:
        sheets = TrainingSheet.objects.select_related("sheet", "template")
        training_sheet = find(sheets, options["training_sheet"])
        names = ("use", "format", "split", "validation_percent", "stratify_by", "profile", "since")
        wanted, most = Options(**{name: options[name] for name in names}), options["max_tokens"]
        if most is not None and most < 1:
            raise Invalid.of_fields("The export was not made.", {"max_tokens": [f"Found {most}: use 1 or more."]})
        if options["checks"]:
            report = check_export(training_sheet, wanted, max_tokens=most)
            self.stdout.write(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
            self._expect_no_error(report)
            return
        if most:
            self._say_problems(check_export(training_sheet, wanted, max_tokens=most))
        pairs = QAPair.objects.of(training_sheet.pk).count()
        with ProgressBar(sys.stderr, pauses=False, of="pairs") as bar:
            between = bar.up_to(pairs)
            export = export_to_file(training_sheet, options["out"], wanted, actor=getpass.getuser(), between=between)
        ledger = export.run.ledger
        self.stderr.write(f"{ledger.exported} of {ledger.total} pairs exported to {options['out']}")
        for words in exclusion_words(export.run):
            self.stderr.write(f"  excluded {words}")
        manifest = "" if is_stream(options["out"]) else f"manifest {manifest_path(options['out'])}, "
        self.stderr.write(f"  {manifest}export {export.export_id}")
        told = self.stderr if is_stdout(options["out"]) else self.stdout
        told.write(export.run.digest.hexdigest())

    def _expect_no_error(self, report: dict[str, Any]) -> None:
        if errors := [each["message"] for each in report["problems"] if each["level"] == "error"]:
            raise CommandError(" ".join(errors))

    def _say_problems(self, report: dict[str, Any]) -> None:
        for each in report["problems"]:
            pairs = f" Such as {', '.join(each['pair_ids'])}." if each["pair_ids"] else ""
            self.stderr.write(f"  {each['level']} {each['code']}: {each['message']}{pairs}")
