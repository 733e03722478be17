"""What tags mean is data: changed with a reason, audited, and asked at the next use."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from rest_framework.test import APIClient

from governance.models import TagPolicy, UsageConstraintAudit
from governance.policies import current_policy
from governance.uses import TagRule
from sheets import source_uses
from training.models import TrainingSheet

URL = "/api/v1/tag-policies"
RESTRICTED = TagRule(frozenset({"training", "validation"}), "restricted")


@pytest.fixture
def scientist(nils: User) -> APIClient:
    """May change tag rules, and not loosen them."""
    nils.user_permissions.set(Permission.objects.filter(codename__in=["change_tagpolicy", "delete_tagpolicy"]))
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=nils.pk))
    return client


def test_a_new_workbench_has_the_usual_rules(lakehouse: Any) -> None:
    confidential = TagRule(frozenset({"few_shot", "evaluation"}), "confidential")
    assert current_policy() == {"PII": RESTRICTED, "PHI": RESTRICTED, "CONFIDENTIAL": confidential}


def test_a_rule_holds_at_the_next_use(invoices: TrainingSheet, api: APIClient, sql: Any) -> None:
    summary = f"/api/v1/training-sheets/{invoices.pk}/export/summary"
    sql(f"ALTER TABLE {invoices.sheet.primary_table} SET TAGS ('Sensitivity' = 'gdpr')")
    assert api.get(summary).json()["exported"] == 5
    made = api.post(URL, {"tag": " gdpr ", "prohibited_uses": ["training"], "reason": "Privacy review"})
    assert (made.status_code, made.json()["tag"], made.json()["updated_by"]) == (201, "GDPR", "rosa")
    told = api.get(summary).json()
    assert told["exported"] == 0
    assert "training prohibited, table tag Sensitivity=gdpr" in [each["reason"] for each in told["exclusions"]]
    assert api.delete(f"{URL}/{made.json()['id']}?reason=Consent").status_code == 204
    assert api.get(summary).json()["exported"] == 5
    removed, added = UsageConstraintAudit.objects.filter(kind="tag_rule")
    assert (added.subject, added.reason, added.new_prohibited_uses) == ("tag rule GDPR", "Privacy review", ["training"])
    assert (removed.reason, removed.old_prohibited_uses, removed.new_prohibited_uses) == ("Consent", ["training"], [])


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"prohibited_uses": ["trainig"]}, "prohibited_uses", "Did you mean 'training'"),
        ({"data_classification": "secret"}, "data_classification", "Found 'secret': use public"),
        ({"reason": " "}, "reason", "Say why"),
        ({"prohibited_uses": [], "data_classification": ""}, "prohibited_uses", "The rule says nothing"),
        ({"tag": "PII"}, "tag", "A rule keeps its tag"),
    ],
)
def test_bad_input_changes_nothing(
    lakehouse: Any, api: APIClient, body: dict[str, Any], field: str, words: str
) -> None:
    phi = TagPolicy.objects.get(tag="PHI")
    refused = api.patch(f"{URL}/{phi.pk}", {"reason": "x", **body})
    assert refused.status_code == 400 and words in refused.json()["error"]["fields"][field][0]
    assert current_policy()["PHI"] == RESTRICTED
    assert api.post(URL, {"tag": "phi", "prohibited_uses": ["testing"], "reason": "x"}).status_code == 409
    assert not UsageConstraintAudit.objects.exists()


def test_only_a_platform_lead_loosens_a_rule(lakehouse: Any, scientist: APIClient, api: APIClient) -> None:
    url = f"{URL}/{TagPolicy.objects.get(tag='PHI').pk}"
    for loosening in ({"prohibited_uses": ["validation"]}, {"data_classification": "internal"}):
        refused = scientist.patch(url, {**loosening, "reason": "I need it"})
        assert (refused.status_code, "platform lead" in refused.json()["error"]["message"]) == (403, True)
    assert scientist.delete(f"{url}?reason=x").status_code == 403
    assert UsageConstraintAudit.objects.filter(kind="refusal", subject="tag rule PHI", modified_by="nils").count() == 3
    tighter = scientist.patch(url, {"prohibited_uses": ["training", "validation", "few_shot"], "reason": "Stricter"})
    assert tighter.status_code == 200
    assert api.patch(url, {"reason": "Nothing"}).status_code == 409
    assert api.patch(url, {"prohibited_uses": ["training"], "reason": "Consent"}).json()["prohibited_uses"] == [
        "training"
    ]
    assert api.delete(url).status_code == 400


def test_the_admin_asks_for_the_reason(lakehouse: Any, rosa: User, client: Client) -> None:
    client.force_login(rosa)
    url = f"/admin/governance/tagpolicy/{TagPolicy.objects.get(tag='PHI').pk}/change/"
    given = {"prohibited_uses": ["training", "few_shot"], "data_classification": "restricted"}
    assert "reason" in client.post(url, given).context["adminform"].form.errors
    assert client.post(url, {**given, "reason": "Privacy review"}).status_code == 302
    assert current_policy()["PHI"].prohibited == {"training", "few_shot"}
    assert UsageConstraintAudit.objects.get().reason == "Privacy review"


def test_a_request_reads_the_rules_once(boards: TrainingSheet, django_assert_max_num_queries: Any) -> None:
    sheet = boards.sheet
    with django_assert_max_num_queries(4, using="lakehouse") as queries:
        source_uses.limits_of(sheet)
    assert sum("tag_policies" in query["sql"] for query in queries) == 1
