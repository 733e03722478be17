"""A sheet: a named pointer to tables and volumes of the lakehouse, never a copy."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from governance.models import HeldOutItem, Withdrawal
from governance.uses import all_uses
from sheets.querysets import SheetQuerySet
from workbench.canonical import canonical_bytes
from workbench.concepts import Classification, Concept
from workbench.lakehouse.fields import ArrayField, ChoiceField

POINTERS = frozenset(
    {"primary_table", "secondary_sources", "join_keys", "item_ref_column", "filter_condition", "sample_size"}
)


class Sheet(Concept):
    """Which rows and files make up the items of a task."""

    of_sheet: ClassVar[str] = "pk"

    name = models.CharField(max_length=255, unique=True)
    description = models.TextField(blank=True, default="")
    primary_table = models.CharField(max_length=767, help_text="Three-level name: catalog.schema.table.")
    secondary_sources = models.JSONField(
        default=list,
        blank=True,
        help_text='[{"type": "table", "table": "c.s.t", "join_key": "id"}, {"type": "volume", "path": "/Volumes/c/s/v", '
        '"join_key": "id"}]',
    )
    join_keys = ArrayField(help_text="Columns of the primary table, one a line; the first one names the item.")
    item_ref_column = models.CharField(
        max_length=255, blank=True, default="", help_text="The column that names an item; default: the first join key."
    )
    filter_condition = models.TextField(null=True, blank=True, help_text="One boolean SQL expression over the columns.")
    sample_size = models.PositiveIntegerField(null=True, blank=True, help_text="Take this many items, always the same.")
    allowed_uses = ArrayField(
        default=all_uses, help_text="What all that is made from the sheet may be used for at most."
    )
    prohibited_uses = ArrayField(help_text="What nothing made from the sheet may be used for.")
    usage_reason = models.TextField(blank=True, default="", help_text="Why it limits uses.")
    data_classification = ChoiceField(
        max_length=12,
        choices=Classification.choices,
        default=Classification.PUBLIC,
        help_text="The least that all made from the sheet is classified as; public says nothing.",
    )
    row_count = models.BigIntegerField(null=True, editable=False, help_text="Items at the last validation.")
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SheetQuerySet.as_manager()

    class Meta:
        db_table = "sheets"
        db_table_comment = "Dataset definitions: pointers to tables and volumes"
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def item_ref_name(self) -> str:
        """The column whose value names an item."""
        return self.item_ref_column or (self.join_keys[0] if self.join_keys else "")

    def pointers_hash(self) -> str:
        """Return a hash of what the sheet reads, which a new name or description leaves alone."""
        return sha256(canonical_bytes({name: getattr(self, name) for name in POINTERS})).hexdigest()

    def pointed_at_by(self) -> list[str]:
        """Return what was made of the sheet or limits its items, counted: "2 canonical labels", "1 withdrawal"."""
        rows: list[models.QuerySet[Any]] = [
            relation.related_model._default_manager.filter(**{relation.field.name: self.pk})
            for relation in self._meta.related_objects
        ]
        rows.append(Withdrawal.objects.filter(sheet_id=self.pk, is_released=False))
        rows.append(HeldOutItem.objects.filter(sheet_id=self.pk))
        found = []
        for each in rows:
            if count := each.count():
                meta = each.model._meta
                found.append(f"{count:,} {meta.verbose_name if count == 1 else meta.verbose_name_plural}")
        return found


class ToldTags(models.Model):
    """The tags of a place ("table a.b.c") as the audit told of them last, see `sheets.tags_told`."""

    lives_in: ClassVar[str] = "default"

    place = models.CharField(primary_key=True, max_length=1100)
    words = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "told_tags"

    def __str__(self) -> str:
        return self.place
