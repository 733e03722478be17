"""Recording a label: once for an item and type, with what it needs."""

from __future__ import annotations

from typing import Any

import pytest

from governance.uses import USES
from labels.models import CanonicalLabel
from sheets.models import Sheet
from sheets.reading import get_item
from templates_app.models import PromptTemplate
from tests.labels.conftest import Record
from workbench.problems import Invalid

FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"item_ref": "a11"}, "item_ref", "The sheet 'Boards' has no item 'a11'. Did you mean 'a1'?"),
    ({"label_type": "Defect!"}, "label_type", "lower-case"),
    ({"label_data": None}, "label_data", "Found nothing"),
    ({"label_data": " "}, "label_data", "Found nothing"),
    ({"label_data": {"x": float("nan")}}, "label_data", "NaN"),
    ({"confidence": "hgh"}, "confidence", "Did you mean 'high'"),
    ({"allowed_uses": ["trainin"]}, "allowed_uses", "Did you mean 'training'"),
    ({"prohibited_uses": ["sale"], "usage_reason": "x"}, "prohibited_uses", "Allowed: training"),
    ({"prohibited_uses": ["training"]}, "usage_reason", "Say why"),
    ({"allowed_uses": ["training"], "prohibited_uses": ["training"], "usage_reason": "x"}, "prohibited_uses", "Both"),
    ({"data_classification": "secret"}, "data_classification", "public"),
]


@pytest.mark.parametrize(("given", "field", "words"), FAULTS)
def test_a_wrong_label_is_refused_by_the_name_of_its_input(
    record: Record, given: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        record(**given)
    assert set(refusal.value.fields) == {field} and words in refusal.value.fields[field][0]
    assert not CanonicalLabel.objects.exists()


def test_a_new_label_starts_with_all_uses_and_the_state_of_its_item(record: Record, boards: Sheet) -> None:
    record()
    label = CanonicalLabel.objects.get()
    assert (label.version, label.labeled_by, label.confidence) == (1, "rosa", "high")
    assert (label.allowed_uses, label.prohibited_uses, label.data_classification) == (list(USES), [], "internal")
    assert label.item_hash == get_item(boards, "a1").hash


def test_recording_again_changes_the_one_label(record: Record) -> None:
    first = record(notes="dusty")
    second = record(label_data={"defect": "scratch"}, actor="omar")
    label = CanonicalLabel.objects.get()
    assert second.pk == first.pk == label.pk
    assert (label.version, label.label_data, label.notes) == (2, {"defect": "scratch"}, "")
    assert (label.labeled_by, label.last_modified_by) == ("rosa", "omar")
    assert record(label_type="quality").pk != label.pk


def test_recording_the_same_again_changes_nothing(record: Record) -> None:
    first = record(label_data={"ok": True})
    assert record(label_data={"ok": True}, actor="omar").version == 1
    assert CanonicalLabel.objects.get().last_modified_at == first.last_modified_at
    assert record(label_data={"ok": 1}).version == 2


def test_a_number_that_is_written_otherwise_is_no_change(record: Record) -> None:
    record(label_data={"total": 120.0, "codes": [1.0, 2]})
    assert record(label_data={"total": 120, "codes": [1, 2]}, actor="omar").version == 1
    label = record(label_data={"total": 120, "codes": [1, 3]})
    assert (label.version, str(label.label_data)) == (2, "{'total': 120.0, 'codes': [1.0, 3]}")


def test_the_answer_fits_the_template(record: Record, template: PromptTemplate) -> None:
    with pytest.raises(Invalid, match=r'answer.defect: found "burnt"; allowed are "scratch", "none"'):
        record(template=template, label_data={"defect": "burnt"})
    with pytest.raises(Invalid, match="is for 'defect': use that"):
        record(template=template, label_type="quality")
    assert record(template=template).output_schema == template.output_schema
    with pytest.raises(Invalid, match="burnt"):
        record(label_data={"defect": "burnt"})
    assert CanonicalLabel.objects.get().version == 1


def test_uses_stay_until_others_are_given(record: Record) -> None:
    record(prohibited_uses=["training"], usage_reason="Contains PHI - HIPAA", data_classification="restricted")
    label = record(label_data={"defect": "scratch"})
    assert label.prohibited_uses == ["training"] and "training" not in label.allowed_uses
    assert (label.usage_reason, label.data_classification) == ("Contains PHI - HIPAA", "restricted")
