from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from training.jobs.work import run
from training.models import JobRun
from workbench.command import find, stated_plainly


class Command(BaseCommand):
    help = "Run a job here until it ends; a job that another worker does, or that is over, is left alone. Example: manage.py run_job ID"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("job", metavar="ID")

    @stated_plainly
    def handle(self, *args: Any, **options: Any) -> None:
        job = run(find(JobRun, options["job"], name_field="id").pk)
        words = f"{job.status}, {job.done:,} of {job.total:,} items" if job else "left alone: done, or done elsewhere"
        self.stdout.write(f"job {options['job']}: {words}")
