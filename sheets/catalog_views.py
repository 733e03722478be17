"""Browsing the lakehouse by API: catalogs, schemas, tables and volumes."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sheets import catalog
from sheets.hidden_sources import need_source, tables_seen, volumes_seen
from sheets.names import TableName, VolumeName
from sheets.serializers import (
    CatalogsSerializer,
    SchemaDetailSerializer,
    SchemasSerializer,
    TableDetailSerializer,
    VolumeDetailSerializer,
)
from sheets.source_uses import uses_of_table, uses_of_volume
from sheets.volumes import volume

MOST_FILES = 500


class CatalogsView(APIView):
    """Every catalog of the lakehouse."""

    @extend_schema(operation_id="catalog_list", responses=CatalogsSerializer)
    def get(self, _request: Request) -> Response:
        """Return the catalogs with comments and tags."""
        return Response(CatalogsSerializer({"catalogs": catalog.catalogs()}).data)


class CatalogView(APIView):
    """One catalog."""

    @extend_schema(operation_id="catalog_schemas", responses=SchemasSerializer)
    def get(self, _request: Request, name: str) -> Response:
        """Return the schemas of a catalog with comments and tags."""
        return Response(SchemasSerializer({"catalog": name, "schemas": catalog.schemas(name)}).data)


class SchemaView(APIView):
    """One schema."""

    @extend_schema(operation_id="catalog_tables", responses=SchemaDetailSerializer)
    def get(self, request: Request, name: str, schema: str) -> Response:
        """Return the tables and volumes of a schema with comments and tags."""
        data = {
            "tables": tables_seen(request.user, name, schema),
            "volumes": volumes_seen(request.user, name, schema),
        }
        return Response(SchemaDetailSerializer({"catalog": name, "schema": schema, **data}).data)


class TableView(APIView):
    """One table."""

    @extend_schema(operation_id="catalog_table", responses=TableDetailSerializer)
    def get(self, request: Request, name: str, schema: str, table: str) -> Response:
        """Return the columns of a table with types, comments and tags, and up to 50 of its rows."""
        found = TableName(name.lower(), schema.lower(), table.lower())
        need_source(request.user, found)
        described = catalog.table(found)
        data = {**described, "preview": catalog.preview(found), "uses": uses_of_table(found, described)}
        return Response(TableDetailSerializer(data).data)


class VolumeView(APIView):
    """One volume."""

    @extend_schema(operation_id="catalog_volume", responses=VolumeDetailSerializer)
    def get(self, request: Request, name: str, schema: str, volume_name: str) -> Response:
        """Return how many files a volume has at its top, and the first 500 of them."""
        place = VolumeName.parse(f"/Volumes/{name}/{schema}/{volume_name}")
        need_source(request.user, place)
        found = volume(place)
        names = found.list_files()
        files = [
            {"name": file, "path": f"{found.name}/{file}", "size": found.state(file).size}
            for file in names[:MOST_FILES]
        ]
        data = {"path": str(found.name), "count": len(names), "files": files, "uses": uses_of_volume(found.name)}
        return Response(VolumeDetailSerializer(data).data)
