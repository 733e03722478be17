from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management.base import BaseCommand

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from training.actions.export import export_to_file, manifest_path
from training.actions.generate import generate, resume
from training.exports.run import ExportRun, run_of
from training.ledger import WAITING
from training.models import TrainingSheet
from training.seeds import SEED_DATA, SETS, load, read_json
from workbench.command import stated_plainly
from workbench.router import CONCEPT_APPS
from workbench.secret_files import kept_secret

ACTOR = "demo"
REVIEWER = "rosa"
COUNTERS = ("total_pairs", "pre_approved_pairs", "unlabeled_pairs")
HEADINGS = ("sheet", "items", "pre-approved", "to review", "exported", "excluded", "file")


class Command(BaseCommand):
    help = (
        "Load the seed data, generate and export both training sheets, print one table. A second run changes nothing. "
        "Example: manage.py demo"
    )

    @stated_plainly
    def handle(self, *args: Any, **options: Any) -> None:
        rows = [self._row(name) for name in SETS]
        self._print(rows)
        password = reviewer()
        self.stdout.write(f"\nAdmin: {settings.PUBLIC_URL}/admin/   login: {REVIEWER}   password: {password}")

    def _row(self, name: str) -> Sequence[str]:
        self.stderr.write(f"Loading and generating {name} …")
        load(name)
        training_sheet = generated(name)
        file = settings.EXPORTS_DIR / f"{name}.jsonl"
        ledger = exported(training_sheet, file).ledger
        counters = TrainingSheet.objects.with_counters().values(*COUNTERS).get(pk=training_sheet.pk)
        left_out = [entry for entry in ledger.summary()["exclusions"] if entry["reason"] != WAITING]
        return (
            training_sheet.sheet.name,
            *(str(counters[name]) for name in COUNTERS),
            str(ledger.exported),
            "; ".join(f"{entry['count']} {entry['reason']}" for entry in left_out) or "0",
            str(relative(file)) if ledger.exported else "none",
        )

    def _print(self, rows: Sequence[Sequence[str]]) -> None:
        widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
        for row in (HEADINGS, ["─" * width for width in widths], *rows):
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def generated(name: str) -> TrainingSheet:
    """Return the training sheet of a seed data set: made on the first run, finished if that was stopped, else found."""
    sheet = Sheet.objects.get(pk=read_json(SEED_DATA / name / "sheet.json")["id"])
    template = PromptTemplate.objects.get(pk=read_json(SEED_DATA / name / "templates.json")[0]["id"])
    present = TrainingSheet.objects.filter(sheet=sheet, template=template, created_by=ACTOR).last()
    if present is None:
        return generate(sheet=sheet, template=template, actor=ACTOR)
    unfinished = present.status in (TrainingSheet.Status.GENERATING, TrainingSheet.Status.FAILED)
    return resume(present) if unfinished else present


def exported(training_sheet: TrainingSheet, file: Path) -> ExportRun:
    """Return what left; a file that has these bytes already is not written, and not recorded, again.

    Where nothing may leave any more, nothing is written, and what left before stays where it is.
    """
    run = run_of(training_sheet)
    for _block in run.blocks():
        pass
    if not run.ledger.exported:
        return run
    if (
        file.exists()
        and manifest_path(file).exists()
        and hashlib.sha256(file.read_bytes()).hexdigest() == run.digest.hexdigest()
    ):
        return run
    return export_to_file(training_sheet, file, actor=ACTOR).run


def reviewer() -> str:
    """Make the demo's reviewer once and return the password, which is kept in a file that only its owner can read."""
    password = kept_secret(settings.VAR_DIR / "demo_password", 9)
    user, created = get_user_model().objects.get_or_create(username=REVIEWER, defaults={"is_staff": True})
    if created:
        user.set_password(password)
        user.save()
        user.user_permissions.set(Permission.objects.filter(content_type__app_label__in=CONCEPT_APPS))
    return password


def relative(file: Path) -> Path:
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
