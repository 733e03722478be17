"""Whatever reviewers did: the first answer is rebuilt from the last by the events alone, and they lead forwards again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from templates_app.changes import changes_between, replay
from tests.templates_app.test_changes import JSON, same
from training.ground_truth.history import corrections, field_name, first_row, initial_of, standing
from training.ground_truth.lines import line_of

SLOW_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ROWS = st.lists(st.fixed_dictionaries({"nrp": st.text(max_size=2), "tags": st.lists(JSON, max_size=3)}), max_size=4)
ANSWERS = st.fixed_dictionaries({"header": JSON, "personel": ROWS}) | JSON
STEPS = st.lists(st.tuples(st.sampled_from(["edit", "approve", "reject", "flag", "reopen", "undo", "uses"]), ANSWERS))


def history(first: Any, steps: Sequence[tuple[str, Any]]) -> tuple[Any, list[dict[str, Any]]]:
    """Return the last answer and the events, as the journal keeps them: an undo goes back before the latest that stands."""
    now, befores, events = first, [], []
    for action, answer in steps:
        if action == "undo" and not befores:
            continue
        old = now
        if action == "undo":
            now = befores.pop()
        else:
            befores.append(old)
            now = answer if action == "edit" else old
        changes = changes_between(old, now) if action != "uses" else [{"field_path": "allowed_uses", "old_value": 1}]
        events.append({"action": action, "changes": orjson.dumps(changes).decode(), "actor": "rosa", "reason": ""})
    return now, [{**event, "created_at": None} for event in events]


@SLOW_MACHINE
@given(ANSWERS, STEPS)
def test_backwards_is_the_first_answer_and_forwards_the_last(first: Any, steps: list[tuple[str, Any]]) -> None:
    final, events = history(first, steps)
    changes = [change for change, _ in corrections(standing(events))]
    rebuilt = initial_of(final, changes)
    assert same(rebuilt, first)
    assert same(replay(rebuilt, changes), final)


@SLOW_MACHINE
@given(ANSWERS, STEPS)
def test_a_line_alone_leads_from_its_first_answer_to_its_last(first: Any, steps: list[tuple[str, Any]]) -> None:
    final, events = history(first, steps)
    row = dict.fromkeys(
        ("id", "item_ref", "labeling_mode", "status", "reviewed_by", "reviewed_at", "created_at", "updated_at",
         "training_sheet_id", "ai_confidence", "error", "canonical_label_version", "label_latest")
    ) | {"misfits": "[]"}  # fmt: skip
    line = orjson.loads(line_of(row, final, standing(events)))
    assert same(replay(line["initial_result"], line["corrections"]), line["final_result"])
    assert "history_gap" not in line["review_flags"]
    label = orjson.loads(line_of(row | {"labeling_mode": "canonical"}, final, standing(events)))
    if label["corrections"]:
        assert same(replay(label["initial_result"], label["corrections"]), label["final_result"])
    else:
        assert label["initial_result"] is None and same(label["final_result"], line["final_result"])


def test_rows_count_under_their_first_and_names_alone() -> None:
    assert first_row("personel[12].aliases[3]") == "personel[0].aliases[0]"
    assert first_row('["a[3]"].b[2]["[]"]') == '["a[3]"].b[0]["[]"]'
    assert [field_name(path) for path in ("personel[12].nrp", "$", '["a.b"]', "tags[2]")] == ["nrp", "$", "a.b", "tags"]
