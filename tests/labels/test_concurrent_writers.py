"""Several writers of one label: its key stays unique and no change is lost."""

from __future__ import annotations

from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel, CanonicalLabelVersion
from tests.labels.conftest import Record, at_once


def test_of_several_first_labels_one_is_new_and_the_others_change_it(record: Record) -> None:
    written = at_once(lambda number: record(label_data={"by": number}, actor=f"rosa-{number}"))
    label = CanonicalLabel.objects.get()
    assert {each.pk for each in written} == {label.pk}
    assert sorted(each.version for each in written) == [1, 2, 3]
    versions = CanonicalLabelVersion.objects.order_by("version").values_list("version", "label_data")
    assert [version for version, _ in versions] == [1, 2, 3]
    assert sorted(data["by"] for _, data in versions) == [0, 1, 2]
    assert list(versions)[-1][1] == label.label_data


def test_several_changes_of_uses_are_each_audited_with_their_own_reason(record: Record, default_file: None) -> None:
    record()
    levels = ("public", "confidential", "restricted")
    at_once(lambda number: record(data_classification=levels[number], reason=levels[number]))
    audits = UsageConstraintAudit.objects.order_by("modified_at")
    assert sorted(audit.reason for audit in audits) == sorted(levels)
    assert all(audit.new_data_classification == audit.reason for audit in audits)
    assert CanonicalLabel.objects.get().version == 4
    assert sorted(audits.values_list("sequence", flat=True)) == [1, 2, 3]
