"""The catalog of a Databricks workspace, by the REST of Unity Catalog: no warehouse has to run for it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sheets.names import TableName
from sheets.tagged import Place, Tagged
from workbench.problems import Problem
from workbench.workspace import AT_ONCE, asking, workspace

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

Row = dict[str, Any]


def catalogs() -> list[Row]:
    with asking("list of catalogs"):
        return _named(workspace().catalogs.list())


def schemas(catalog: str) -> list[Row]:
    with asking(f"catalog {catalog!r}"):
        return _named(workspace().schemas.list(catalog))


def tables(catalog: str, schema: str) -> list[Row]:
    with asking(f"schema '{catalog}.{schema}'"):
        return _named(workspace().tables.list(catalog, schema, omit_columns=True, omit_properties=True))


def volumes(catalog: str, schema: str) -> list[Row]:
    with asking(f"schema '{catalog}.{schema}'"):
        return _named(workspace().volumes.list(catalog, schema))


def table(name: TableName) -> Row:
    with asking(f"table {str(name)!r}"):
        found = workspace().tables.get(quote(str(name), safe=""))
    described = [
        {
            "name": column.name,
            "type": column.type_text,
            "nullable": column.nullable is not False,
            "comment": column.comment,
        }
        for column in found.columns or []
    ]
    return {"comment": found.comment, "columns": described}


def columns(name: TableName) -> list[Row]:
    found: list[Row] = table(name)["columns"]
    return found


def tags(places: Sequence[Place]) -> list[Tagged]:
    """Return the tags of the places in their order, several requests at once: each place is one of its own."""
    if not places:
        return []
    client = workspace()
    with ThreadPoolExecutor(min(AT_ONCE, len(places))) as pool:
        return list(pool.map(lambda place: _tagged(client, place), places))


def _tagged(client: WorkspaceClient, place: Place) -> Tagged:
    try:
        with asking(f"tags of the {place.level} {place.name!r}"):
            found = list(client.entity_tag_assignments.list(f"{place.level}s", quote(place.name, safe="")))
    except Problem as problem:
        return Tagged(place.level, place.name, problem=problem.message)
    return Tagged(place.level, place.name, {tag.tag_key: tag.tag_value or "" for tag in found})


def _named(entries: Any) -> list[Row]:
    return sorted(({"name": entry.name, "comment": entry.comment} for entry in entries), key=lambda row: row["name"])
