"""How sheets, items and the catalog look in the API."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from governance.changing import LIMITS
from governance.uses import USES
from sheets.models import Sheet
from sheets.tagged import LEVELS
from workbench.api.serializers import ConceptSerializer
from workbench.concepts import Classification
from workbench.models import SheetGrant

KEY = {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
SOURCE = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"type": "string", "enum": ["table", "volume"]},
        "table": {"type": "string", "description": "catalog.schema.table, for a table"},
        "path": {"type": "string", "description": "/Volumes/catalog/schema/volume, for a volume"},
        "join_key": KEY,
    },
}


@extend_schema_field({"type": "array", "items": SOURCE})
class SourcesField(serializers.JSONField):
    """Secondary sources; the action that saves them says what is wrong with them."""


class SheetSerializer(ConceptSerializer[Sheet]):
    """A sheet; whether its names exist is judged by the action that saves it."""

    # Without the framework's own check of uniqueness: the action answers a taken name with 409.
    name = serializers.CharField(max_length=255)
    secondary_sources = SourcesField(required=False)

    class Meta:
        model = Sheet
        fields = (
            "id",
            "name",
            "description",
            "primary_table",
            "secondary_sources",
            "join_keys",
            "item_ref_column",
            "filter_condition",
            "sample_size",
            *LIMITS,
            "row_count",
            "created_by",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("id", *LIMITS, "row_count", "created_by", "created_at", "updated_at")


class GrantSerializer(serializers.Serializer[Any]):
    """Whom a sheet is restricted to: a user or a group, by name."""

    user = serializers.CharField(required=False, max_length=150)
    group = serializers.CharField(required=False, max_length=150)
    level = serializers.ChoiceField(SheetGrant.Level.choices, default=SheetGrant.Level.WORK)


class GrantsSerializer(serializers.Serializer[Any]):
    grants = GrantSerializer(many=True, help_text="Empty: everybody sees the sheet.")


class FileSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    path = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")


class RowField(serializers.DictField):
    """A row of the lakehouse as JSON."""

    def to_representation(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return {name: plain(item) for name, item in value.items()}


class ItemSerializer(serializers.Serializer[Any]):
    item_ref = serializers.CharField(source="ref")
    position = serializers.IntegerField(help_text="Place in the order of the sheet, from 0.")
    row = RowField()
    files = FileSerializer(many=True)
    hash = serializers.CharField(help_text="SHA-256 of the row and its files' names and sizes.")


class ItemPageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    results = ItemSerializer(many=True)


class LabelCountSerializer(serializers.Serializer[Any]):
    label_type = serializers.CharField()
    labeled = serializers.IntegerField()


class ProgressSerializer(serializers.Serializer[Any]):
    items = serializers.IntegerField(allow_null=True, help_text="Items at the last validation.")
    labels = LabelCountSerializer(many=True)


class FewSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    first = serializers.ListField(child=serializers.CharField())


class FindingsSerializer(serializers.Serializer[Any]):
    row_count = serializers.IntegerField()
    duplicates = FewSerializer(help_text="item_refs that stand more than once.")
    null_keys = serializers.IntegerField(help_text="Items without an item_ref.")
    missing_files = serializers.DictField(child=FewSerializer(), help_text="By volume: join keys without a file.")
    missing_rows = serializers.DictField(child=FewSerializer(), help_text="By joined table: items without a row.")


class ValidationSerializer(serializers.Serializer[Any]):
    fields_at_fault = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), help_text="Messages by field; empty when all fit."
    )
    findings = FindingsSerializer(allow_null=True, help_text="Null while a field is at fault.")


class EntrySerializer(serializers.Serializer[Any]):
    """A catalog or schema."""

    name = serializers.CharField()
    comment = serializers.CharField(allow_null=True)
    tags = serializers.DictField(child=serializers.CharField(allow_blank=True))
    tags_problem = serializers.CharField(
        allow_blank=True, help_text="Why the tags could not be read, which is not the same as no tags."
    )


class TableSerializer(EntrySerializer):
    full_name = serializers.CharField()


class VolumeSerializer(EntrySerializer):
    path = serializers.CharField()


class ColumnSerializer(EntrySerializer):
    type = serializers.CharField(help_text="In Databricks SQL.")
    nullable = serializers.BooleanField()


class TaggedSerializer(serializers.Serializer[Any]):
    """The tags of one level, or why they could not be read."""

    level = serializers.ChoiceField(LEVELS)
    name = serializers.CharField()
    tags = serializers.DictField(child=serializers.CharField(allow_blank=True))
    problem = serializers.CharField(allow_blank=True)


class SourceUsesSerializer(serializers.Serializer[Any]):
    """What the tags of the sources mean for uses."""

    levels = TaggedSerializer(many=True, help_text="Without the columns that carry no tags.")
    allowed_uses = serializers.ListField(child=serializers.ChoiceField(USES))
    prohibited_uses = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), help_text="By use: each rule that forbids it."
    )
    data_classification = serializers.ChoiceField(Classification.choices)


class TableDetailSerializer(TableSerializer):
    columns = ColumnSerializer(many=True)
    uses = SourceUsesSerializer(help_text="With the tags of its schema and catalog.")
    preview = serializers.ListField(child=RowField())


class CatalogsSerializer(serializers.Serializer[Any]):
    catalogs = EntrySerializer(many=True)


class SchemasSerializer(serializers.Serializer[Any]):
    catalog = serializers.CharField()
    schemas = EntrySerializer(many=True)


class SchemaDetailSerializer(serializers.Serializer[Any]):
    catalog = serializers.CharField()
    schema = serializers.CharField()
    tables = TableSerializer(many=True)
    volumes = VolumeSerializer(many=True)


class VolumeDetailSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    uses = SourceUsesSerializer(help_text="With the tags of its schema and catalog.")
    count = serializers.IntegerField(help_text="Files at the top of the volume.")
    files = FileSerializer(many=True, help_text="The first 500 by name.")


def plain(value: Any) -> Any:
    """Return a value of the lakehouse as JSON can hold it: decimals and what is no number as text, bytes as base64."""
    match value:
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal():
            return format(value, "f")
        case bytes():
            return base64.b64encode(value).decode()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    return value
