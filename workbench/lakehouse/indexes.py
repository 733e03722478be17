"""Clustering, the lakehouse's place for an index: rows that are read together lie in the same files."""

from __future__ import annotations

from typing import Any

from django.db.models import Index


class ClusterBy(Index):
    """`CLUSTER BY` on a warehouse, a partition for each value of the first field on the local lakehouse.

    With `keys_within=True` the primary key is derived from the first field, so a row with an equal key can only
    lie in the same partition, and the guarded insert looks nowhere else.
    """

    def __init__(self, *fields: str, name: str, keys_within: bool = False) -> None:
        super().__init__(fields=fields, name=name)
        self.keys_within = keys_within

    def deconstruct(self) -> tuple[str, Any, dict[str, Any]]:
        kwargs = {"name": self.name, **({"keys_within": True} if self.keys_within else {})}
        return f"{type(self).__module__}.{type(self).__qualname__}", tuple(self.fields), kwargs
