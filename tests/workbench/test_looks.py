"""How styles and templates are written, so that a change of one word is a change of one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
APPS = ("workbench", "governance", "sheets", "templates_app", "labels", "training")
TONES = {"plain", "good", "warn", "bad", "info"}


def of_the_apps(ending: str) -> list[Path]:
    return [file for app in APPS for file in ROOT.joinpath(app).rglob(f"*{ending}") if "vendor" not in file.parts]


@pytest.mark.parametrize("ending", [".css", ".html", ".py", ".js"])
def test_there_is_one_vocabulary_of_tones(ending: str) -> None:
    texts = [file.read_text(encoding="utf-8") for file in of_the_apps(ending)]
    used = {tone for text in texts for tone in re.findall(r"\bwb-tone-([a-z]+)", text)}
    assert used <= TONES and not [text for text in texts if re.search(r"wb-(good|warning|bad|info)(?=[\"\' {])", text)]


def test_a_line_of_css_holds_one_rule_or_declaration() -> None:
    lines = [(file, line) for file in of_the_apps(".css") for line in file.read_text(encoding="utf-8").splitlines()]
    declared = [(file, line) for file, line in lines if "{" not in line and line.count(";") > 1]
    assert not declared
    assert not [(file, line) for file, line in lines if len(line) > 160 or line.count("{") > 1 or "} " in line.strip()]


# Longer lines since before this was looked at: break them, and take the file off.
LONG = {
    "governance/templates/governance/foreseen.html",
    "labels/templates/labels/adjudicate.html",
    "labels/templates/labels/agreement.html",
    "labels/templates/labels/answer.html",
    "labels/templates/labels/import.html",
    "labels/templates/labels/label.html",
    "labels/templates/labels/progress.html",
    "sheets/templates/sheets/catalog_table.html",
    "sheets/templates/sheets/define.html",
    "sheets/templates/sheets/define_preview.html",
    "sheets/templates/sheets/node.html",
    "sheets/templates/sheets/tag.html",
    "templates_app/templates/templates_app/answer_field.html",
    "templates_app/templates/templates_app/answer_shape.html",
    "templates_app/templates/templates_app/answer_shapes.html",
    "templates_app/templates/templates_app/answer_told.html",
    "templates_app/templates/templates_app/studio.html",
    "templates_app/templates/templates_app/studio_preview.html",
    "training/templates/review/answer.html",
    "training/templates/review/empty.html",
    "training/templates/review/filters.html",
    "training/templates/review/list.html",
    "training/templates/review/page.html",
    "training/templates/review/progress.html",
    "training/templates/review/uses.html",
    "training/templates/review/views.html",
    "training/templates/tracing/recall.html",
    "training/templates/tracing/timeline.html",
    "training/templates/training/conversations_import.html",
    "training/templates/training/export.html",
    "training/templates/training/generate_counts.html",
    "training/templates/training/ground_truth.html",
    "training/templates/training/job.html",
    "training/templates/training/job_now.html",
    "training/templates/training/training_file.html",
    "training/templates/training/training_file_fill.html",
    "training/templates/training/trial.html",
    "workbench/templates/404.html",
    "workbench/templates/admin/base.html",
    "workbench/templates/workbench/dialogs.html",
    "workbench/templates/workbench/new_token.html",
}


def test_a_line_of_a_template_is_under_161_characters() -> None:
    long = {
        str(file.relative_to(ROOT))
        for file in of_the_apps(".html")
        if any(len(line) > 160 for line in file.read_text(encoding="utf-8").splitlines())
    }
    assert long <= LONG
