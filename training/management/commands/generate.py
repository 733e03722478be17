from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sheets.models import Sheet
from templates_app.actions import find_template
from training.actions.generate import generate, resume
from training.models import TrainingSheet
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
            training_sheet = resume(find(TrainingSheet, options["resume"]))
        elif not (options["sheet"] and options["template"]):
            raise CommandError("Give --sheet and --template, or --resume with the id of a training sheet.")
        else:
            config = {
                "limit": options["limit"],
                "response_column": options["response_column"],
                "trusted": options["trusted"] or None,
            }
            training_sheet = generate(
                sheet=find(Sheet, options["sheet"]),
                template=find_template(options["template"]),
                mode=options["mode"],
                name=options["name"],
                config={key: value for key, value in config.items() if value is not None},
                actor=getpass.getuser(),
            )
        counts = ", ".join(f"{number} {name}" for name, number in training_sheet.statistics.items())
        self.stderr.write(f"{training_sheet.name}: {counts}; status {training_sheet.status}")
        self.stdout.write(training_sheet.pk)
