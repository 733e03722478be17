"""The audit trail of governance, what is kept beside it to prove that it is whole, and what tags mean."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from governance.querysets import ADD_ONLY, AuditQuerySet, WithdrawalQuerySet
from workbench.concepts import Classification, Concept
from workbench.lakehouse.fields import ArrayField, ChoiceField, KeyField
from workbench.sheet_rights import OfSheetQuerySet


class UsageConstraintAudit(models.Model):
    """One change of what something may be used for, or one answer of the gate; only `governance.audit.append` adds rows.

    `sequence` counts from 1, and `row_hash` is over all other columns, the hash of the row before included.
    """

    class Kind(models.TextChoices):
        USES = "uses"
        TAG_RULE = "tag_rule"
        EXPORT = "export"
        REFUSAL = "refusal"
        HEAD = "head"
        RIGHTS = "rights"

    id = KeyField()
    sequence = models.BigIntegerField(unique=True, null=True, help_text="Place in the chain; empty for no row of ours.")
    kind = ChoiceField(max_length=8, choices=Kind.choices, default=Kind.USES)
    subject = models.CharField(
        max_length=1100, blank=True, default="", help_text="What it is about, where it is neither pair nor label."
    )
    qa_pair_id = models.CharField(max_length=36, blank=True, default="")
    canonical_label_id = models.CharField(max_length=36, blank=True, default="")
    old_allowed_uses = ArrayField()
    new_allowed_uses = ArrayField()
    old_prohibited_uses = ArrayField()
    new_prohibited_uses = ArrayField()
    old_data_classification = models.CharField(max_length=12, blank=True, default="")
    new_data_classification = models.CharField(max_length=12, blank=True, default="")
    reason = models.TextField()
    modified_by = models.CharField(max_length=254)
    modified_at = models.DateTimeField()
    previous_hash = models.CharField(max_length=64, blank=True, default="")
    row_hash = models.CharField(max_length=64, blank=True, default="")

    objects = AuditQuerySet.as_manager()

    class Meta:
        db_table = "usage_constraint_audit"
        db_table_comment = (
            "Changes of allowed and prohibited uses: what, why, who, when; each row has the hash of the one before"
        )
        ordering = ["-sequence"]
        # Django saves and follows relations past `objects` otherwise.
        base_manager_name = "objects"
        verbose_name = "usage constraint change"
        permissions = [
            ("change_uses", "Can change what pairs, labels and sheets may be used for"),
            ("loosen_tag_rule", "Can loosen a rule on uses that comes from a tag"),
        ]

    def __str__(self) -> str:
        return f"Row {self.sequence}: {self.reason}"

    def save(self, *args: object, **kwargs: object) -> None:
        raise ADD_ONLY

    def save_base(self, *args: object, **kwargs: object) -> None:
        raise ADD_ONLY

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise ADD_ONLY


class AuditHead(models.Model):
    """The newest row of the audit as this database knows it: what was cut off the end of the table is missed by this."""

    lives_in: ClassVar[str] = "default"

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    row_hash = models.CharField(max_length=64, blank=True, default="")
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "audit_head"

    def __str__(self) -> str:
        return f"row {self.sequence}"


class AuditAnnouncement(models.Model):
    """The last row of what a process is about to add: after a kill it tells its row from one that was slipped in."""

    lives_in: ClassVar[str] = "default"

    row_hash = models.CharField(max_length=64, unique=True)
    sequence = models.BigIntegerField(db_index=True)

    class Meta:
        db_table = "audit_announcements"

    def __str__(self) -> str:
        return f"row {self.sequence}"


class AuditFile(models.Model):
    """A file of the audit's table as it was when rows were last added, see `governance.files`."""

    lives_in: ClassVar[str] = "default"

    name = models.CharField(primary_key=True, max_length=255)
    sha256 = models.CharField(max_length=64)

    class Meta:
        db_table = "audit_files"

    def __str__(self) -> str:
        return self.name


class Withdrawal(Concept):
    """An item that may be used for nothing, and neither may what was or will be made from it, until it is released.

    One row of an item, kept after its release; every change of it is a row of the audit.
    """

    of_sheet: ClassVar[str] = "sheet_id"

    sheet_id = models.CharField(max_length=36)
    item_ref = models.CharField(max_length=1024)
    reason = models.TextField(help_text="Why nothing may be made of it, or why it was released.")
    is_released = models.BooleanField(default=False)
    updated_by = models.CharField(max_length=254, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = WithdrawalQuerySet.as_manager()

    class Meta:
        db_table = "withdrawals"
        db_table_comment = "Items that may be used for nothing: withdrawn by whom, when and why"
        ordering = ["-updated_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["sheet_id", "item_ref"], name="withdrawals_item")]

    def __str__(self) -> str:
        return self.item_ref


class TagPolicy(Concept):
    """What a tag of the catalog means for uses, found as its key or as its value, in any case."""

    tag = models.CharField(max_length=255, unique=True, help_text="The word, in capitals: PHI is also found as phi.")
    prohibited_uses = ArrayField(help_text="What nothing made from a source with this tag may be used for.")
    data_classification = models.CharField(
        max_length=12,
        choices=Classification.choices,
        blank=True,
        default="",
        help_text="At least this; empty: says nothing.",
    )
    updated_by = models.CharField(max_length=254, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "tag_policies"
        db_table_comment = "What tags of the catalog mean for uses"
        ordering = ["tag"]
        verbose_name = "tag rule"

    def __str__(self) -> str:
        return self.tag


class HeldOutItem(Concept):
    """An item that somebody reserved: no model learns from it, under whatever label type; its id is of sheet and item."""

    class Use(models.TextChoices):
        EVALUATION = "evaluation"
        TESTING = "testing"

    of_sheet: ClassVar[str] = "sheet_id"

    sheet_id = models.CharField(max_length=36)
    item_ref = models.CharField(max_length=1024)
    use = ChoiceField(max_length=10, choices=Use.choices, default=Use.EVALUATION, help_text="What it is kept for.")
    reason = models.TextField(help_text="Why it is reserved.")

    objects = OfSheetQuerySet.as_manager()

    class Meta:
        db_table = "held_out_items"
        db_table_comment = "Items reserved for evaluation or testing, which no model learns from"
        ordering = ["sheet_id", "item_ref"]
        verbose_name = "held-out item"

    def __str__(self) -> str:
        return self.item_ref
