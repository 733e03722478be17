"""What WORKBENCH_DATABASE_URL may say about Lakebase, and what an app's own variables become."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from workbench import databases, databricks_apps

ENDPOINT = "endpoint=projects/p/branches/b/endpoints/e"
OF_THE_APP = {
    "PGHOST": "ep-1.database.example.com",
    "PGPORT": "5432",
    "PGUSER": "0f-id",
    "PGDATABASE": "databricks_postgres",
    "PGSSLMODE": "require",
    "LAKEBASE_ENDPOINT": "projects/p/branches/b/endpoints/e",
}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"lakebase://omar:hunter2@host/db?{ENDPOINT}", "leave it out"),
        ("lakebase://omar@host/db", "endpoint=projects/P"),
        ("lakebase://omar@host/db?endpoint=primary", "endpoint=projects/P"),
        (f"lakebase://host/db?{ENDPOINT}", "lakebase://USER@HOST/NAME"),
        (f"lakebase://omar@host/db?{ENDPOINT}&sslmode=disable", "in the clear"),
        (f"lakebase://omar@host/db?{ENDPOINT}&pool=yes", "unknown options pool"),
    ],
)
def test_a_wrong_url_says_what_is_right(url: str, words: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="WORKBENCH_DATABASE_URL") as caught:
        databases.default(url)
    assert words in str(caught.value) and "hunter2" not in str(caught.value)


def test_the_variables_of_an_app_name_its_database() -> None:
    entry = databases.default(databricks_apps.database_url(OF_THE_APP))
    assert (entry["ENGINE"], entry["HOST"], entry["USER"]) == ("workbench.lakebase", OF_THE_APP["PGHOST"], "0f-id")
    assert entry["OPTIONS"]["endpoint"] == OF_THE_APP["LAKEBASE_ENDPOINT"] and entry["PASSWORD"] == ""


def test_encryption_is_asked_for_where_nothing_is_said() -> None:
    entry = databases.default(databricks_apps.database_url(OF_THE_APP | {"PGSSLMODE": ""}))
    assert entry["OPTIONS"]["sslmode"] == "require"


def test_a_database_without_its_endpoint_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="PGHOST is set without LAKEBASE_ENDPOINT"):
        databricks_apps.database_url(OF_THE_APP | {"LAKEBASE_ENDPOINT": ""})


@pytest.mark.parametrize("url", [f"lakebase://omar@host/db?{ENDPOINT}", "postgresql://omar@host/db"])
def test_a_connection_and_a_statement_end_within_a_request(url: str) -> None:
    entry = databases.default(url)
    assert entry["OPTIONS"]["connect_timeout"] + databases.STATEMENT_MS / 1000 < 120
    assert entry["OPTIONS"]["options"] == f"-c statement_timeout={databases.STATEMENT_MS}"
    assert entry["CONN_MAX_AGE"] < 3600 and entry["CONN_HEALTH_CHECKS"] and "pool" not in entry["OPTIONS"]
