from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.databricks.loopback import Loopback
from workbench.lakehouse.base import DatabaseWrapper


def test_tests_on_a_warehouse_have_a_schema_of_their_own(warehouse: Loopback, backend: DatabaseWrapper) -> None:
    name = backend.settings_dict["NAME"]
    catalog = warehouse.directory / warehouse.catalog
    backend.creation._create_test_db(0, autoclobber=True)
    backend.close()
    assert backend.creation._get_test_db_name() == name
    with backend.cursor() as cursor:
        cursor.execute("CREATE TABLE here (id STRING) USING DELTA")
    assert (catalog / "test_workbench" / "here").exists()
    backend.creation._destroy_test_db(name, 0)
    assert not (catalog / "test_workbench").exists() and (catalog / "workbench" / "parts").exists()
    assert backend.settings_dict["OPTIONS"]["schema"] == "workbench"


def test_the_real_schema_is_never_the_one_for_tests(backend: DatabaseWrapper) -> None:
    backend.settings_dict["TEST"]["SCHEMA"] = "workbench"
    with pytest.raises(ImproperlyConfigured, match="would drop the schema workbench"):
        backend.creation._create_test_db(0, autoclobber=True)
