"""A table that later versions changed, as its migrations tell."""

from __future__ import annotations

from django.db import models

from workbench.lakehouse.fields import ArrayField, ChoiceField, KeyField


def first_words() -> list[str]:
    return ["new", "it's"]


class Gadget(models.Model):
    id = KeyField()
    title = models.CharField(max_length=50)
    size = models.BigIntegerField(default=0)
    note = models.TextField(null=True)
    grade = models.CharField(max_length=10, default='it\'s "B"\\%')
    words = ArrayField(default=first_words)
    data = models.JSONField(default=dict)
    checked = models.BooleanField(default=False)
    condition = ChoiceField(max_length=10, choices=[("new", "New"), ("used", "Used"), ("lost", "Lost")], default="new")

    class Meta:
        app_label = "growing"
