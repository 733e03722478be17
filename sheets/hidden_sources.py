"""Tables and volumes that only sheets read which a user may not see: for them the catalog does not have these either."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sheets.catalog import Row, tables, volumes
from sheets.models import Sheet
from sheets.names import TableName, VolumeName, name_of
from sheets.own import refuse_own
from sheets.querysets import sources_in
from sheets.tagged import Place
from workbench.problems import Forbidden, Invalid, NotFound
from workbench.sheet_rights import rights_of


def need_source(user: Any, name: TableName | VolumeName) -> None:
    """Raise NotFound where the table or volume is not there for the user, Forbidden where it is the workbench's own."""
    refuse_own(name.catalog, name.schema)
    _need_seen(user, str(name))


def need_file(user: Any, path: str) -> None:
    """Raise NotFound where the file `/Volumes/c/s/v/…` lies in a volume that is not there for the user."""
    _need_seen(user, "/".join(f"/{path.lstrip('/')}".split("/")[:5]))


def need_sources(user: Any, data: Mapping[str, Any]) -> None:
    """Raise Invalid where a sheet would read what is not there for the user; `data` has the names of a sheet's fields."""
    hidden = _hidden_from(user)
    words = "There is no {}, or you may not see it: ask a platform lead for rights on the sheet that reads it."
    if (table := name_of(str(data.get("primary_table") or ""))) in hidden:
        raise Invalid.of_fields("The sheet was not saved.", {"primary_table": [words.format(table)]})
    for name in sources_in(data.get("secondary_sources")):
        if name in hidden:
            raise Invalid.of_fields("The sheet was not saved.", {"secondary_sources": [words.format(name)]})


def tables_seen(user: Any, catalog: str, schema: str) -> list[Row]:
    """Return the tables of a schema that are there for the user; rows and errors as of `catalog.tables`."""
    hidden = _hidden_from(user)
    return [row for row in tables(catalog, schema) if row["full_name"].lower() not in hidden]


def volumes_seen(user: Any, catalog: str, schema: str) -> list[Row]:
    """Return the volumes of a schema that are there for the user; rows and errors as of `catalog.volumes`."""
    hidden = _hidden_from(user)
    return [row for row in volumes(catalog, schema) if row["path"].lower() not in hidden]


def need_work_below(user: Any, place: Place) -> None:
    """Raise Forbidden where a sheet reads from the place that the user may not work on: its tags limit that one too."""
    rights = rights_of(user)
    kept = rights.hidden | rights.read_only
    if kept and any(key in kept and _reads(sources, place) for key, sources in Sheet.objects.sources()):
        raise Forbidden(
            f"A tag of the {place.level} {place.name} limits more than the sheets that you may work on: ask a platform lead."
        )


def _reads(sources: Iterable[str], place: Place) -> bool:
    """Return whether a source is the place, lies in it, or is the table of the column."""
    wanted = [part.lower() for part in place.parts[:3]]
    for source in sources:
        is_volume = source.startswith("/volumes/")
        parts = source.removeprefix("/volumes/").split("/" if is_volume else ".")
        if parts[: len(wanted)] == wanted and (len(wanted) < 3 or is_volume == (place.level == "volume")):
            return True
    return False


def _need_seen(user: Any, name: str) -> None:
    if name.lower().rstrip("/") in _hidden_from(user):
        raise NotFound(f"There is no {name}, or you may not see it.")


def _hidden_from(user: Any) -> frozenset[str]:
    return Sheet.objects.sources_hidden_from(user)
