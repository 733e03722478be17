"""Field-level changes between two answers, and their replay forwards and backwards. No database inside.

A change is a dict as `review_events.changes` stores it: `{"field_path", "old_value", "new_value"}`, and `"op"` where a
field appeared (`add`) or went away (`remove`), because null is a value of its own. A path is `header.perihal` or
`personel[0].nrp`; a key that is no plain word is quoted, `["a.b"]`; `$` is the whole answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from typing import Any

import orjson

from workbench.canonical import canonical_bytes

Change = dict[str, Any]
Step = str | int

WHOLE = "$"
_WORD = re.compile(r"[^\W\d]\w*")
_STEP = re.compile(r'\[(?P<index>\d+)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]|\.?(?P<word>[^\W\d]\w*)')


def changes_between(old: Any, new: Any) -> list[Change]:
    """Return what turns the JSON value `old` into `new`, in the order of the fields; empty when they are the same."""
    return list(_compare((), old, new))


def as_stored(new: Any, old: Any) -> Any:
    """Return `new` with each number that equals the one at its place in `old` written as there: 120 as 120.0.

    What reads and writes an answer again, such as a browser, may write its numbers otherwise; nobody changed them.
    """
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        return {key: as_stored(value, old.get(key)) for key, value in new.items()}
    if isinstance(new, list) and isinstance(old, list):
        return [as_stored(value, old[at] if at < len(old) else None) for at, value in enumerate(new)]
    # By type, because to Python true is the number 1; it compares whole numbers and fractions exactly.
    return old if {type(new), type(old)} <= {int, float} and new == old else new


def replay(value: Any, changes: Sequence[Change]) -> Any:
    """Return the value after the changes, oldest first; the given value stays as it is. ValueError as for `revert`."""
    value = deepcopy(value)
    for change in changes:
        value = _applied(value, change, forwards=True)
    return value


def revert(value: Any, changes: Sequence[Change]) -> Any:
    """Return the value as it was before the changes, which are given oldest first and undone newest first.

    ValueError for a change whose field the value does not have as the change left it: the history does not fit.
    """
    value = deepcopy(value)
    for change in reversed(changes):
        value = _applied(value, change, forwards=False)
    return value


def folded(field_path: str, index: str = "") -> str:
    """Return the path with every list index as `index`: `personel[].nrp`, which names a field and not one of its rows."""
    # Step by step, because a quoted key may hold what looks like an index.
    return _STEP.sub(lambda step: f"[{index}]" if step["index"] is not None else step[0], field_path)


def _compare(path: tuple[Step, ...], old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _member((*path, key), old, new, key, key in old, key in new)
    elif isinstance(old, list) and isinstance(new, list):
        shared = min(len(old), len(new))
        for at in range(shared):
            yield from _compare((*path, at), old[at], new[at])
        # From the end, so that each removal takes the last element and its undoing puts it back there.
        for at in reversed(range(shared, len(old))):
            yield _change((*path, at), op="remove", old_value=old[at])
        for at in range(shared, len(new)):
            yield _change((*path, at), op="add", new_value=new[at])
    elif not _same(old, new):
        yield _change(path, old_value=old, new_value=new)


def _member(
    path: tuple[Step, ...], old: Mapping[str, Any], new: Mapping[str, Any], key: str, was: bool, is_: bool
) -> Iterator[Change]:
    if was and is_:
        yield from _compare(path, old[key], new[key])
    elif was:
        yield _change(path, op="remove", old_value=old[key])
    else:
        yield _change(path, op="add", new_value=new[key])


def _change(path: tuple[Step, ...], *, op: str = "", old_value: Any = None, new_value: Any = None) -> Change:
    change = {"field_path": written(path), "old_value": deepcopy(old_value), "new_value": deepcopy(new_value)}
    return {**change, "op": op} if op else change


def _same(one: Any, other: Any) -> bool:
    # Not by ==, for which 1, 1.0 and true are the same.
    return canonical_bytes(one) == canonical_bytes(other)


def _applied(value: Any, change: Change, *, forwards: bool) -> Any:
    """Return the value after the change, which is made in it where it is not all of it."""
    before, after = ("old_value", "new_value") if forwards else ("new_value", "old_value")
    appears, vanishes = ("add", "remove") if forwards else ("remove", "add")
    op, steps = change.get("op", ""), parsed(change["field_path"])
    if not steps:
        _expect(value, change[before], change)
        return deepcopy(change[after])
    holder = value
    for step in steps[:-1]:
        holder = _at(holder, step, change)
    last = steps[-1]
    if op == appears:
        _put(holder, last, deepcopy(change[after]), change)
        return value
    _expect(_at(holder, last, change), change[before], change)
    if op == vanishes:
        del holder[last]
    else:
        holder[last] = deepcopy(change[after])
    return value


def _at(holder: Any, step: Step, change: Change) -> Any:
    if isinstance(step, str) and isinstance(holder, dict) and step in holder:
        return holder[step]
    if isinstance(step, int) and isinstance(holder, list) and step < len(holder):
        return holder[step]
    raise ValueError(f"The change of {change['field_path']} does not fit: the value has no such field.")


def _put(holder: Any, last: Step, item: Any, change: Change) -> None:
    if isinstance(last, str) and isinstance(holder, dict) and last not in holder:
        holder[last] = item
    elif isinstance(last, int) and isinstance(holder, list) and last == len(holder):
        holder.append(item)
    else:
        raise ValueError(f"The change of {change['field_path']} does not fit: the value has the field already.")


def _expect(found: Any, expected: Any, change: Change) -> None:
    if not _same(found, expected):
        raise ValueError(
            f"The change of {change['field_path']} does not fit: found {canonical_bytes(found).decode()}, "
            f"expected {canonical_bytes(expected).decode()}."
        )


def written(path: Sequence[Step]) -> str:
    """Return a path as text: `personel[0].nrp`, or `$` for no steps at all."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _WORD.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{orjson.dumps(step).decode()}]"
    return text or WHOLE


@lru_cache(maxsize=4096)
def parsed(field_path: str) -> Sequence[Step]:
    """Return the steps of a path's text, of which a few are asked for again and again. ValueError, with the place, for a text that is no path."""
    steps: list[Step] = []
    at = 0
    while at < len(field_path) and field_path != WHOLE:
        match = _STEP.match(field_path, at)
        if match is None:
            raise ValueError(f"Found {field_path!r}, which is no path of a field from character {at + 1} on.")
        if match["index"] is not None:
            steps.append(int(match["index"]))
        else:
            steps.append(orjson.loads(match["quoted"]) if match["quoted"] is not None else match["word"])
        at = match.end()
    return tuple(steps)
