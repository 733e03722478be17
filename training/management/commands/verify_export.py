from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from training.actions.export import manifest_path
from training.actions.verify import verify
from training.exports.problems import counted
from training.exports.verifying import MOST, Findings
from training.progress_bar import ProgressBar
from workbench.command import stated_plainly

OUTDATED = 3
OLDER = "docs/review.md#older-labels"


class Command(BaseCommand):
    help = (
        "Check an exported file against its manifest, line by line, and the manifest against the tables. Exit code 1: "
        "the file or the manifest is not what was exported, or the export was broken off; 3: it is, but pairs in it changed or were withdrawn since. "
        "Example: manage.py verify_export train.jsonl"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--manifest", type=Path, metavar="M", help="default: FILE.manifest.json")

    @stated_plainly
    def handle(self, *args: Any, **options: Any) -> None:
        file = options["file"]
        with ProgressBar(sys.stderr, pauses=False, of="lines and pairs") as bar:
            found = verify(file, options["manifest"] or manifest_path(file), up_to=bar.up_to)
        if not found.is_complete:
            self.stderr.write("  the export was broken off: pairs that could leave are not in it")
        self._tell(found.broken)
        if found.broken.count:
            raise CommandError(f"{file} is not what was exported: {counted(found.broken.count, 'difference')}.")
        self.stdout.write(f"{file}: {found.lines:,} lines, each as it was exported")
        since = found.since
        self._tell(since.changed)
        self._tell(since.withdrawn)
        if not found.is_complete:
            raise CommandError(f"{file} is the beginning of an export that was broken off: export anew.")
        if not since.is_current:
            changed, withdrawn = counted(since.changed.count, "pair"), since.withdrawn.count
            which = "the pair" if since.relabeled == 1 else "the pairs"
            first = f"review {which} again whose label changed ({OLDER}), then " if since.relabeled else ""
            raise CommandError(
                f"Since the export {changed} changed and {withdrawn:,} {'was' if withdrawn == 1 else 'were'} withdrawn: "
                f"{first}export anew.",
                returncode=OUTDATED,
            )
        self.stdout.write(f"all {since.same:,} pairs stand as they left")
        if since.older:
            before, which = ("it", "it") if since.older == 1 else ("they", "them")
            had = f"of these {since.older:,} had a label that was changed before {before} left"
            self.stdout.write(f"{had}: review {which} again ({OLDER})")

    def _tell(self, findings: Findings) -> None:
        for words in findings.words:
            self.stderr.write(f"  {words}")
        if findings.count > MOST:
            self.stderr.write(f"  and {findings.count - MOST:,} more")
