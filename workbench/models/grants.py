"""Who sees a sheet that not everybody may see."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.db import models


class SheetGrant(models.Model):
    """A sheet with grants is for those whom they name; a sheet without any is for everybody.

    So neither user nor group goes while a grant names them: the sheet would open to everybody with the last one.

    Beside users and groups, because it joins them; the sheet is a row of the lakehouse, so its key is plain text.
    """

    class Level(models.TextChoices):
        READ = "read", "may look"
        WORK = "work", "may do all that their role allows"

    sheet_id = models.CharField(max_length=36, db_index=True)
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    level = models.CharField(max_length=4, choices=Level.choices, default=Level.WORK)
    granted_by = models.CharField(max_length=254, editable=False)
    granted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "sheet_grants"
        ordering = ["id"]
        permissions = [("see_every_sheet", "Can see and work on every sheet, whoever it is restricted to")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user=None, group__isnull=False) | models.Q(user__isnull=False, group=None),
                name="sheet_grants_user_or_group",
            ),
            models.UniqueConstraint(fields=["sheet_id", "user"], name="sheet_grants_sheet_user"),
            models.UniqueConstraint(fields=["sheet_id", "group"], name="sheet_grants_sheet_group"),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.group} {self.get_level_display()} with the sheet {self.sheet_id}"
