"""Fields that Delta has and Django has not: keys made in Python, checked choices, and arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import CharField, Field, IntegerField, Lookup, Transform

from workbench.lakehouse.ids import uuid7
from workbench.lakehouse.literals import literal


class KeyField(CharField[str, str]):
    """A primary key: a UUIDv7 as text, made before the row is written."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"primary_key": True, "default": uuid7, "editable": False, "max_length": 36} | kwargs
        super().__init__(**kwargs)


class ChoiceField(CharField[str, str]):
    """One of the `choices`, which a CHECK of the table enforces on every writer.

    Another choice is a migration as usual (`AlterField`): it replaces the CHECK and fails where a row violates it. A NULL
    always violates it, as in Delta.
    """

    non_db_attrs = tuple(name for name in CharField.non_db_attrs if name != "choices")

    def db_check(self, connection: Any) -> str:
        return f"{connection.ops.quote_name(self.column)} IN ({', '.join(literal(value) for value, _ in self.flatchoices)})"


class ArrayField(Field[Iterable[str], list[str]]):
    """`ARRAY<STRING>`: a list of text without NULLs; lookups `contains`, `overlap` and `len`."""

    empty_strings_allowed = False
    default_error_messages = {"list": 'Found %(found)s where a list of text is needed, such as ["training"].'}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"default": list, "blank": True} | kwargs))

    def db_type(self, connection: Any) -> str:
        return "ARRAY<STRING>"

    def get_internal_type(self) -> str:
        return "ArrayField"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> list[str] | None:
        return None if value is None else list(value)

    def to_python(self, value: Any) -> list[str] | None:
        if isinstance(value, str) or (value is not None and not isinstance(value, Iterable)):
            raise ValidationError(self.error_messages["list"], code="list", params={"found": repr(value)})
        return None if value is None else [str(item) for item in value]

    def get_prep_value(self, value: Any) -> Any:
        return value if hasattr(value, "resolve_expression") else self.to_python(value)

    def value_to_string(self, obj: Any) -> Any:
        return self.value_from_object(obj)

    def formfield(self, **kwargs: Any) -> Any:
        from workbench.lakehouse.forms import ListField  # forms are loaded only where a form is shown

        return super().formfield(**{"form_class": ListField, **kwargs})


class ArrayLookup(Lookup[Any]):
    """A lookup whose right side is a list sent as one parameter."""

    template = ""

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, list[Any]]:
        return "CAST(%s AS ARRAY<STRING>)", [value]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        params = {"left": left_params, "right": right_params}
        order = sorted(params, key=lambda side: self.template.index("{" + side))
        return self.template.format(left=left, right=right), [p for side in order for p in params[side]]


@CharField.register_lookup
class Among(ArrayLookup):
    """The text is one of the given ones: `IN` for hundreds of values, which are one parameter of one known statement."""

    lookup_name = "among"
    template = "{left} IN (SELECT EXPLODE({right}))"

    def get_prep_lookup(self) -> list[str]:
        return [str(value) for value in self.rhs]


@ArrayField.register_lookup
class Contains(ArrayLookup):
    """Every given item is in the array."""

    lookup_name = "contains"
    template = "SIZE(ARRAY_EXCEPT({right}, {left})) = 0"


@ArrayField.register_lookup
class Overlap(ArrayLookup):
    """At least one of the given items is in the array."""

    lookup_name = "overlap"
    template = "ARRAYS_OVERLAP({left}, {right})"


@ArrayField.register_lookup
class ArrayExact(ArrayLookup):
    """The array has the given items in the given order."""

    lookup_name = "exact"
    template = "{left} = {right}"


@ArrayField.register_lookup
class Len(Transform):
    """The number of items; NULL where the array is NULL."""

    lookup_name = "len"
    output_field = IntegerField()

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        left, params = compiler.compile(self.lhs)
        return f"CASE WHEN {left} IS NOT NULL THEN SIZE({left}) END", [*params, *params]
