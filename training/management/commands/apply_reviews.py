from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from training.review.applying import apply_waiting, sheets_that_wait, waiting
from workbench.command import stated_plainly


class Command(BaseCommand):
    help = "Apply the reviewed decisions that are not in the lakehouse yet, and say what still waits. Example: manage.py apply_reviews"

    @stated_plainly
    def handle(self, *args: Any, **options: Any) -> None:
        applied = sum(apply_waiting(key) for key in sheets_that_wait())
        self.stdout.write(f"{applied:,} decisions applied.")
        left = waiting()
        if left.actions:
            raise CommandError(
                f"{left.actions:,} wait since {left.since:%Y-%m-%d %H:%M} UTC; the lakehouse refused {left.refused:,} of them: "
                "see the column `error` of review_actions."
            )
