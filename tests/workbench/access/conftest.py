"""A user of each role, and one without any."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User

from tests.seeded import boards, invoices, seeded
from workbench.roles import ROLES

__all__ = ["boards", "invoices", "seeded"]

NO_ROLE = "no role"
EVERYBODY = [*ROLES, NO_ROLE]


@pytest.fixture
def of_role(db: None) -> dict[str, User]:
    """By role, a user who has access to the admin; the last has no role and no access."""
    users = {}
    for role in ROLES:
        users[role] = User.objects.create_user(role.replace(" ", "-"), is_staff=True)
        users[role].groups.add(Group.objects.get(name=role))
    users[NO_ROLE] = User.objects.create_user("nobody")
    return users
