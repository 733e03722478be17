"""What a label must be before it is written: every fault by the name of its input."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from governance.changing import in_order
from governance.uses import CLASSIFICATIONS, USES, validate_uses
from labels.models import CanonicalLabel
from sheets.models import Sheet
from sheets.pictures import pictures_of
from sheets.reading import Item, get_item, iter_items
from templates_app.annotations import asks_for_annotations
from templates_app.drafts import label_type_faults
from templates_app.models import PromptTemplate
from templates_app.schemas import SchemaProblem, misfits, normalise_output_schema
from templates_app.shapes import picture_faults
from workbench.canonical import storing_faults
from workbench.concepts import Confidence
from workbench.near import listed, near_misses
from workbench.problems import Invalid, NotFound

NEAR = 1_000

Fields = dict[str, list[str]]


def existing_item(sheet: Sheet, item_ref: str) -> Item:
    """Return the item; Invalid with near misses for one that is not in the sheet."""
    try:
        return get_item(sheet, item_ref)
    except NotFound as error:
        near = near_misses(item_ref, (item.ref for item in iter_items(sheet, limit=NEAR)))
        words = f"The sheet {sheet.name!r} has no item {item_ref!r}.{near} The page of the sheet lists its items."
        raise Invalid.of_fields("A label needs an item of its sheet.", {"item_ref": [words]}) from error


def check_content(label_type: str, data: Any, confidence: str, template: PromptTemplate | None) -> None:
    """Raise Invalid for what is wrong with the label itself, whatever there was before."""
    faults = {
        "label_type": [*label_type_faults(label_type), *_other_task(label_type, template)],
        "label_data": list(_data_faults(data)),
        "confidence": _unknown(confidence, Confidence.values),
    }
    _raise(faults)


def check_fits(data: Any, output_schema: Any, item: Item) -> None:
    """Raise Invalid where the label does not have the shape that it was promised to have, or marks another picture."""
    try:
        faults = misfits(output_schema, data) or _on_other_pictures(data, output_schema, item)
    except SchemaProblem as problem:
        faults = problem.faults
    _raise({"label_data": faults})


def _on_other_pictures(data: Any, output_schema: Any, item: Item) -> list[str]:
    schema = normalise_output_schema(output_schema)
    return picture_faults(schema, data, pictures_of(item.files)) if asks_for_annotations(schema) else []


def limits(given: Mapping[str, Any], present: CanonicalLabel | None) -> dict[str, Any]:
    """Return the four fields of use: as given, else as they are, else all five uses and `internal`.

    Raises Invalid for a use or classification that does not exist, and for a prohibition without a reason.
    """
    prohibited = given["prohibited_uses"]
    if prohibited is None:
        prohibited = present.prohibited_uses if present else []
    allowed = given["allowed_uses"]
    if allowed is None:
        allowed = [use for use in (present.allowed_uses if present else USES) if use not in prohibited]
    reason = given["usage_reason"].strip() or (present.usage_reason if present else "")
    classification = given["data_classification"] or (present.data_classification if present else "internal")
    faults = {
        "allowed_uses": _use_faults(allowed, []),
        "prohibited_uses": _use_faults([], prohibited),
        "data_classification": _unknown(classification, CLASSIFICATIONS),
        "usage_reason": ["Say why uses are prohibited."] if prohibited and not reason else [],
    }
    if not (faults["allowed_uses"] or faults["prohibited_uses"]):
        faults["prohibited_uses"] = _use_faults(allowed, prohibited)
    _raise(faults)
    return {
        "allowed_uses": in_order(allowed),
        "prohibited_uses": in_order(prohibited),
        "usage_reason": reason,
        "data_classification": classification,
    }


def _raise(faults: Fields) -> None:
    if found := {name: messages for name, messages in faults.items() if messages}:
        raise Invalid.of_fields("The label was not saved.", found)


def _other_task(label_type: str, template: PromptTemplate | None) -> Iterator[str]:
    if template is not None and template.label_type != label_type:
        yield f"Found {label_type!r}, but the template {template} is for {template.label_type!r}: use that."


def _data_faults(data: Any) -> Iterator[str]:
    if data is None or (isinstance(data, str) and not data.strip()):
        yield "Found nothing: a label holds an answer."
        return
    yield from storing_faults(data)


def _use_faults(allowed: Collection[str], prohibited: Collection[str]) -> list[str]:
    try:
        validate_uses(allowed, prohibited)
    except ValueError as error:
        return [str(error)]
    return []


def _unknown(value: str, known: Collection[str]) -> list[str]:
    return [] if value in known else [f"Found {value!r}: use {listed(known)}.{near_misses(value, known)}"]
