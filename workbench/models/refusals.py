"""What was refused."""

from __future__ import annotations

from django.db import models


class Refusal(models.Model):
    """Who was refused what, and why; the same within one minute is one row that counts."""

    minute = models.DateTimeField()
    user = models.CharField(max_length=254, blank=True, help_text="Who was signed in, or tried to.")
    address = models.CharField(max_length=45, blank=True)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=200, help_text="Without the query, which can hold secrets.")
    status = models.PositiveSmallIntegerField()
    why = models.CharField(max_length=500, blank=True)
    count = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "refusals"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["minute", "user", "address", "method", "path", "status"], name="refusals_once_a_minute"
            )
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.method} {self.path}"
