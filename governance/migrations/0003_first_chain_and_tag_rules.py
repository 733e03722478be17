"""Chains the audit rows that there are, and writes the tag rules that a new workbench starts with."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

from governance.chain import hash_of
from workbench.lakehouse.ids import uuid5_of
from workbench.router import LAKEHOUSE

PERSONAL = (["training", "validation"], "restricted")
RULES = {"PII": PERSONAL, "PHI": PERSONAL, "CONFIDENTIAL": (["evaluation", "few_shot"], "confidential")}


def chain(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    """Give every row its place by time; the same again gives the same."""
    if editor.connection.alias != LAKEHOUSE:
        return
    audit = apps.get_model("governance", "UsageConstraintAudit")
    rows = list(audit.objects.order_by("modified_at", "id"))
    previous = ""
    for place, row in enumerate(rows, 1):
        row.sequence, row.previous_hash = place, previous
        row.row_hash = previous = hash_of({f.attname: getattr(row, f.attname) for f in audit._meta.concrete_fields})
    if rows:
        audit.objects.bulk_update(rows, ["sequence", "previous_hash", "row_hash"], batch_size=1000)
        head = apps.get_model("governance", "AuditHead")
        head.objects.using("default").update_or_create(pk=1, defaults={"sequence": len(rows), "row_hash": previous})


def rules(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.alias != LAKEHOUSE:
        return
    policy = apps.get_model("governance", "TagPolicy")
    now = timezone.now()
    policy.objects.bulk_create(
        [
            policy(
                id=uuid5_of("tag_policy", tag), tag=tag, prohibited_uses=prohibited, data_classification=classification,
                created_by="workbench", created_at=now, updated_by="workbench", updated_at=now,
            )
            for tag, (prohibited, classification) in RULES.items()
        ],
        ignore_conflicts=True,
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("governance", "0002_chained_audit_and_tag_policies")]

    operations = [
        migrations.RunPython(chain, migrations.RunPython.noop),
        migrations.RunPython(rules, migrations.RunPython.noop),
    ]
