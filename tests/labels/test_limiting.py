"""Changing what labels may be used for: a version and an audit row each, one or many."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit
from labels.exporting import label_blocks
from labels.history import repair
from labels.models import CanonicalLabel, CanonicalLabelVersion
from sheets.models import Sheet
from tests.labels.conftest import Record
from workbench.problems import Conflict, Forbidden

URL = "/api/v1/canonical-labels"
NO_TRAINING = {"prohibit": ["training"], "reason": "Contains PHI - HIPAA"}


def test_one_label(record: Record, api: APIClient) -> None:
    label = record()
    changed = api.post(f"{URL}/{label.pk}/uses", NO_TRAINING).json()
    assert (changed["prohibited_uses"], changed["usage_reason"], changed["version"]) == (
        ["training"],
        NO_TRAINING["reason"],
        2,
    )
    audit = UsageConstraintAudit.objects.get()
    assert (audit.canonical_label_id, audit.new_prohibited_uses, audit.modified_by) == (label.pk, ["training"], "rosa")
    assert CanonicalLabelVersion.objects.get(version=2).change_note == "Uses: Contains PHI - HIPAA"
    assert api.post(f"{URL}/{label.pk}/uses", NO_TRAINING).status_code == 409


def test_many_after_a_preview(boards: Sheet, record: Record, api: APIClient) -> None:
    for ref in ("a1", "b2", "c3"):
        record(item_ref=ref)
    given = {"filter": {"sheet": boards.pk}, **NO_TRAINING}
    assert api.post(f"{URL}/uses", {**given, "preview": True}).json()["changed"] == 3
    assert not UsageConstraintAudit.objects.exists()
    done = api.post(f"{URL}/uses", given).json()
    assert (done["changed"], done["changes"]) == (3, [{"words": "training prohibited", "count": 3}])
    assert UsageConstraintAudit.objects.count() == CanonicalLabelVersion.objects.filter(version=2).count() == 3
    assert api.post(f"{URL}/uses", {"ids": ["nowhere"], **NO_TRAINING}).status_code == 404


def test_what_a_change_of_many_refuses_is_on_the_audit(record: Record, api: APIClient, rosa: User) -> None:
    keys = [record(item_ref=ref).pk for ref in ("a1", "b2", "c3")]
    CanonicalLabel.objects.filter(pk__among=keys[:2]).update(
        prohibited_uses=["training"], tag_prohibited_uses=["training"]
    )
    rosa.user_permissions.remove(*rosa.user_permissions.filter(codename="loosen_tag_rule"))
    given = {"ids": keys, "allow": ["training"], "reason": "I need it"}
    assert api.post(f"{URL}/uses", given | {"preview": True}).status_code == 200
    assert not UsageConstraintAudit.objects.exists()
    api.post(f"{URL}/uses", given)
    refused = UsageConstraintAudit.objects.get()
    assert (refused.kind, refused.modified_by) == ("refusal", "rosa")
    assert refused.reason.startswith("Refused for 2 labels") and keys[0] in refused.reason
    api.post(f"{URL}/uses", {"ids": [*keys, "nowhere"], **NO_TRAINING})
    assert "nowhere" in UsageConstraintAudit.objects.order_by("-sequence")[0].reason
    assert CanonicalLabel.objects.filter(version=1).count() == 3


def test_the_admin_asks_looks_and_does(record: Record, rosa: User, client: Client) -> None:
    label = record()
    client.force_login(rosa)
    form = {
        "action": "change_uses_selected",
        "_selected_action": [label.pk],
        "use_training": "prohibit",
        "reason": "PHI",
    }
    url = "/admin/labels/canonicallabel/"
    assert client.post(url, form).context["outcome"] is None
    assert client.post(url, {**form, "step": "look"}).context["changes"] == [("training prohibited", 1)]
    assert CanonicalLabel.objects.get().version == 1
    assert client.post(url, {**form, "step": "do"}).status_code == 302
    assert CanonicalLabel.objects.get().prohibited_uses == ["training"]


def test_a_killed_change_keeps_its_reason_for_who_comes_next(record: Record, api: APIClient) -> None:
    label = record()
    CanonicalLabel.objects.filter(pk=label.pk).update(
        version=2, prohibited_uses=["training"], allowed_uses=["testing"], uses_change_reason="Consent ended"
    )
    repair(CanonicalLabel.objects.get())
    repair(CanonicalLabel.objects.get())
    assert UsageConstraintAudit.objects.get().reason == "Consent ended"


def test_a_change_that_died_half_way_is_completed_by_asking_for_it_again(record: Record, api: APIClient) -> None:
    labels = [record(item_ref=ref) for ref in ("a1", "b2", "c3")]
    limits = {"prohibited_uses": ["training"], "allowed_uses": ["testing"], "usage_reason": "Consent ended"}
    CanonicalLabel.objects.update(version=2, uses_change_reason="Consent ended", **limits)
    answer = {"sheet_id": labels[0].sheet_id, "item_ref": "a1", "label_type": labels[0].label_type}
    again = api.post("/api/v1/canonical-labels", {**answer, "label_data": labels[0].label_data})
    assert (again.status_code, again.json()["version"]) == (200, 2)
    many = {"ids": [label.pk for label in labels[1:]], "prohibit": ["training"], "reason": "Consent ended"}
    assert api.post(f"{URL}/uses", {**many, "preview": True}).json()["changed"] == 0
    assert complete() == {labels[0].pk}
    assert api.post(f"{URL}/uses", many).json()["changed"] == 0
    assert complete() == {label.pk for label in labels}


def complete() -> set[str]:
    """The labels whose second version is kept, with its row of the audit."""
    audited = UsageConstraintAudit.objects.filter(reason="Consent ended").values_list("canonical_label_id", flat=True)
    kept = CanonicalLabelVersion.objects.filter(version=2).values_list("canonical_label_id", flat=True)
    assert sorted(audited) == sorted(kept)
    return set(kept)


def test_what_a_tag_prohibited_is_not_allowed_by_recording_again(record: Record) -> None:
    limits = {"prohibited_uses": ["training"], "usage_reason": "table tag PHI"}
    label = record(**limits)
    CanonicalLabel.objects.filter(pk=label.pk).update(tag_prohibited_uses=["training"])
    loosening = {"allowed_uses": ["training"], "prohibited_uses": [], "reason": "I need it"}
    with pytest.raises(Forbidden, match="platform lead"):
        record(**loosening)
    with pytest.raises(Forbidden, match="not change what they may be used for"):
        record(prohibited_uses=["few_shot"], usage_reason="x", reason="y", may_change_uses=False)
    assert record(**loosening, may_loosen=True).tag_prohibited_uses == []


def test_an_export_for_a_use_asks_the_gate(boards: Sheet, record: Record, sql: Any, nils: User) -> None:
    record()
    record(item_ref="b2", prohibited_uses=["training"], usage_reason="Contains PHI")
    assert b"".join(label_blocks(boards, use="training")).count(b"\n") == 1
    sql("ALTER TABLE shop.raw.boards SET TAGS ('PII' = '')")
    with pytest.raises(Conflict, match="1 labels: training prohibited, table tag PII"):
        label_blocks(boards, use="training")
    assert b"".join(label_blocks(boards)).count(b"\n") == 2
    client = APIClient()
    client.force_authenticate(nils)
    assert client.get(f"{URL}/export", {"sheet": boards.pk}).status_code == 403
    assert client.get(f"{URL}/export", {"sheet": boards.pk, "use": "testing"}).status_code == 200
    assert client.get(f"{URL}/export", {"sheet": boards.pk, "use": "training"}).status_code == 409
    refused, left = UsageConstraintAudit.objects.filter(subject=f"sheet {boards.pk}").order_by("-sequence")[:2]
    assert (refused.kind, refused.modified_by) == ("refusal", "nils") and "table tag PII" in refused.reason
    assert left.reason == "Labels left for testing as jsonl (api)"


def test_only_who_may_changes_uses(record: Record, nils: User) -> None:
    label = record()
    nils.user_permissions.set(Permission.objects.filter(codename__in=["add_canonicallabel", "change_canonicallabel"]))
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=nils.pk))
    assert client.post(f"{URL}/{label.pk}/uses", NO_TRAINING).status_code == 403
    given = {"sheet_id": label.sheet_id, "item_ref": "a1", "label_type": "defect", "label_data": {"defect": "none"}}
    limits = {"prohibited_uses": ["training"], "usage_reason": "x", "reason": "y"}
    assert client.post(URL, {**given, **limits}).status_code == 403
    assert client.post(URL, {**given, "label_data": {"defect": "x"}}).status_code == 200
