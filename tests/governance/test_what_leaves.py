"""Everything that lets data out asks the gate: each endpoint, page and command is found, and a new one must be listed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.test import Client
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from labels.reserving import release, reserve
from sheets.models import Sheet
from tests.api.test_every_endpoint import routes
from tests.closing import close
from training.actions.conversations import conversations_from
from training.actions.generate import draft_examples
from training.actions.training_files import create_training_file
from training.models import Conversation, QAPair, TrainingFile, TrainingSheet
from workbench.router import CONCEPT_APPS

# The pages of one row belong to their list.
LIST_OF_EXPORTS = re.compile(r"(?<=^/admin/training/export/).+")
WORDS = re.compile(r"export|download|jsonl|examples|ground.truth")


class Out:
    """Tries to take data out for training, each way; true where something came."""

    def __init__(self, training_sheet: TrainingSheet, api: APIClient, browser: Client, directory: Path) -> None:
        self.training_sheet, self.api, self.browser, self.directory = training_sheet, api, browser, directory
        # The first ones, which are opened again after rules changed.
        self.links: dict[str, str] = {}

    def export_api(self) -> bool:
        url = f"/api/v1/training-sheets/{self.training_sheet.pk}/export"
        summary = self.api.get(f"{url}/summary").json()["exported"]
        came = self.api.get(f"{url}/jsonl").status_code == 200
        assert came == bool(summary)
        return came

    def checks_api(self) -> bool:
        url = f"/api/v1/training-sheets/{self.training_sheet.pk}/export/checks"
        return bool(self.api.get(url).json()["lines"])

    def kept(self) -> bool:
        made = self.api.post(f"/api/v1/training-sheets/{self.training_sheet.pk}/exports")
        came = bool(made.status_code == 201)
        if came:
            self.export_id = made.json()["id"]
            self.links.setdefault("kept", made.json()["link"]["url"])
        # What was kept before has no link while a pair in it may not leave.
        link = self.api.post(f"/api/v1/exports/{self.export_id}/link")
        assert came == (link.status_code == 200) == self._opens("kept")
        return came

    def labels_api(self) -> bool:
        given = {"sheet": self.training_sheet.sheet_id, "use": "training"}
        return bool(self.api.get("/api/v1/canonical-labels/export", given).status_code == 200)

    def export_page(self) -> bool:
        url = reverse("admin:training_trainingsheet_export", args=[self.training_sheet.pk])
        return self.browser.post(url, {"use": "training"}).get("Content-Type") == "application/jsonl"

    def export_jsonl(self) -> bool:
        return self._command("export_jsonl", self.training_sheet.pk)

    def export_labels(self) -> bool:
        return self._command("export_labels", "--sheet", self.training_sheet.sheet.name, "--use", "training")

    def ground_truth(self) -> bool:
        page = self.browser.post(reverse("admin:training_reviewevent_ground_truth"), {"use": "training"})
        came = bool(self.api.get("/api/v1/ground-truth/export").status_code == 200)
        assert came == (page.get("Content-Type") == "application/jsonl")
        return came

    def export_ground_truth(self) -> bool:
        return self._command("export_ground_truth")

    def training_file(self) -> bool:
        if not TrainingFile.objects.exists():
            TrainingSheet.objects.filter(pk=self.training_sheet.pk).update(status="approved")
            conversations_from(TrainingSheet.objects.get(pk=self.training_sheet.pk), actor="omar")
            create_training_file("all", list(Conversation.objects.values_list("pk", flat=True)), actor="omar")
        key = TrainingFile.objects.get().pk
        link = self.api.get(f"/api/v1/training-files/{key}/download", {"format": "json"})
        page = self.browser.post(reverse("admin:training_trainingfile_download", args=[key]), {"format": "json"})
        close(page)
        came = bool(link.status_code == 200)
        if came:
            self.links.setdefault("file", link.json()["download_url"])
        assert came == (page.status_code == 200) == self._opens("file")
        return came

    def drafting(self) -> bool:
        return bool(list(draft_examples(self.training_sheet)))

    def _opens(self, name: str) -> bool:
        answer = APIClient().get(self.links[name])
        close(answer)
        return bool(answer.status_code == 200)

    def _command(self, name: str, *given: str) -> bool:
        out = self.directory / f"{name}.jsonl"
        out.unlink(missing_ok=True)
        try:
            call_command(name, *given, "--out", str(out))
        except CommandError as error:
            assert "Nothing to export" in str(error)
        return out.exists()


Way = Callable[[Out], bool]
# What was found, and how it is tried; words say why one that looks like it lets nothing out for a use.
LISTED: dict[str, Way | str] = {
    "GET /api/v1/training-sheets/{id}/export/jsonl": Out.export_api,
    "GET /api/v1/training-sheets/{id}/export/summary": Out.export_api,
    "GET /api/v1/canonical-labels/export": Out.labels_api,
    "GET /api/v1/files/{path}": "a file of a volume, shown to who labels it",
    "GET /api/v1/training-sheets/{id}/export/checks": Out.checks_api,
    "GET /api/v1/exports/{id}/download": Out.kept,
    "GET /api/v1/exports/{id}/manifest": "which pairs left, and digests of their lines",
    "GET /api/v1/exports": "what left: counts and digests",
    "GET /api/v1/exports/{id}": "what left: counts and digests",
    "page /admin/training/export/": "what left: counts and digests",
    "page /admin/labels/canonicallabel/x/as_jsonl/": "leads to the labels of the API, for who may change them",
    "page /admin/training/trainingsheet/x/export/": Out.export_page,
    "GET /api/v1/ground-truth/export": Out.ground_truth,
    "GET /api/v1/ground-truth/stats": "counts, and names of fields",
    "page /admin/training/reviewevent/ground_truth/": Out.ground_truth,
    "command export_ground_truth": Out.export_ground_truth,
    "GET /api/v1/training-files/{id}/download": Out.training_file,
    "GET /api/v1/training-files/{id}/content": Out.training_file,
    "page /admin/training/trainingfile/x/download/": Out.training_file,
    "GET /api/v1/usage-constraint-audit/export": "the audit, for who may look at it",
    "page /admin/governance/usageconstraintaudit/as_jsonl/": "the audit, for who may look at it",
    "command export_audit": "the audit",
    "GET /api/v1/governance/recall/report": "what an item reached: names and digests",
    "command export_jsonl": Out.export_jsonl,
    "command export_labels": Out.export_labels,
}


def found() -> Iterator[str]:
    for path, methods in SchemaGenerator().get_schema(request=None, public=True)["paths"].items():
        for method, operation in methods.items():
            kinds = {kind for answer in operation["responses"].values() for kind in answer.get("content", ())}
            if kinds - {"application/json"} or (method == "get" and WORDS.search(path)):
                yield f"{method.upper()} {path}"
    for path, _ in routes():
        if not path.startswith("/api/") and WORDS.search(path):
            yield f"page {LIST_OF_EXPORTS.sub('', path)}"
    for name, app in get_commands().items():
        parser = load_command_class(app, name).create_parser("manage.py", name) if app in CONCEPT_APPS else None
        if parser and any("--out" in each.option_strings for each in parser._actions):
            yield f"command {name}"


def test_every_way_out_is_listed() -> None:
    assert set(found()) == set(LISTED), "List a new way out, and how the test below takes data out by it."


def test_every_way_out_asks_the_gate(
    invoices: TrainingSheet, api: APIClient, omar: User, client: Client, tmp_path: Path, sql: Any
) -> None:
    client.force_login(omar)
    out = Out(invoices, api, client, tmp_path)
    ways = {way for way in LISTED.values() if callable(way)}
    assert [way for way in ways if not way(out)] == []
    table = Sheet.objects.get().primary_table
    sql(f"ALTER TABLE {table} SET TAGS ('PHI' = '')")
    assert [way for way in ways if way(out)] == []
    sql(f"ALTER TABLE {table} UNSET TAGS ('PHI')")
    assert [way for way in ways if not way(out)] == []
    sheet = Sheet.objects.get()
    refs = [pair.item_ref for pair in QAPair.objects.of(invoices.pk)]
    reserve(sheet, refs, "Golden set", actor="omar")
    assert [way for way in ways if way(out)] == []
    assert not out.drafting()
    release(sheet, refs, "The set is retired", actor="omar")
    # A draft is made from examples, which is the use few_shot.
    assert out.drafting()
    sql(f"ALTER TABLE {table} SET TAGS ('CONFIDENTIAL' = '')")
    assert not out.drafting()
