"""Serializers that know the lakehouse's own fields."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model
from rest_framework import serializers

from workbench.lakehouse.fields import ArrayField
from workbench.sheet_rights import need_work, visible_to

M = TypeVar("M", bound=Model)

# Values of a list that says no other number.
MOST = 10_000


class BoundedListField(serializers.ListField):
    """A list of at most `max_length` values, which are counted before any of them is looked at."""

    def to_internal_value(self, data: Any) -> Any:
        most = self.max_length or MOST
        if isinstance(data, list) and len(data) > most:
            self.fail("max_length", max_length=most)
        return super().to_internal_value(data)


class TextListField(BoundedListField):
    """A list of text, `ARRAY<STRING>` in the lakehouse."""

    child = serializers.CharField()


class OptionsSerializer(serializers.Serializer[Any]):
    """Options of what leaves; an unknown one is refused, because what it asks to leave out would be exported."""

    def to_internal_value(self, data: Any) -> Any:
        if unknown := sorted(set(data) - set(self.fields)):
            words = f"There is no option {unknown[0]!r}: use {', '.join(self.fields)}."
            raise serializers.ValidationError({unknown[0]: [words]})
        return super().to_internal_value(data)


class SheetKeyField(serializers.PrimaryKeyRelatedField[M]):
    """The key of a row that belongs to a sheet: one that the user sees, and with `to_work` may work on."""

    def __init__(self, *, to_work: bool = False, **kwargs: Any) -> None:
        self.to_work = to_work
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        # Without the request in its context the serializer fails, instead of finding what is hidden.
        user = self.context["request"].user
        rows: Any = super().get_queryset()
        self.queryset = visible_to(user, rows)  # type: ignore[arg-type]  # no manager, though the field has its name
        found = super().to_internal_value(data)
        if self.to_work:
            need_work(user, found)
        return found


class ConceptSerializer(serializers.ModelSerializer[M]):
    """A ModelSerializer for which an array is a list of text."""

    serializer_field_mapping = {**serializers.ModelSerializer.serializer_field_mapping, ArrayField: TextListField}

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, options = super().build_standard_field(field_name, model_field)
        if isinstance(model_field, ArrayField):
            options.pop("allow_blank", None)
        return field_class, options
