"""What an auditor is shown: a tag set by SQL empties the export, taken away the five are back, and all of it is on the audit."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from governance.models import UsageConstraintAudit
from training.models import TrainingSheet

TABLE = "mirion_vital.raw.parsed_invoices"


def run(*command: str) -> str:
    out = io.StringIO()
    call_command(*command, stdout=out, stderr=out)
    return out.getvalue()


def test_tagged_exported_untagged_exported_verified(invoices: TrainingSheet, tmp_path: Path) -> None:
    target = tmp_path / "invoices.jsonl"
    command = ("export_jsonl", invoices.pk, "--out", str(target))
    run("sql", f"ALTER TABLE {TABLE} SET TAGS ('PHI')")
    with pytest.raises(CommandError, match="5 pairs: training prohibited, table tag PHI"):
        run(*command)
    assert not target.exists()
    run("sql", f"ALTER TABLE {TABLE} UNSET TAGS ('PHI')")
    assert "5 of 30 pairs exported" in run(*command)
    tagged, refusal, untagged, _begun, export = UsageConstraintAudit.objects.order_by("sequence")
    assert [each.subject for each in (tagged, untagged)] == [f"table {TABLE}"] * 2
    assert tagged.reason.endswith("found at an export: PHI set.") and untagged.reason.endswith("PHI gone.")
    assert (refusal.kind, export.kind, refusal.subject) == ("refusal", "export", f"training sheet {invoices.pk}")
    assert "table tag PHI" in refusal.reason and "5 of 30 pairs left for training" in export.reason
    assert "The audit is whole: 5 rows" in run("verify_audit")


def test_the_command_says_what_it_found(invoices: Any) -> None:
    assert run("verify_audit") == "The audit is whole: 0 rows, each with the hash of the one before.\n"
