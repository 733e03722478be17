"""The checks of `manage.py doctor` on what sheets read: volumes and tags."""

from __future__ import annotations

from django.db import connections

from sheets import information_schema
from sheets import volumes as files
from sheets.names import VolumeName, quote
from workbench.doctor import Finding
from workbench.problems import Problem
from workbench.router import LAKEHOUSE

TAG_VIEWS = ("catalog_tags", "schema_tags", "table_tags", "column_tags", "volume_tags")


def volumes() -> Finding:
    """Return whether the first volume of the catalog can be listed, and its first file read."""
    name = _catalog()
    found = information_schema.rows(
        f"SELECT volume_schema, volume_name FROM {_views()}.volumes ORDER BY 1, 2 LIMIT 1"  # noqa: S608 - a quoted name
    )
    if not found:
        return Finding("ok", f"the catalog {name} shows none; READ VOLUME is needed to see one")
    volume_name = VolumeName(name, found[0]["volume_schema"], found[0]["volume_name"])
    try:
        volume = files.volume(volume_name)
        listed = volume.list_files()
        if listed:
            with volume.open(listed[0]) as file:
                file.read(1)
    except Problem as problem:
        return Finding("warn", problem.message, "use sheets over tables until then")
    return Finding("ok", f"{volume_name} was listed, {len(listed)} files" + (", and one read" if listed else ""))


def tags() -> Finding:
    """Return whether the tags of each level can be read."""
    counts = " UNION ALL ".join(
        f"SELECT '{view}' AS view, COUNT(*) AS found FROM {_views()}.{view}"  # noqa: S608 - a quoted name
        for view in TAG_VIEWS
    )
    found = {row["view"]: row["found"] for row in information_schema.rows(counts)}
    return Finding("ok", ", ".join(f"{found[view]} {view.replace('_', ' ')}" for view in TAG_VIEWS))


def _catalog() -> str:
    return str(connections[LAKEHOUSE].settings_dict["OPTIONS"]["catalog"]).lower()


def _views() -> str:
    return f"{quote(_catalog())}.information_schema".replace("%", "%%")
