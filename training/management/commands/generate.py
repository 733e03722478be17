from __future__ import annotations

import getpass
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sheets.models import Sheet
from templates_app.actions import find_template
from training.actions.generate import begin
from training.actions.jobs import submit, unfinished_job
from training.jobs import work
from training.models import JobRun, LiveJob, TrainingSheet
from training.progress_bar import ProgressBar
from workbench.command import find, stated_plainly


class Command(BaseCommand):
    help = (
        "Generate a training sheet and print its id last. Example: manage.py generate "
        '--sheet "PCB Defect Detection - Sample" --template "PCB Defect Classification@1.0.0"'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sheet", metavar="NAME|ID")
        parser.add_argument(
            "--template", metavar="NAME[@VERSION]|ID", help="without a version: the newest published one"
        )
        parser.add_argument("--mode", default="ai_generated", help=f"one of {', '.join(TrainingSheet.Mode.values)}")
        parser.add_argument("--name", default="", help="name of the training sheet")
        parser.add_argument("--limit", type=int, help="take only the first N items")
        parser.add_argument("--response-column", help="for existing_column: the column that holds the answer")
        parser.add_argument("--trusted", action="store_true", help="for existing_column: approve answers that fit")
        parser.add_argument("--resume", metavar="ID", help="finish a training sheet whose generation was stopped")

    @stated_plainly
    def handle(self, *args: Any, **options: Any) -> None:
        if options["resume"]:
            run = unfinished_job(find(TrainingSheet, options["resume"]), actor=getpass.getuser())
        elif not (options["sheet"] and options["template"]):
            raise CommandError("Give --sheet and --template, or --resume with the id of a training sheet.")
        else:
            run = self._submitted(options)
        with ProgressBar(sys.stderr) as bar:
            job = work.run(run.pk, also=bar)
        training_sheet = TrainingSheet.objects.get(jobs__pk=run.pk)
        self._tell(training_sheet, job)
        self.stdout.write(training_sheet.pk)

    def _submitted(self, options: dict[str, Any]) -> JobRun:
        config = {
            "limit": options["limit"],
            "response_column": options["response_column"],
            "trusted": options["trusted"] or None,
        }
        training_sheet, items = begin(
            sheet=find(Sheet, options["sheet"]),
            template=find_template(options["template"]),
            mode=options["mode"],
            name=options["name"],
            config={key: value for key, value in config.items() if value is not None},
            actor=getpass.getuser(),
        )
        return submit(training_sheet, items, actor=getpass.getuser(), elsewhere=False)

    def _tell(self, training_sheet: TrainingSheet, job: LiveJob | None) -> None:
        if job is None:
            raise CommandError(
                f"A worker took the job meanwhile: watch it at {settings.PUBLIC_URL}/admin/training/jobrun/."
            )
        if job.status != JobRun.Status.SUCCEEDED:
            words = f"{job.status.capitalize()} after {job.done:,} of {job.total:,} items. {job.error}".rstrip()
            raise CommandError(f"{words} Go on with: manage.py generate --resume {training_sheet.pk}")
        counts = ", ".join(f"{number} {name}" for name, number in training_sheet.statistics.items())
        self.stderr.write(f"{training_sheet.name}: {counts}; status {training_sheet.status}")
