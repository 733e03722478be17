"""Serializers that know the lakehouse's own fields."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model
from rest_framework import serializers

from workbench.lakehouse.fields import ArrayField

M = TypeVar("M", bound=Model)


class TextListField(serializers.ListField):
    """A list of text, `ARRAY<STRING>` in the lakehouse."""

    child = serializers.CharField()


class ConceptSerializer(serializers.ModelSerializer[M]):
    """A ModelSerializer for which an array is a list of text."""

    serializer_field_mapping = {**serializers.ModelSerializer.serializer_field_mapping, ArrayField: TextListField}

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, options = super().build_standard_field(field_name, model_field)
        if isinstance(model_field, ArrayField):
            options.pop("allow_blank", None)
        return field_class, options
