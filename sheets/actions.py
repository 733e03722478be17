"""What can be done to a sheet; each verb checks everything first and changes nothing when it refuses."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from copy import copy
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from governance import audit
from sheets.models import POINTERS, Sheet
from sheets.names import normal_sources
from sheets.reading import Findings, count_items, inspect
from sheets.repointing import repoint
from sheets.sources import Fields, resolve
from workbench.models import SheetGrant
from workbench.near import listed, near_misses
from workbench.problems import Conflict, Invalid

log = logging.getLogger(__name__)

FIELDS = POINTERS | {"name", "description"}
# What an INT of the lakehouse holds.
LARGEST_SAMPLE = 2**31 - 1


def create_sheet(data: Mapping[str, Any], *, actor: str) -> Sheet:
    """Return the new sheet with its `row_count`; `data` has the names of `FIELDS`.

    Invalid names every field that does not fit the lakehouse; Conflict for a name that is taken.
    """
    sheet = Sheet(**_known(data), created_by=actor)
    _check(sheet)
    sheet.row_count = count_items(sheet)
    try:
        sheet.save(force_insert=True)
    except IntegrityError as error:
        raise _taken(sheet.name) from error
    return sheet


def update_sheet(sheet: Sheet, data: Mapping[str, Any], *, actor: str, may_loosen: bool = False) -> Sheet:
    """Return the changed sheet; errors as for `create_sheet`, and those of `repoint` where it reads from elsewhere.

    The lakehouse is asked only when a pointer changes.
    """
    changed = copy(sheet)
    for name, value in _known(data).items():
        setattr(changed, name, value)
    pointers = POINTERS & set(data)
    _check(changed, against_lakehouse=bool(pointers))
    if pointers:
        changed.row_count = count_items(changed)
        repoint(sheet, changed, actor=actor, may_loosen=may_loosen)
    changed.updated_at = timezone.now()
    try:
        changed.save(update_fields=[*data, "row_count", "updated_at"])
    except IntegrityError as error:
        raise _taken(changed.name) from error
    log.info("%s changed %s of the sheet %s", actor, ", ".join(sorted(data)), sheet.pk)
    return changed


def delete_sheet(sheet: Sheet, *, actor: str) -> None:
    """Delete the sheet; Conflict with the counts where labels, training sheets or limits of items point at it."""
    if users := sheet.pointed_at_by():
        point = "points" if len(users) == 1 and users[0].startswith("1 ") else "point"
        raise Conflict(
            f"{' and '.join(users)} {point} at the sheet {sheet.name!r}: delete or release those first, or keep it."
        )
    grants = SheetGrant.objects.filter(sheet_id=sheet.pk)
    # Without its grants everybody sees the row, so that the name of a restricted sheet stays out.
    what = "a restricted sheet" if grants.exists() else f"the sheet {sheet.name!r}"
    # The audit comes first: what it says and what then was not done is better than the reverse.
    audit.append([audit.entry("uses", f"sheet {sheet.pk}", reason=f"Deleted {what}", actor=actor)])
    Sheet.objects.filter(pk=sheet.pk).delete()
    grants.delete()
    log.info("%s deleted the sheet %s, %r", actor, sheet.pk, sheet.name)


def validate_sheet(sheet: Sheet) -> Fields:
    """Return the messages for each field that is wrong in itself or against the lakehouse; empty when all is well."""
    fields = _own_faults(sheet)
    try:
        if not fields.keys() & POINTERS:
            resolve(sheet)
    except Invalid as problem:
        fields |= problem.fields
    return fields


def revalidate_sheet(sheet: Sheet, *, actor: str) -> tuple[Fields, Findings | None]:
    """Return the faults of the fields, and where there are none the findings in the items; keeps their count."""
    if fields := validate_sheet(sheet):
        return fields, None
    try:
        findings = inspect(sheet)
    except Invalid as problem:
        return problem.fields or {"filter_condition": [problem.message]}, None
    if findings.row_count != sheet.row_count:
        sheet.row_count = findings.row_count
        Sheet.objects.filter(pk=sheet.pk).update(row_count=findings.row_count, updated_at=timezone.now())
        log.info("%s counted the items of the sheet %s: %s", actor, sheet.pk, findings.row_count)
    return {}, findings


def _known(data: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := sorted(set(data) - FIELDS):
        near = near_misses(unknown[0], FIELDS)
        raise Invalid(f"A sheet has no field {unknown[0]!r}.{near} Fields: {listed(FIELDS)}.")
    return normal_sources(data)


def _check(sheet: Sheet, *, against_lakehouse: bool = True) -> None:
    fields = validate_sheet(sheet) if against_lakehouse else _own_faults(sheet)
    if fields:
        raise Invalid.of_fields(f"The sheet {sheet.name!r} was not saved.", fields)
    if Sheet.objects.filter(name=sheet.name).exclude(pk=sheet.pk).exists():
        raise _taken(sheet.name)


def _own_faults(sheet: Sheet) -> Fields:
    try:
        sheet.clean_fields()
        faults: Fields = {}
    except ValidationError as error:
        faults = error.message_dict
    if isinstance(size := sheet.sample_size, int) and not 1 <= size <= LARGEST_SAMPLE:
        faults["sample_size"] = [f"Found {size:,}: take 1 to {LARGEST_SAMPLE:,} items, or leave it out to take all."]
    return faults


def _taken(name: str) -> Conflict:
    words = f"There is a sheet named {name!r} already: choose another name, or change that one."
    return Conflict(words, {"name": [words]})
