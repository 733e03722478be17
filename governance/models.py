"""The audit trail of usage constraints."""

from __future__ import annotations

from django.db import models

from workbench.lakehouse.fields import ArrayField, KeyField


class UsageConstraintAudit(models.Model):
    """One change of what a pair or a label may be used for; rows are only ever added."""

    id = KeyField()
    qa_pair_id = models.CharField(max_length=36, blank=True, default="")
    canonical_label_id = models.CharField(max_length=36, blank=True, default="")
    old_allowed_uses = ArrayField()
    new_allowed_uses = ArrayField()
    old_prohibited_uses = ArrayField()
    new_prohibited_uses = ArrayField()
    old_data_classification = models.CharField(max_length=12)
    new_data_classification = models.CharField(max_length=12)
    reason = models.TextField()
    modified_by = models.CharField(max_length=254)
    modified_at = models.DateTimeField()

    class Meta:
        db_table = "usage_constraint_audit"
        db_table_comment = "Changes of allowed and prohibited uses: what, why, who, when"
        ordering = ["-id"]
        verbose_name = "usage constraint change"

    def __str__(self) -> str:
        return f"{self.qa_pair_id or self.canonical_label_id}: {self.reason}"
