from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from training.tracing.report import LISTS, verified
from workbench.command import stated_plainly


class Command(BaseCommand):
    help = (
        "Check that a signed report of a recall is as this workbench signed it. "
        "Example: manage.py verify_report recall_INV-001.jsonl"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--public-key", default="", metavar="HEX", help="of who signed it; default: this workbench")

    @stated_plainly
    def handle(self, *_: Any, **options: Any) -> None:
        said = verified(options["file"].read_bytes(), options["public_key"])
        reached = ", ".join(
            # A report of an earlier version has fewer lists.
            f"{len(said[name]):,} {name.replace('_', ' ')}"
            for name in LISTS
            if name in said and name != "elsewhere"
        )
        made = said["made"]
        self.stdout.write(f"The report is whole and signed: {said['report']} of {said['item_ref']} in {said['sheet']}.")
        self.stdout.write(f"Made by {made['by']} at {made['at']}: {reached}.")
