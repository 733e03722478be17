from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.seeded import boards, invoices, seeded

__all__ = ["boards", "invoices", "seeded"]


@pytest.fixture
def admin(rosa: User, client: Client) -> Client:
    """A browser in which Rosa is signed in."""
    client.force_login(rosa)
    return client
