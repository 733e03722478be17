"""What a label must be before it is written: every fault by the name of its input."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from governance.changing import in_order
from governance.uses import CLASSIFICATIONS, USES, validate_uses
from labels.models import CanonicalLabel
from sheets.models import Sheet
from sheets.pictures import pictures_of
from sheets.reading import Item, get_item, iter_items
from templates_app.annotations import asks_for_annotations
from templates_app.drafts import label_type_faults
from templates_app.fields import shown
from templates_app.models import PromptTemplate
from templates_app.schemas import SchemaProblem, checker, misfits, normalise_output_schema
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
        faults = (
            misfits(output_schema, data)
            or _text_of_a_value(data, output_schema)
            or _on_other_pictures(data, output_schema, item)
        )
    except SchemaProblem as problem:
        faults = problem.faults
    _raise({"label_data": faults})


def made_under(
    template: PromptTemplate | None,
    present: CanonicalLabel | None,
    data: Any,
    item: Item,
    published: Callable[[], Iterable[PromptTemplate]],
) -> tuple[PromptTemplate | None, list[str]]:
    """Return the template that the label is made under from now on: the given one, else of the published ones the first it fits.

    None where the label keeps what it has; and where it fits no published one, with why the first of them is not it.
    Invalid where it does not fit the given one, or the schema that it has.
    """
    schema = template.output_schema if template else present.output_schema if present else None
    if template or schema or (present and data == present.label_data):
        check_fits(data, schema or {}, item)
        return template, []
    faults: list[str] = []
    for each in published():
        try:
            check_fits(data, each.output_schema, item)
        except Invalid as problem:
            faults = faults or [f"does not fit {each}:", *problem.fields["label_data"]]
        else:
            return each, []
    return None, faults


def _text_of_a_value(data: Any, output_schema: Any) -> list[str]:
    # It fits when it is read, as a model's answer is; but a label is compared, drawn and exported as it is kept.
    if not isinstance(data, str) or checker(output_schema)(data):
        return []
    return [
        f"answer: found the text of a value ({shown(data)}); allowed is the value itself: send it as JSON, not quoted"
    ]


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
