from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from workbench import databases
from workbench.lakehouse import engines

URL = "databricks://dbc-1.cloud.databricks.com/sql/1.0/warehouses/abc123"


def test_a_warehouse_and_its_schema() -> None:
    entry = databases.lakehouse(f"{URL}?catalog=main&schema=work")
    assert (entry["HOST"], entry["NAME"]) == ("dbc-1.cloud.databricks.com", "/sql/1.0/warehouses/abc123")
    names = {"catalog": "main", "schema": "work", "volume": "main.work.staging"}
    assert entry["OPTIONS"] == {"engine": "databricks", **names}
    assert engines.engine("databricks").options(entry)["port"] == 443


@pytest.mark.parametrize("sign_in", ["token:dapi123@", "dapi123@"])
def test_a_secret_in_the_url_is_refused_and_not_shown(sign_in: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABRICKS_TOKEN") as caught:
        databases.lakehouse(URL.replace("://", f"://{sign_in}"))
    assert "dapi123" not in str(caught.value)


@pytest.mark.parametrize("url", ["databricks:///sql/1.0/warehouses/a", "databricks://host/sql", "databricks://host"])
def test_a_url_that_names_no_warehouse(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="names no SQL warehouse"):
        databases.lakehouse(url)


def test_an_engine_that_is_not_known() -> None:
    with pytest.raises(ImproperlyConfigured, match="use local or databricks"):
        engines.engine("oracle")


def test_a_volume_for_large_writes() -> None:
    assert databases.lakehouse(f"{URL}?volume=main.raw.big")["OPTIONS"]["volume"] == "main.raw.big"
    with pytest.raises(ImproperlyConfigured, match=r"use volume=CATALOG\.SCHEMA\.VOLUME"):
        databases.lakehouse(f"{URL}?volume=big")
