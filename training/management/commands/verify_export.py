from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from training.actions.export import manifest_path
from training.actions.verify import verify
from training.exports.verifying import MOST, Findings
from training.progress_bar import ProgressBar
from workbench.command import stated_plainly

OUTDATED = 3


class Command(BaseCommand):
    help = (
        "Check an exported file against its manifest, line by line, and the manifest against the tables. Exit code 1: "
        "the file or the manifest is not what was exported; 3: it is, but pairs in it changed or were withdrawn since. "
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
        self._tell(found.broken)
        if found.broken.count:
            raise CommandError(f"{file} is not what was exported: {_counted(found.broken, 'difference')}.")
        self.stdout.write(f"{file}: {found.lines:,} lines, each as it was exported")
        since = found.since
        self._tell(since.changed)
        self._tell(since.withdrawn)
        if not since.is_current:
            raise CommandError(
                f"Since the export {since.changed.count} pairs changed and {since.withdrawn.count} were withdrawn: export anew.",
                returncode=OUTDATED,
            )
        self.stdout.write(f"all {since.same:,} pairs stand as they left")

    def _tell(self, findings: Findings) -> None:
        for words in findings.words:
            self.stderr.write(f"  {words}")
        if findings.count > MOST:
            self.stderr.write(f"  and {findings.count - MOST:,} more")


def _counted(findings: Findings, word: str) -> str:
    return f"{findings.count:,} {word}{'' if findings.count == 1 else 's'}"
