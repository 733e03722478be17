from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars
import pyarrow as pa
import pytest
from django.db import IntegrityError

from tests.lakehouse.testapp.models import Legacy
from workbench.lakehouse.bulk import append_arrow


def test_a_column_whose_name_delta_refuses(lakehouse: Path, frame: Callable[[str], polars.DataFrame]) -> None:
    Legacy.objects.bulk_create([Legacy(number=1), Legacy(number=2)])
    assert Legacy.objects.filter(number=1).update(number=3) == 1
    assert list(Legacy.objects.order_by("number").values_list("number", flat=True)) == [2, 3]
    assert sorted(frame("testapp_legacy")["Entry__No_"]) == [2, 3]


def test_arrow_rows_have_the_stored_name(lakehouse: Path) -> None:
    assert append_arrow(Legacy, pa.table({"id": ["a", "b"], "Entry__No_": [1, 2]})) == 2
    assert Legacy.objects.get(number=2).pk == "b"


def test_it_is_unique_as_well(lakehouse: Path) -> None:
    made = Legacy.objects.create(number=1)
    with pytest.raises(IntegrityError):
        Legacy.objects.create(number=1)
    Legacy.objects.bulk_create(
        [Legacy(pk=made.pk, number=5)], update_conflicts=True, unique_fields=["pk"], update_fields=["number"]
    )
    assert Legacy.objects.get().number == 5
