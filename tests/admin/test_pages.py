"""Every list and every page of a row opens, in few queries; nobody enters who is not staff."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from governance import audit
from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel
from labels.opinions.actions import ask_for_opinions, give_opinion
from tests.conftest import Stage
from tests.seeded import demo, the_boards
from tests.training.files.conftest import document
from training.actions.conversations import import_conversations
from training.actions.export import open_export
from training.actions.training_files import create_training_file
from training.models import JobRun, QAPair, ReviewEvent, TrainingSheet
from workbench.router import LAKEHOUSE

# A list's model and how many queries it takes, whatever the number of rows: count, rows, one for each list of training
# sheets or sheets to filter by, and in the audit one for each kind of thing that rows are about.
LISTS = {
    "sheets.sheet": 2,
    "templates_app.prompttemplate": 2,
    "labels.canonicallabel": 3,
    "labels.canonicallabelversion": 2,
    "labels.secondopinion": 3,
    "labels.labelopinion": 3,
    "training.trainingsheet": 4,
    "training.qapair": 3,
    "training.reviewevent": 3,
    "training.jobrun": 3,
    "training.export": 3,
    "training.conversation": 3,
    "training.trainingfile": 2,
    "governance.usageconstraintaudit": 4,
    "governance.tagpolicy": 2,
}


def list_of(name: str) -> str:
    return reverse(f"admin:{name.replace('.', '_')}_changelist")


def rows_of_all(directory: Path) -> None:
    """The demo's data, and rows of what is only kept: an export, a review event, a job run, a usage change, a file."""
    demo(directory)
    boards = the_boards()
    _, ids = import_conversations([("talk.json", json.dumps(document(1)).encode())], actor="rosa")
    create_training_file("Talks", ids, actor="rosa")
    list(open_export(boards, actor="rosa", channel="admin"))
    pair, now = QAPair.objects.of(boards.pk)[0], timezone.now()
    ReviewEvent.objects.create(
        action_id="a", qa_pair=pair, training_sheet=boards, action="approve", old_status="unlabeled",
        new_status="labeled", pair_version=2, actor="rosa", created_at=now,
    )  # fmt: skip
    JobRun.objects.create(
        job_type="generate", training_sheet=boards, progress={"done": 5, "total": 50}, created_by="rosa"
    )
    change = UsageConstraintAudit(
        qa_pair_id=pair.pk, old_allowed_uses=["training"], new_prohibited_uses=["training"], reason="Contains PHI",
        old_data_classification="internal", new_data_classification="restricted", modified_by="omar", modified_at=now,
    )  # fmt: skip
    audit.append([change])
    label = CanonicalLabel.objects.filter(sheet_id=boards.sheet_id)[0]
    key = {"sheet": label.sheet, "label_type": label.label_type}
    ask_for_opinions(**key, share=100, actor="omar")
    give_opinion(**key, item_ref=label.item_ref, label_data=label.label_data, actor="ben")


@pytest.fixture
def audited(stage: Stage) -> None:
    stage(rows_of_all)


@pytest.mark.parametrize("name", LISTS)
def test_list_opens_in_few_queries(admin: Client, audited: None, name: str) -> None:
    url = list_of(name)
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        response = admin.get(url)
    assert response.status_code == 200
    assert len(response.context["cl"].result_list) >= 1
    assert len(queries) <= LISTS[name], [query["sql"][:200] for query in queries]


@pytest.mark.parametrize("name", LISTS)
def test_page_of_a_row_opens(admin: Client, audited: None, name: str) -> None:
    row = apps.get_model(name)._default_manager.all()[0]
    response = admin.get(reverse(f"admin:{name.replace('.', '_')}_change", args=[row.pk]))
    assert response.status_code == 200
    assert str(row) in response.content.decode()


@pytest.mark.parametrize("name", LISTS)
def test_list_is_searched(admin: Client, audited: None, name: str) -> None:
    response = admin.get(list_of(name), {"q": "nothing like this"})
    assert list(response.context["cl"].result_list) == []


def test_every_filter_of_every_list_answers(admin: Client, audited: None) -> None:
    asked = {
        "training.qapair": ["status__exact=labeled", "problem=misfit", "problem=error", "prohibited=training"],
        "training.trainingsheet": [
            "status__exact=review",
            "created_at_from=2026-01-01&created_at_to=2099-12-31",
            "created_at_from=yesterday",
        ],
        "governance.usageconstraintaudit": ["days=30", "classification=changed", "modified_by__icontains=omar"],
        "labels.canonicallabel": ["prohibited=training", "confidence__exact=high", "label_type__icontains=class"],
    }
    for name, queries in asked.items():
        for query in queries:
            assert admin.get(f"{list_of(name)}?{query}").status_code == 200, query


def test_a_day_is_whole(admin: Client, boards: TrainingSheet) -> None:
    url, day = list_of("training.trainingsheet"), f"{boards.created_at:%Y-%m-%d}"
    found = admin.get(url, {"created_at_from": day, "created_at_to": day}).context["cl"].result_list
    assert boards in found
    assert list(admin.get(url, {"created_at_to": "2026-01-01"}).context["cl"].result_list) == []


def test_audit_finds_a_changed_classification(admin: Client, audited: None) -> None:
    url = reverse("admin:governance_usageconstraintaudit_changelist")
    assert len(admin.get(url, {"classification": "changed", "days": "30"}).context["cl"].result_list) == 1
    assert len(admin.get(url, {"classification": "same"}).context["cl"].result_list) == 0


def test_who_is_not_staff_is_sent_to_sign_in(client: Client, nils: User, lakehouse: Path) -> None:
    client.force_login(nils)
    for name in ["index", *(f"{name.replace('.', '_')}_changelist" for name in LISTS)]:
        response: Any = client.get(reverse(f"admin:{name}"))
        assert response.status_code == 302
        assert response.url.startswith("/admin/login/")


def test_a_page_that_is_not_there_or_not_for_one_says_so_with_a_way_on(
    admin: Client, boards: TrainingSheet, nils: User, client: Client
) -> None:
    home, labeling = 'href="/admin/">Home page</a>', 'href="/label/">Labeling</a>'
    for address, words in (
        ("/review/nothing/", "There is no training sheet nothing."),
        ("/admin/nothing/", "No page has the address /admin/nothing/."),
        ("/nowhere/&lt;b", "No page has the address /nowhere/&amp;lt;b."),
    ):
        missing = admin.get(address)
        assert missing.status_code == 404
        assert words in missing.text and home in missing.text and labeling in missing.text
    client.force_login(nils)
    refused = client.post(f"/review/{boards.pk}/list", {"verb": "approve", "all": "yes"})
    assert (refused.status_code, "ask an owner for the right" in refused.text) == (403, True)
    assert labeling in refused.text and home not in refused.text
    unsent = Client(enforce_csrf_checks=True).post("/admin/login/")
    assert (unsent.status_code, "Nothing was sent" in unsent.text) == (403, True)
