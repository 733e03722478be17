"""How the admin edits and shows what a table holds beyond plain text: JSON and lists."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import JSONField, Model, TextField
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminTextareaWidget

from workbench.lakehouse.fields import ArrayField

LINE = 120


def pretty(value: Any) -> str:
    """Return the value as JSON for people: what fits on a line stays on one; a text that is no JSON stays as it is."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return _laid_out(value, "")


def _laid_out(value: Any, indent: str) -> str:
    flat = json.dumps(value, ensure_ascii=False, default=str)
    if not value or not isinstance(value, dict | list) or (indent and len(indent) + len(flat) <= LINE):
        return flat
    deeper = indent + "  "
    if isinstance(value, dict):
        entries = [f"{json.dumps(key, ensure_ascii=False)}: {_laid_out(each, deeper)}" for key, each in value.items()]
    else:
        entries = [_laid_out(each, deeper) for each in value]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return first + ",".join(f"\n{deeper}{entry}" for entry in entries) + f"\n{indent}{last}"


class CodeWidget(UnfoldAdminTextareaWidget):  # type: ignore[misc]  # unfold has no types
    """A textarea for code: fixed width, as tall as its text."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"spellcheck": "false", "rows": 6, **(attrs or {})})
        self.attrs["class"] = f"{self.attrs.get('class', '')} wb-code"


class PrettyJSONField(forms.JSONField):
    """JSON as people read it; an error names line and column."""

    widget = CodeWidget

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else pretty(value)

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except ValidationError as error:
            raise ValidationError(_fault(value), code="invalid") from error


def _fault(text: Any) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        where = (
            f"Line {error.lineno}, column {error.colno}: {error.msg}."
            if isinstance(error, json.JSONDecodeError)
            else ""
        )
        return f"This is not JSON. {where} Use double quotes, and no comma after the last entry."
    return "This is not JSON."


# What a field of a table becomes in a form.
EDITED: dict[type[Any], dict[str, Any]] = {
    JSONField: {"form_class": PrettyJSONField, "widget": CodeWidget},
    TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})},
    ArrayField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})},
}


def shown(model: type[Model], name: Any) -> Any:
    """Return what shows the field to one who may not change it: JSON indented, a list by commas, else the field."""
    if not isinstance(name, str):
        return name
    field = next((each for each in model._meta.fields if each.name == name), None)
    if isinstance(field, JSONField):
        return _display(
            name, field.verbose_name, lambda value: format_html('<pre class="wb-code">{}</pre>', pretty(value))
        )
    if isinstance(field, TextField):
        return _display(name, field.verbose_name, lambda value: format_html('<div class="wb-text">{}</div>', value))
    if isinstance(field, ArrayField):
        return _display(name, field.verbose_name, lambda value: ", ".join(value or []) or "—")
    return name


def _display(name: str, title: Any, show: Callable[[Any], Any]) -> Callable[[Model], Any]:
    def display(row: Model) -> Any:
        value = getattr(row, name)
        return "—" if value in (None, "", {}, []) else show(value)

    display.__name__ = name
    display.short_description = str(title)  # type: ignore[attr-defined]
    return display
