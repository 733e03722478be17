"""Which rows of the audit are about labels."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Q

from labels.models import CanonicalLabel


def about_hidden(sheet_ids: Collection[str], _user: Any) -> Q:
    """Return the rows about labels of these sheets."""
    labels = CanonicalLabel.objects.filter(sheet_id__in=sheet_ids)
    return Q(canonical_label_id__in=labels.values_list("pk", flat=True))
