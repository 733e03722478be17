"""What a signed-in user may do beyond deciding about a pair that nobody else has."""

from __future__ import annotations

from typing import Any, TypedDict

from governance.changing import CHANGE_USES, LOOSEN
from labels.opinions.due import GIVE

TAKE_OVER = "training.take_over_reviewpair"


class Rights(TypedDict, total=False):
    """Those of a `Decision` by their names; one that is left out is not had. Who `gives_opinions` sees less."""

    override: bool
    may_change_uses: bool
    may_loosen: bool
    gives_opinions: bool


def rights_of(user: Any) -> Rights:
    """Return the rights of a `Decision`: `Decision(…, **rights_of(request.user))`."""
    return {
        "override": user.has_perm(TAKE_OVER),
        "may_change_uses": user.has_perm(CHANGE_USES),
        "may_loosen": user.has_perm(LOOSEN),
        "gives_opinions": user.has_perm(GIVE),
    }
