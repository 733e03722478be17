"""The pages that browse the lakehouse: the tree of what there is, and beside it one table or volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from sheets import catalog
from sheets.admin.showing import cells, file_shown, need
from sheets.hidden_sources import need_source, tables_seen, volumes_seen
from sheets.names import TableName, VolumeName
from sheets.source_uses import uses_of_table, uses_of_volume
from sheets.volumes import volume
from workbench.problems import NotFound, Problem

MOST_FILES = 200
SHOWN_ROWS = 20


@dataclass(frozen=True, slots=True)
class Node:
    """A catalog, schema, table or volume in the tree; the open ones have children."""

    name: str
    icon: str
    kind: str
    url: str
    comment: str
    tags: dict[str, str]
    tags_problem: str
    state: str = ""
    children: Sequence[Node] = field(default_factory=list)


def catalog_page(
    admin: Any, request: HttpRequest, catalog: str = "", schema: str = "", table: str = "", volume: str = ""
) -> HttpResponse:
    """Return the tree opened down to what the address names, and the page of a table or volume; 404 says what is not."""
    need(request, "sheets.view_sheet")
    context: dict[str, Any] = {}
    status = 200
    try:
        context["tree"] = tree(request.user, catalog.lower(), schema.lower(), (table or volume).lower(), bool(volume))
        if table:
            context["table"] = _table(request.user, TableName(catalog.lower(), schema.lower(), table.lower()))
        if volume:
            context["volume"] = _volume(request.user, VolumeName(catalog.lower(), schema.lower(), volume.lower()))
    except Problem as problem:
        status = problem.status
        context |= {"problem": str(problem)}
        context.setdefault("tree", tree(request.user, "", "", "", False))
    steps = [step for step in (catalog, schema, "volumes" if volume else "", table or volume) if step]
    context |= {
        **admin.admin_site.each_context(request),
        "title": "Catalog",
        "subtitle": ".".join(filter(None, (catalog, schema, table or volume))),
        "crumbs": _crumbs(steps),
        "nothing_chosen": not (table or volume),
        "may_make": request.user.has_perm("sheets.add_sheet"),
    }
    return TemplateResponse(request, "sheets/catalog.html", context, status=status)


def tree(user: Any, chosen_catalog: str, chosen_schema: str, chosen: str, is_volume: bool) -> list[Node]:
    """Return the catalogs; the chosen one with its schemas, and of these the chosen one with what the user sees in it."""
    nodes = []
    for row in catalog.catalogs():
        is_open = row["name"] == chosen_catalog
        below = _schemas(user, chosen_catalog, chosen_schema, chosen, is_volume) if is_open else []
        nodes.append(_node(row, "folder_open" if is_open else "database", "catalog", [row["name"]], is_open, below))
    if chosen_catalog and not any(node.state for node in nodes):
        catalog.need_catalog(chosen_catalog)
    return nodes


def _schemas(user: Any, chosen_catalog: str, chosen_schema: str, chosen: str, is_volume: bool) -> list[Node]:
    found = catalog.schemas(chosen_catalog)
    if chosen_schema and chosen_schema not in [row["name"] for row in found]:
        catalog.need_schema(chosen_catalog, chosen_schema)
    nodes = []
    for row in found:
        is_open = row["name"] == chosen_schema
        below = _inside(user, chosen_catalog, chosen_schema, chosen, is_volume) if is_open else []
        place = [chosen_catalog, row["name"]]
        nodes.append(_node(row, "folder_open" if is_open else "folder", "schema", place, is_open, below))
    return nodes


def _inside(user: Any, chosen_catalog: str, chosen_schema: str, chosen: str, is_volume: bool) -> list[Node]:
    place = (chosen_catalog, chosen_schema)
    tables = [
        _node(row, "table", "table", [*place, row["name"]], not is_volume and row["name"] == chosen)
        for row in tables_seen(user, *place)
    ]
    volumes = [
        _node(row, "perm_media", "volume", [*place, "volumes", row["name"]], is_volume and row["name"] == chosen)
        for row in volumes_seen(user, *place)
    ]
    return tables + volumes


def _node(
    row: catalog.Row, icon: str, kind: str, place: Sequence[str], chosen: bool, below: Sequence[Node] = ()
) -> Node:
    state = ("open" if kind in ("catalog", "schema") else "current") if chosen else ""
    said = row["comment"] or "", row["tags"], row["tags_problem"]
    return Node(row["name"], icon, kind, place_url(place), *said, state, below)


def place_url(place: Sequence[str]) -> str:
    """Return the address of a place: [] for all catalogs, [c], [c, s], [c, s, table], or [c, s, "volumes", volume]."""
    if len(place) == 4:
        return reverse("admin:sheets_sheet_volume", args=[*place[:2], place[3]])
    return reverse("admin:sheets_sheet_catalog", args=place)


def _crumbs(steps: Sequence[str]) -> list[tuple[str, str]]:
    crumbs = [("Catalog", place_url([]))]
    for at, step in enumerate(steps, 1):
        if not (step == "volumes" and at == 3 and len(steps) == 4):
            crumbs.append((step, place_url(steps[:at])))
    return crumbs


def _table(user: Any, name: TableName) -> dict[str, Any]:
    need_source(user, name)
    found = catalog.table(name)
    rows = catalog.preview(name)
    return {
        **found,
        "uses": uses_of_table(name, found),
        "define_url": f"{reverse('admin:sheets_sheet_define')}?table={found['full_name']}",
        "rows": [cells(list(row.values())) for row in rows[:SHOWN_ROWS]],
        "more_rows": [cells(list(row.values())) for row in rows[SHOWN_ROWS:]],
    }


def _volume(user: Any, name: VolumeName) -> dict[str, Any]:
    need_source(user, name)
    found = volume(name)
    names = found.list_files()
    files = []
    for file in names[:MOST_FILES]:
        try:
            files.append(file_shown(f"{found.name}/{file}", found.state(file).size))
        except NotFound:  # deleted since the volume was listed
            continue
    return {
        "path": str(found.name),
        "uses": uses_of_volume(name),
        "count": len(names),
        "files": files,
        "left": max(len(names) - MOST_FILES, 0),
    }
