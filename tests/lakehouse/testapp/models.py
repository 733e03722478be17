"""A parts store: small models that ask everything of the backend. They never leave the tests."""

from __future__ import annotations

from django.db import models

from workbench.lakehouse.fields import ArrayField, KeyField
from workbench.lakehouse.indexes import ClusterBy


class Kept(models.Model):
    """The label is spelled out because pytest imports models before the app is installed."""

    id = KeyField()

    class Meta:
        abstract = True
        app_label = "testapp"


class Shelf(Kept):
    name = models.CharField(max_length=50, unique=True)


class Tag(Kept):
    word = models.CharField(max_length=50, unique=True)


class Part(Kept):
    shelf = models.ForeignKey(Shelf, models.CASCADE, null=True, related_name="parts")
    name = models.CharField(max_length=50)
    code = models.CharField(max_length=50, null=True, unique=True)
    price = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    stock = models.IntegerField(null=True)
    added = models.DateTimeField(null=True)
    tags = models.ManyToManyField(Tag)


class Place(Kept):
    """Unique by two columns together."""

    row = models.IntegerField()
    column = models.IntegerField(null=True)
    note = models.TextField(default="")

    class Meta(Kept.Meta):
        constraints = [models.UniqueConstraint(fields=["row", "column"], name="one_place")]


class Counter(Kept):
    n = models.BigIntegerField(default=0)


class Line(Kept):
    """Clustered rows, as pairs are: the key follows from the sheet."""

    sheet = models.CharField(max_length=50)
    text = models.TextField(default="")

    class Meta(Kept.Meta):
        indexes = [ClusterBy("sheet", name="line_by_sheet", keys_within=True)]


class Sample(Kept):
    """A column of every kind."""

    text = models.TextField(null=True)
    flag = models.BooleanField(null=True)
    small = models.SmallIntegerField(null=True)
    whole = models.BigIntegerField(null=True)
    real = models.FloatField(null=True)
    exact = models.DecimalField(max_digits=30, decimal_places=10, null=True)
    day = models.DateField(null=True)
    moment = models.DateTimeField(null=True)
    time = models.TimeField(null=True)
    took = models.DurationField(null=True)
    code = models.UUIDField(null=True)
    raw = models.BinaryField(null=True)
    address = models.GenericIPAddressField(null=True)
    data = models.JSONField(null=True)
    words = ArrayField(null=True, default=None)


class Legacy(Kept):
    """A column whose name Delta refuses."""

    number = models.IntegerField(db_column="Entry (No)", unique=True)


ALL = (Shelf, Tag, Part, Place, Counter, Line, Sample, Legacy)
