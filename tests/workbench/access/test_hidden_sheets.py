"""Of a sheet that is restricted to others, a user sees nothing, anywhere; who may only look changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel
from sheets.models import Sheet
from sheets.restricting import restrict_sheet
from tests.training.files.conftest import document
from training.actions.conversations import import_conversations
from training.actions.export import open_export
from training.actions.training_files import create_training_file
from training.models import (
    Conversation,
    Export,
    JobRun,
    QAPair,
    ReviewEvent,
    TrainingFileConversation,
    TrainingSheet,
)
from workbench.router import CONCEPT_APPS, LAKEHOUSE

LISTS = (
    "sheets", "canonical-labels", "training-sheets", "qa-pairs", "review-events", "exports", "jobs",
    "usage-constraint-audit",
)  # fmt: skip
ADMIN_LISTS = (
    "sheets_sheet", "labels_canonicallabel", "labels_canonicallabelversion", "training_trainingsheet", "training_qapair",
    "training_reviewevent", "training_export", "training_jobrun", "governance_usageconstraintaudit",
)  # fmt: skip


@pytest.fixture
def hidden(invoices: TrainingSheet, boards: TrainingSheet, rosa: User, omar: User) -> TrainingSheet:
    """The invoices, with a row of every kind, seen by Omar only; Rosa sees the boards."""
    list(open_export(invoices, actor="omar", channel="api"))
    pair = QAPair.objects.of(invoices.pk)[0]
    ReviewEvent.objects.create(
        action_id="a", qa_pair=pair, training_sheet=invoices, action="approve", old_status="unlabeled",
        new_status="labeled", pair_version=2, actor="omar", created_at=timezone.now(),
    )  # fmt: skip
    JobRun.objects.create(job_type="generate", training_sheet=invoices, created_by="omar")
    restrict_sheet(invoices.sheet, [{"user": "omar"}], actor="omar")
    return invoices


def signed_in(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=user.pk))
    return client


def ids_of(training_sheet: TrainingSheet) -> set[str]:
    """Keys of whatever there is of the sheet."""
    of_it = {"training_sheet_id": training_sheet.pk}
    labels = CanonicalLabel.objects.filter(sheet_id=training_sheet.sheet_id).values_list("pk", flat=True)
    pairs = QAPair.objects.filter(**of_it).values_list("pk", flat=True)
    others = (JobRun, ReviewEvent)
    found = {training_sheet.pk, training_sheet.sheet_id, *labels, *pairs}
    return found | {key for model in others for key in model.objects.filter(**of_it).values_list("pk", flat=True)}


def test_no_list_of_the_api_shows_it(hidden: TrainingSheet, rosa: User, omar: User) -> None:
    keys = ids_of(hidden)
    for name in LISTS:
        url = f"/api/v1/{name}?page_size=500"
        shown = signed_in(rosa).get(url).content.decode()
        assert not [key for key in keys if key in shown], name
        assert any(key in signed_in(omar).get(url).content.decode() for key in keys), name


def test_nothing_of_it_is_there_by_key(hidden: TrainingSheet, rosa: User) -> None:
    sheet, sheet_key = hidden.pk, hidden.sheet_id
    pair, label = QAPair.objects.of(sheet)[0].pk, CanonicalLabel.objects.filter(sheet_id=sheet_key)[0].pk
    item = QAPair.objects.of(sheet)[0].item_ref
    template, export = hidden.template_id, Export.objects.filter(training_sheet_id=sheet)[0].pk
    client = signed_in(rosa)
    for path in (
        f"sheets/{sheet_key}", f"sheets/{sheet_key}/items", f"sheets/{sheet_key}/items/{item}", f"sheets/{sheet_key}/uses",
        f"sheets/{sheet_key}/progress", f"canonical-labels/{label}", f"canonical-labels/{label}/versions",
        f"training-sheets/{sheet}", f"training-sheets/{sheet}/queue", f"training-sheets/{sheet}/progress",
        f"training-sheets/{sheet}/export/jsonl", f"training-sheets/{sheet}/export/summary", f"qa-pairs/{pair}",
        f"training-sheets/{sheet}/export/checks", f"exports/{export}", f"exports/{export}/manifest",
        f"catalog/{hidden.sheet.primary_table.replace('.', '/')}",
    ):  # fmt: skip
        assert client.get(f"/api/v1/{path}").status_code == 404, path
    for path, body in (
        (f"qa-pairs/{pair}/approve", {}), (f"qa-pairs/{pair}/hold", {}), (f"qa-pairs/{pair}/let-go", {}),
        (f"training-sheets/{sheet}/queue/claim", {}), (f"qa-pairs/{pair}/uses", {"reason": "x", "allowed_uses": []}),
        (f"sheets/{sheet_key}/validate", {}), (f"training-sheets/{sheet}/exports", {}), (f"exports/{export}/link", {}),
        (f"canonical-labels/{label}/restore", {"version": 1}),
    ):  # fmt: skip
        assert client.post(f"/api/v1/{path}", body).status_code == 404, path
    for path, body in (
        ("training-sheets/generate", {"sheet_id": sheet_key, "template_id": template}),
        (f"templates/{template}/test", {"sheet_id": sheet_key}),
    ):  # fmt: skip
        answer = client.post(f"/api/v1/{path}", body)
        assert answer.status_code == 400 and "sheet_id" in answer.json()["error"]["fields"], path
    for path in (
        f"canonical-labels/export?sheet={sheet_key}", f"canonical-labels/ahead?sheet={sheet_key}&label_type=x",
        f"ground-truth/export?sheet={sheet_key}", f"ground-truth/stats?training_sheet={sheet}",
    ):  # fmt: skip
        assert client.get(f"/api/v1/{path}").status_code == 400, path


def test_no_spelling_of_its_table_makes_a_sheet(hidden: TrainingSheet, boards: TrainingSheet, rosa: User) -> None:
    catalog, schema, table = hidden.sheet.primary_table.split(".")
    seen = {"name": "Mine", "primary_table": boards.sheet.primary_table, "join_keys": boards.sheet.join_keys}
    for text in (f"{catalog}.{schema}.`{table}`", f"{catalog.upper()}.{schema}.{table.upper()}"):
        source = {"type": "table", "table": text}
        for given in ({"primary_table": text}, {"secondary_sources": [source]}):
            answer = signed_in(rosa).post("/api/v1/sheets", seen | given)
            assert answer.status_code == 400 and "you may not see it" in answer.json()["error"]["message"], given


def test_no_ground_truth_of_it_is_counted(hidden: TrainingSheet, rosa: User, omar: User) -> None:
    seen, every = (signed_in(user).get("/api/v1/ground-truth/stats").json()["total_jobs"] for user in (rosa, omar))
    assert every - seen == QAPair.objects.of(hidden.pk).count()


def test_a_batch_with_one_hidden_pair_changes_nothing(hidden: TrainingSheet, boards: TrainingSheet, rosa: User) -> None:
    seen, unseen = QAPair.objects.of(boards.pk)[20], QAPair.objects.of(hidden.pk)[20]
    actions = [{"pair_id": pair.pk, "action": "approve"} for pair in (seen, unseen)]
    answer = signed_in(rosa).post("/api/v1/qa-pairs/review", {"actions": actions})
    assert answer.status_code == 404 and unseen.pk in answer.json()["error"]["message"]
    seen.refresh_from_db()
    assert seen.status == "unlabeled" and seen.version == 1


def test_no_sheet_is_made_over_its_table(hidden: TrainingSheet, rosa: User) -> None:
    copy = {"name": "Mine", "primary_table": hidden.sheet.primary_table, "join_keys": hidden.sheet.join_keys}
    answer = signed_in(rosa).post("/api/v1/sheets", copy)
    assert answer.status_code == 400 and "primary_table" in answer.json()["error"]["fields"]
    files = [source["path"] for source in hidden.sheet.secondary_sources if "path" in source]
    for volume in files:
        assert signed_in(rosa).get(f"/api/v1/files{volume}/any.pdf").status_code == 404
    assert not Sheet.objects.filter(name="Mine").exists()


def test_no_list_of_the_catalog_names_its_sources(
    hidden: TrainingSheet, boards: TrainingSheet, rosa: User, omar: User
) -> None:
    catalog, schema, table = hidden.sheet.primary_table.split(".")
    volumes = [source["path"].split("/")[2:] for source in hidden.sheet.secondary_sources if "path" in source]
    define = f"{reverse('admin:sheets_sheet_define')}?table={boards.sheet.primary_table}"
    rosa.user_permissions.set(Permission.objects.filter(content_type__app_label__in=CONCEPT_APPS))
    for user, is_there in ((rosa, False), (omar, True)):
        browser = Client()
        browser.force_login(User.objects.get(pk=user.pk))
        for *above, name in ([catalog, schema, table], *volumes):
            listed = signed_in(user).get(f"/api/v1/catalog/{'/'.join(above)}").content.decode()
            page = browser.get(reverse("admin:sheets_sheet_catalog", args=above)).content.decode()
            assert ((f'"{name}"' in listed), (f"/{name}/" in page)) == (is_there, is_there), name
        assert browser.get(define).status_code == 200
    near = [
        f"catalog/{hidden.sheet.primary_table.replace('.', '/')}s",
        f"files{'/'.join(['', 'Volumes', *volumes[0]])}s/x",
    ]
    for path in near:
        told = signed_in(rosa).get(f"/api/v1/{path}")
        assert told.status_code == 404 and f"{table}'" not in told.text and f"{volumes[0][2]}'" not in told.text


def test_shared_views_of_it_are_not_there(hidden: TrainingSheet, boards: TrainingSheet, rosa: User, omar: User) -> None:
    url, view = "/api/v1/review-views", {"training_sheet_id": hidden.pk, "query": {}}
    key = signed_in(omar).post(url, view | {"name": "Secret", "shared": True}).json()["id"]
    assert signed_in(rosa).get(url).json()["results"] == []
    assert signed_in(rosa).get(f"{url}/{key}").status_code == signed_in(rosa).delete(f"{url}/{key}").status_code == 404
    refused = [signed_in(rosa).post(url, view | {"name": "x", "training_sheet_id": key}) for key in (hidden.pk, "none")]
    assert [each.status_code for each in refused] == [400, 400]
    assert refused[0].content.decode().replace(hidden.pk, "none") == refused[1].content.decode()
    browser = Client()
    browser.force_login(rosa)
    assert browser.post(reverse("review-views", args=[boards.pk]), {"delete": key}).status_code == 404


def test_a_filter_by_it_is_refused_as_one_by_nothing(hidden: TrainingSheet, rosa: User, omar: User) -> None:
    for name, key in (
        ("training-sheets?sheet", hidden.sheet_id), ("canonical-labels?sheet", hidden.sheet_id),
        ("exports?training_sheet", hidden.pk), ("jobs?training_sheet", hidden.pk),
        ("review-events?qa_pair", QAPair.objects.of(hidden.pk)[0].pk), ("conversations?training_sheet", hidden.pk),
    ):  # fmt: skip
        answers = [signed_in(rosa).get(f"/api/v1/{name}={each}") for each in (key, "none")]
        assert [each.status_code for each in answers] == [400, 400], name
        assert answers[0].content == answers[1].content
        assert signed_in(omar).get(f"/api/v1/{name}={key}").status_code == 200


def test_no_page_of_the_admin_shows_it(hidden: TrainingSheet, rosa: User) -> None:
    rosa.user_permissions.set(Permission.objects.filter(content_type__app_label__in=CONCEPT_APPS))
    browser, keys = Client(), ids_of(hidden)
    browser.force_login(rosa)
    pages = [reverse("admin:index"), *(reverse(f"admin:{name}_changelist") for name in ADMIN_LISTS)]
    pages += [reverse("admin:training_trainingsheet_generate"), reverse("admin:templates_app_prompttemplate_studio")]
    for url in pages:
        page = browser.get(url).content.decode()
        assert not [key for key in keys if key in page] and hidden.sheet.name not in page, url
    for name, key in (("training_trainingsheet", hidden.pk), ("sheets_sheet", hidden.sheet_id)):
        assert browser.get(reverse(f"admin:{name}_change", args=[key])).status_code == 302
    export = Export.objects.filter(training_sheet_id=hidden.pk)[0].pk
    for name, key in (
        ("training_trainingsheet_export", hidden.pk), ("sheets_sheet_items", hidden.sheet_id),
        ("training_export_manifest", export), ("training_export_download", export),
    ):  # fmt: skip
        assert browser.get(reverse(f"admin:{name}", args=[key])).status_code == 404
    label = CanonicalLabel.objects.filter(sheet_id=hidden.sheet_id)[0]
    for name, args in (
        ("review", [hidden.pk]), ("review-list", [hidden.pk]), ("label", [label.sheet_id, label.label_type]),
        ("label-import", [label.sheet_id]), ("label-versions", [label.pk]),
    ):  # fmt: skip
        assert browser.get(reverse(name, args=args)).status_code == 404, name
    assert hidden.sheet.name not in browser.get(reverse("label-entry")).content.decode()


def test_who_may_look_only_changes_nothing(invoices: TrainingSheet, rosa: User, omar: User) -> None:
    restrict_sheet(invoices.sheet, [{"user": "rosa", "level": "read"}], actor="omar")
    pair, client = QAPair.objects.of(invoices.pk)[20], signed_in(rosa)
    assert client.get(f"/api/v1/qa-pairs/{pair.pk}").status_code == 200
    assert client.get(f"/api/v1/training-sheets/{invoices.pk}/queue").status_code == 200
    for answer in (
        client.post(f"/api/v1/qa-pairs/{pair.pk}/approve", {}),
        client.post("/api/v1/qa-pairs/review", {"actions": [{"pair_id": pair.pk, "action": "approve"}]}),
        client.post(f"/api/v1/training-sheets/{invoices.pk}/queue/claim", {}),
        client.get(f"/api/v1/training-sheets/{invoices.pk}/export/jsonl"),
        client.get("/api/v1/canonical-labels/export", {"sheet": invoices.sheet_id, "use": "training"}),
        client.patch(f"/api/v1/sheets/{invoices.sheet_id}", {"description": "mine"}),
    ):
        assert answer.status_code == 403 and "only look" not in answer.content.decode()
        assert "ask a platform lead" in answer.json()["error"]["message"]
    browser = Client()
    browser.force_login(rosa)
    page = browser.get(reverse("review", args=[invoices.pk])).content.decode()
    assert '"may_review": false' in page or "may_review&quot;: false" in page
    assert QAPair.objects.filter(training_sheet=invoices, version__gt=1).count() == 0


def test_who_may_look_only_takes_no_ground_truth(
    invoices: TrainingSheet, boards: TrainingSheet, rosa: User, omar: User
) -> None:
    restrict_sheet(invoices.sheet, [{"user": "rosa", "level": "read"}], actor="omar")
    client, browser = signed_in(rosa), Client()
    browser.force_login(rosa)
    url, page = "/api/v1/ground-truth/export", reverse("admin:training_reviewevent_ground_truth")
    counts = client.get("/api/v1/ground-truth/stats", {"training_sheet": invoices.pk}).json()
    assert counts["total_jobs"] == QAPair.objects.of(invoices.pk).count()
    for asked in ({"training_sheet": invoices.pk}, {"sheet": invoices.sheet_id}):
        answer = client.get(url, asked)
        assert answer.status_code == 403 and "not work on it" in answer.json()["error"]["message"], asked
    for answer in (
        browser.get(page, {"count": 1, "training_sheet": invoices.pk}),
        browser.post(page, {"training_sheet": invoices.pk}),
    ):
        assert answer.status_code == 403
    assert invoices.pk not in browser.get(page).text
    for every in (client.get(url), browser.post(page)):
        body = b"".join(every.streaming_content)  # type: ignore[attr-defined]
        assert boards.pk.encode() in body and invoices.pk.encode() not in body
    assert not Export.objects.filter(training_sheet=invoices).exists()


def test_rights_cost_one_query_and_none_of_the_lakehouse(boards: TrainingSheet, rosa: User) -> None:
    client = signed_in(rosa)
    with CaptureQueriesContext(connection) as queries, CaptureQueriesContext(connections[LAKEHOUSE]) as statements:
        client.get("/api/v1/sheets")
    assert len([query for query in queries if "sheet_grants" in query["sql"]]) == 1
    assert len(statements) == 1


def test_a_lead_restricts_and_opens_by_api_and_in_the_admin(invoices: TrainingSheet, omar: User, rosa: User) -> None:
    url, page = (
        f"/api/v1/sheets/{invoices.sheet_id}/grants",
        reverse("admin:sheets_sheet_rights", args=[invoices.sheet_id]),
    )
    grants = [{"group": "domain expert", "level": "read"}]
    assert signed_in(omar).post(url, {"grants": grants}).json() == {"grants": grants}
    assert signed_in(rosa).get(f"/api/v1/sheets/{invoices.sheet_id}").status_code == 404
    told = UsageConstraintAudit.objects.filter(kind="rights").order_by("-sequence")[0]
    assert (told.subject, told.modified_by) == (f"sheet {invoices.sheet_id}", "omar")
    assert "domain expert (read), before that" in told.reason
    for wrong in ([{"group": "domain exprt"}], [{}], [{"user": "omar"}, {"user": "omar"}]):
        answer = signed_in(omar).post(url, {"grants": wrong})
        assert answer.status_code == 400 and "grants" in answer.json()["error"]["fields"]
    browser = Client()
    browser.force_login(omar)
    form = {
        "grants-TOTAL_FORMS": "1",
        "grants-INITIAL_FORMS": "1",
        "grants-0-who": "user:rosa",
        "grants-0-level": "work",
    }
    assert browser.post(page, form).status_code == 302
    assert signed_in(omar).get(url).json() == {"grants": [{"user": "rosa", "level": "work"}]}
    assert signed_in(rosa).get(f"/api/v1/sheets/{invoices.sheet_id}").status_code == 200
    assert browser.post(page, {**form, "grants-0-who": ""}).status_code == 302
    assert signed_in(omar).get(url).json() == {"grants": []}


def test_every_filter_by_a_related_row_leaves_hidden_ones_out() -> None:
    from django.contrib import admin

    from workbench.admin_filters import VisibleRelated

    assert admin.site._registry
    for model, page in admin.site._registry.items():
        for each in page.list_filter:
            if isinstance(each, tuple) and "Related" in each[1].__name__:
                related: Any = model._meta.get_field(each[0]).remote_field.model  # type: ignore[union-attr]
                assert not hasattr(related, "of_sheet") or issubclass(each[1], VisibleRelated), (model, each)


@pytest.fixture
def files(hidden: TrainingSheet, boards: TrainingSheet) -> dict[str, str]:
    """Training files by name: with a conversation of the invoices, of the boards, and of an import alone."""
    content = json.dumps([document(number) for number in (1, 2, 3)]).encode()
    _, ids = import_conversations([("batch.json", content)], actor="omar")
    for key, training_sheet in zip(ids, (hidden, boards), strict=False):
        Conversation.objects.filter(pk=key).update(training_sheet=training_sheet)
    named = {"of invoices": ids, "of boards": ids[1:], "imported": ids[2:]}
    return {name: create_training_file(name, members, actor="omar").pk for name, members in named.items()}


def test_a_training_file_is_seen_by_who_sees_all_that_is_in_it(
    files: dict[str, str], rosa: User, omar: User, django_assert_num_queries: Any
) -> None:
    for user, names in ((rosa, {"of boards", "imported"}), (omar, {*files})):
        client = signed_in(user)
        with django_assert_num_queries(2, using=LAKEHOUSE):
            listed = client.get("/api/v1/training-files").json()["files"]
        assert {each["name"] for each in listed} == names
    key, client = files["of invoices"], signed_in(rosa)
    (conversation, *_) = TrainingFileConversation.objects.filter(training_file_id=key).order_by("position")
    for path in ("", "/suggestions", "/download?format=json"):
        assert client.get(f"/api/v1/training-files/{key}{path}").status_code == 404, path
        assert client.get(f"/api/v1/training-files/{files['of boards']}{path}").status_code == 200, path
    ids = {"conversation_ids": [conversation.conversation_id]}
    for verb in ("add-conversations", "remove-conversations", "add-matching", "rebuild", "archive", "restore"):
        asked = {} if verb == "add-matching" else ids
        assert client.post(f"/api/v1/training-files/{key}/{verb}", asked).status_code == 404, verb
    assert client.delete(f"/api/v1/training-files/{key}").status_code == 404
    for path in ("", f"/{files['imported']}/add-conversations"):
        answer = client.post(f"/api/v1/training-files{path}", {"name": "mine", **ids})
        assert answer.status_code == 400 and "there is no such conversation" in answer.json()["error"]["message"]
    suggested = client.get(f"/api/v1/training-files/{files['imported']}/suggestions").json()
    assert [each["id"] for each in suggested] == [document(2)["conversation_metadata"]["conversation_id"]]
    taken_out = signed_in(omar).post(f"/api/v1/training-files/{key}/remove-conversations", ids)
    assert taken_out.status_code == 200 and client.get(f"/api/v1/training-files/{key}").status_code == 200


def test_a_link_to_a_training_file_ends_with_the_right_to_its_sheets(
    files: dict[str, str], hidden: TrainingSheet, rosa: User
) -> None:
    url = f"/api/v1/training-files/{files['of invoices']}"
    restrict_sheet(hidden.sheet, [], actor="omar")
    link = signed_in(rosa).get(f"{url}/download?format=json").json()["download_url"]
    assert b"".join(APIClient().get(link).streaming_content)
    asked = {"subject": f"training file {files['of invoices']}"}
    assert len(signed_in(rosa).get("/api/v1/usage-constraint-audit", asked).json()["results"]) == 1
    restrict_sheet(hidden.sheet, [{"user": "rosa", "level": "read"}], actor="omar")
    assert signed_in(rosa).get(url).status_code == 200
    assert signed_in(rosa).get(f"{url}/download?format=json").status_code == 403
    assert signed_in(rosa).post(f"{url}/archive").status_code == 403
    restrict_sheet(hidden.sheet, [{"user": "omar"}], actor="omar")
    assert APIClient().get(link).status_code == 404
    assert signed_in(rosa).get("/api/v1/usage-constraint-audit", asked).json()["results"] == []


def test_no_page_of_the_admin_shows_a_hidden_training_file(files: dict[str, str], rosa: User) -> None:
    browser = Client()
    browser.force_login(rosa)
    shown = browser.get(reverse("admin:training_trainingfile_changelist")).text
    assert "of boards" in shown and "of invoices" not in shown
    for name, status in (("of boards", 200), ("of invoices", 404)):
        for page in ("change", "fill"):
            url = reverse(f"admin:training_trainingfile_{page}", args=[files[name]])
            assert browser.get(url).status_code == status, url
        url = reverse("admin:training_trainingfile_download", args=[files[name]])
        got: Any = browser.post(url, {"format": "json"})
        assert got.status_code == status and (status == 404 or b"".join(got.streaming_content))
    act = reverse("admin:training_trainingfile_act", args=[files["of invoices"]])
    assert browser.post(act, {"verb": "archive"}).status_code == 404
