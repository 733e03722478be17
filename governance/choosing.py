"""The rows of a change of many: those that were named and may be seen, or all that a filter finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django_filters import FilterSet

from governance import audit
from governance.serializers import FIRST, MOST
from workbench.api.filtering import among_visible
from workbench.near import listed, near_misses
from workbench.problems import Invalid, NotFound


def chosen(visible: Any, ids: Sequence[str] | None, filtered: Callable[[], Any], *, actor: str) -> list[str]:
    """Return the keys, in their order. NotFound where one named is not among the `visible`: then nothing is changed, and the audit
    has a row, for it may be somebody who feels for what they may not see.

    Invalid for a filter that finds more than can be changed at once.
    """
    if ids:
        there = set(visible.filter(pk__among=list(ids)).values_list("pk", flat=True))
        if missing := [key for key in ids if key not in there]:
            problem = NotFound(
                f"{len(missing):,} of {len(ids):,} do not exist, or you may not see them: {listed(missing, FIRST)}. "
                "Nothing was changed."
            )
            audit.refused(problem, actor=actor)
            raise problem
        return list(dict.fromkeys(ids))
    keys = list(filtered().values_list("pk", flat=True)[: MOST + 1])
    if len(keys) > MOST:
        raise Invalid.of_fields(
            "The uses were not changed.",
            {
                "filter": [
                    f"It finds more than {MOST:,}: narrow it, or limit the sheet, which holds for all made from it."
                ]
            },
        )
    return keys


def by_filter(filterset: type[FilterSet], rows: Any, given: Mapping[str, Any], *, user: Any) -> Any:
    """Return what the filters of a list find for the user; Invalid for one that does not exist, which would leave nothing out."""
    known = filterset.base_filters
    if unknown := sorted(set(given) - set(known)):
        words = f"There is no filter {unknown[0]!r}: use {listed(known)}.{near_misses(unknown[0], known)}"
        raise Invalid.of_fields("The uses were not changed.", {"filter": [words]})
    found = among_visible(filterset(data=dict(given), queryset=rows), user)
    if not found.is_valid():
        faults = [f"{name}: {' '.join(map(str, messages))}" for name, messages in found.errors.items()]
        raise Invalid.of_fields("The uses were not changed.", {"filter": faults})
    return found.qs
