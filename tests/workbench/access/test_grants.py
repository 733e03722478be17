"""A grant is for those whom it names, whatever token they come with and whatever becomes of them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse
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


@pytest.mark.parametrize("kind", ["user", "group"])
def test_who_is_named_by_a_grant_is_not_deleted(
    invoices: TrainingSheet, nils: User, omar: User, rosa: User, client: Client, kind: str
) -> None:
    named = {"user": nils, "group": Group.objects.get(name=ENGINEER)}[kind]
    restrict_sheet(invoices.sheet, [{kind: str(named)}], actor="omar")
    client.force_login(omar)
    url = reverse(f"admin:auth_{kind}_delete", args=[named.pk])
    assert f"with the sheet {invoices.sheet_id}" in client.get(url).content.decode()
    assert client.post(url, {"post": "yes"}).status_code == 200
    with pytest.raises(ProtectedError):
        named.delete()
    seen = APIClient()
    seen.force_authenticate(rosa)
    assert seen.get(f"/api/v1/sheets/{invoices.sheet_id}").status_code == 404
    restrict_sheet(invoices.sheet, [{"user": "omar"}], actor="omar")
    assert client.post(url, {"post": "yes"}).status_code == 302
