"""Every version of a label stays readable, and every change of its uses is audited, whatever was killed."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel, CanonicalLabelVersion
from tests.labels.conftest import Record
from workbench.problems import Invalid

LIMITS = {"prohibited_uses": ["training"], "usage_reason": "Contains PHI - HIPAA"}


def history() -> list[tuple[int, object, str]]:
    versions = CanonicalLabelVersion.objects.order_by("version")
    return list(versions.values_list("version", "label_data", "change_note"))


def test_versions_say_who_when_and_what(record: Record) -> None:
    record(label_data=1, change_note="first look")
    second = record(label_data=2, actor="omar")
    assert history() == [(1, 1, "first look"), (2, 2, "")]
    latest = CanonicalLabelVersion.objects.get(version=2)
    assert (latest.modified_by, latest.modified_at) == ("omar", second.last_modified_at)


def test_versions_are_listed_by_time(record: Record, omar: User, client: Client) -> None:
    for number in range(1, 7):
        record(label_data=number)
    client.force_login(omar)
    listed = client.get("/admin/labels/canonicallabelversion/").context["cl"].result_list
    assert [version.version for version in listed] == [6, 5, 4, 3, 2, 1]


def test_a_change_of_uses_needs_a_reason_and_is_audited(record: Record) -> None:
    label = record()
    with pytest.raises(Invalid, match="it is kept in the audit"):
        record(**LIMITS)
    assert CanonicalLabel.objects.get().version == 1 and not UsageConstraintAudit.objects.exists()
    record(**LIMITS, reason="Privacy review", actor="omar")
    audit = UsageConstraintAudit.objects.get()
    assert (audit.canonical_label_id, audit.reason, audit.modified_by) == (label.pk, "Privacy review", "omar")
    assert (audit.old_prohibited_uses, audit.new_prohibited_uses) == ([], ["training"])
    assert "training" in audit.old_allowed_uses and "training" not in audit.new_allowed_uses


def test_an_edit_that_leaves_the_uses_alone_is_not_audited(record: Record) -> None:
    record(**LIMITS)
    record(label_data={"defect": "scratch"})
    record(label_data={"defect": "scratch"}, allowed_uses=["testing", "few_shot", "evaluation", "validation"])
    assert CanonicalLabel.objects.get().version == 2 and not UsageConstraintAudit.objects.exists()


def test_the_next_writer_adds_what_a_killed_one_left_out(record: Record) -> None:
    label = record(label_data=1)
    limits = {"prohibited_uses": ["training"], "allowed_uses": ["testing"], "usage_reason": "Contains PHI - HIPAA"}
    CanonicalLabel.objects.filter(pk=label.pk).update(label_data=2, version=2, last_modified_by="omar", **limits)
    record(label_data=3)
    assert history() == [(1, 1, ""), (2, 2, ""), (3, 3, "")]
    audit = UsageConstraintAudit.objects.get()
    assert (audit.reason, audit.modified_by) == ("Contains PHI - HIPAA", "omar")
    record(label_data=4)
    assert len(history()) == 4 and UsageConstraintAudit.objects.count() == 1
