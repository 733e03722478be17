"""A grant is for those whom it names, whatever token they come with and whatever becomes of them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from rest_framework.test import APIClient

from sheets.restricting import restrict_sheet
from training.models import TrainingSheet
from workbench.roles import ENGINEER, EXPERT
from workbench.tokens import make_token


@pytest.fixture
def nils(nils: User) -> User:
    """An engineer and an expert."""
    nils.groups.set(Group.objects.filter(name__in=[ENGINEER, EXPERT]))
    return nils


def test_a_token_of_no_role_sees_what_none_of_the_owners_roles_sees(invoices: TrainingSheet, nils: User) -> None:
    restrict_sheet(invoices.sheet, [{"group": ENGINEER}], actor="omar")
    for roles, status in ((None, 200), ([ENGINEER], 200), ([EXPERT], 404), ([], 404)):
        groups = None if roles is None else Group.objects.filter(name__in=roles)
        _, token = make_token(nils, name="a script", roles=groups, actor="nils")
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        assert client.get(f"/api/v1/sheets/{invoices.sheet_id}").status_code == status, roles
