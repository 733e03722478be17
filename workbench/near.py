from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from django.db.models import Model


def near_misses(name: str, known: Iterable[str]) -> str:
    """Words to end an error with: " Did you mean 'x' or 'y'?", or "" when nothing known is close to `name`."""
    by_fold = {word.casefold(): word for word in known}
    close = [by_fold[fold] for fold in get_close_matches(name.casefold(), by_fold, n=3, cutoff=0.6)]
    return f" Did you mean {' or '.join(repr(word) for word in close)}?" if close else ""


def listed_by(model: type[Model], *columns: str) -> str:
    """Words to end an error with: the command that lists what there is."""
    named = ", ".join(dict.fromkeys(("id", *columns)))
    statement = f"SELECT {named} FROM {model._meta.db_table} ORDER BY {columns[0]}"  # noqa: S608 - shown, not run
    return f' To list them: manage.py sql "{statement}"'


def listed(names: Iterable[str], most: int = 20) -> str:
    """The names sorted and joined by commas, cut after `most` with the number left out; "nothing" when empty."""
    words = sorted(names)
    if not words:
        return "nothing"
    rest = len(words) - most
    return ", ".join(words[:most]) + (f" and {rest} more" if rest > 0 else "")
