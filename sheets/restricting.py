"""Restricting a sheet to some users and groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import Group, User
from django.db import transaction

from governance import audit
from sheets.models import Sheet
from workbench.models import SheetGrant
from workbench.near import near_misses
from workbench.problems import Invalid

Grants = Sequence[Mapping[str, str]]


def grants_of(sheet: Sheet) -> list[dict[str, str]]:
    """Return `[{"user" | "group", "level"}, …]`; empty for a sheet that everybody sees."""
    rows = SheetGrant.objects.filter(sheet_id=sheet.pk).select_related("user", "group")
    return [
        {"user": row.user.username, "level": row.level}
        if row.user
        else {"group": row.group.name if row.group else "", "level": row.level}
        for row in rows
    ]


def restrict_sheet(sheet: Sheet, grants: Grants, *, actor: str) -> list[dict[str, str]]:
    """Return the sheet's grants, which are these from now on; none opens the sheet to everybody.

    Invalid names what is no user, group or level, or stands twice; nothing was changed then.
    """
    rows = [_row(sheet, grant, at, actor) for at, grant in enumerate(grants)]
    if len({(row.user_id, row.group_id) for row in rows}) < len(rows):
        raise _fault("A user or group stands twice: name each once.")
    before, after = (_told(each) for each in (grants_of(sheet), grants))
    # The audit comes first: what it says and what then was not done is better than the reverse.
    said = f"Who sees the sheet {sheet.name!r}: {after}, before that {before}."
    audit.append([audit.entry("rights", f"sheet {sheet.pk}", reason=said, actor=actor)])
    with transaction.atomic("default"):
        SheetGrant.objects.filter(sheet_id=sheet.pk).delete()
        SheetGrant.objects.bulk_create(rows)
    return grants_of(sheet)


def _told(grants: Grants) -> str:
    named = (
        f"{each.get('user') or each.get('group')} ({each.get('level') or SheetGrant.Level.WORK})" for each in grants
    )
    return ", ".join(named) or "everybody"


def _row(sheet: Sheet, grant: Mapping[str, str], at: int, actor: str) -> SheetGrant:
    level = grant.get("level") or SheetGrant.Level.WORK
    if level not in SheetGrant.Level.values:
        raise _fault(f"{at}.level: found {level!r}, use {' or '.join(SheetGrant.Level.values)}.")
    user, group = grant.get("user"), grant.get("group")
    if bool(user) == bool(group):
        raise _fault(f"{at}: name either a user or a group.")
    row = SheetGrant(sheet_id=sheet.pk, level=level, granted_by=actor)
    row.user = User.objects.filter(username=user).first() if user else None
    row.group = Group.objects.filter(name=group).first() if group else None
    if not (row.user or row.group):
        wanted, kind = str(user or group), "user" if user else "group"
        named = User.objects.values_list("username", flat=True)
        known = list(named if user else Group.objects.values_list("name", flat=True))
        raise _fault(f"{at}.{kind}: there is no {kind} {wanted!r}.{near_misses(wanted, known[:1000])}")
    return row


def _fault(words: str) -> Invalid:
    return Invalid.of_fields("The rights were not changed.", {"grants": [words]})
