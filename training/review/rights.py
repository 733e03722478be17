"""What a signed-in user may do beyond deciding about a pair that nobody else has."""

from __future__ import annotations

from typing import Any

from governance.changing import CHANGE_USES, LOOSEN

TAKE_OVER = "training.take_over_reviewpair"


def rights_of(user: Any) -> dict[str, bool]:
    """Return the rights of a `Decision`: `Decision(…, **rights_of(request.user))`."""
    return {
        "override": user.has_perm(TAKE_OVER),
        "may_change_uses": user.has_perm(CHANGE_USES),
        "may_loosen": user.has_perm(LOOSEN),
    }
