"""Whatever two reviewers do in whatever order: pairs, labels and events are as a small model of them says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from governance.models import UsageConstraintAudit
from governance.uses import USES
from labels.models import CanonicalLabel
from training.actions.review import review
from training.chat import assistant_answer
from training.models import QAPair, ReviewAction, ReviewEvent, ReviewPair, TrainingSheet
from training.review.applying import apply_waiting
from training.review.journal import Decision, StaleVersion
from training.review.transitions import TRANSITIONS
from workbench.problems import Conflict, Forbidden

SEVERITIES = ("minor", "major", "critical")
# What a change of uses prohibits, by the same choice as an edit's severity.
PROHIBITED: dict[str, list[str]] = {"minor": [], "major": ["training"], "critical": ["few_shot"]}
ACTIONS = ("approve", "edit", "reject", "flag", "reopen", "undo", "uses", "apply", "again", "stale")
steps = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from(ACTIONS), st.sampled_from(["rosa", "ana"]), st.sampled_from(SEVERITIES)
    ),
    max_size=14,
)


@dataclass(frozen=True)
class State:
    """What is true of a pair and its item's label: their answers, None where there is no label, and what is prohibited."""

    status: str
    answer: Any
    label: Any
    prohibited: list[str] = field(default_factory=list)


@dataclass
class Model:
    """A pair as it must be: the present state, and those before with who left them."""

    now: State
    past: list[tuple[State, str]] = field(default_factory=list)
    version: int = 1
    audited: int = 0

    def act(self, action: str, actor: str, answer: Any, prohibited: list[str]) -> str:
        """Do it, and return why not where it is not allowed."""
        if action == "undo":
            if not self.past:
                return "nothing"
            before, by = self.past[-1]
            if by != actor:
                return "another's"
            self.audited += self.now.prohibited != before.prohibited
            self.now = before
            self.past.pop()
        elif action == "uses":
            if self.now.prohibited == prohibited:
                return "nothing changes"
            self.audited += 1
            self.past.append((self.now, actor))
            self.now = replace(self.now, prohibited=prohibited)
        else:
            allowed, to = TRANSITIONS[action]
            if self.now.status not in allowed:
                return "not allowed"
            self.past.append((self.now, actor))
            new = replace(self.now, status=to, answer=answer if action == "edit" else self.now.answer)
            self.now = replace(new, label=new.answer) if action in ("approve", "edit") else new
        self.version += 1
        return ""


def answer_of(pair: QAPair) -> Any:
    return json.loads(assistant_answer(pair.messages) or "null")


@pytest.fixture
def three(boards: TrainingSheet) -> list[QAPair]:
    return list(QAPair.objects.filter(status="unlabeled", misfits__len=0, error="")[:3])


@examples(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(steps=steps)
def test_any_sequence_of_actions(three: list[QAPair], lakehouse: Path, settings: Any, steps: Any) -> None:
    settings.REVIEW_APPLY = "worker"
    start_again(three)
    models = [Model(State("unlabeled", answer_of(pair), None)) for pair in three]
    audited = UsageConstraintAudit.objects.count()
    last: tuple[Decision, str, int] | None = None
    for at, action, actor, severity in steps:
        if action == "apply":
            apply_waiting(three[0].training_sheet_id)
        elif action == "stale":
            with pytest.raises(StaleVersion):
                review(Decision(three[at].pk, "approve", version=models[at].version + 1), actor=actor)
        elif action == "again":
            assert last is None or review(last[0], actor=last[1]).pk == last[2]
        else:
            answer = {**models[at].now.answer, "severity": severity}
            wanted = decision(three[at].pk, action, models[at].version, answer, PROHIBITED[severity])
            refused = models[at].act(action, actor, answer, PROHIBITED[severity])
            try:
                last = (wanted, actor, review(wanted, actor=actor).pk)
                assert not refused
            except (Conflict, Forbidden) as problem:
                assert refused, problem
    apply_waiting(three[0].training_sheet_id)
    check(three, models, lakehouse)
    assert UsageConstraintAudit.objects.count() - audited == sum(model.audited for model in models)


def decision(pair_id: str, action: str, version: int, answer: Any, prohibited: list[str]) -> Decision:
    uses = {"prohibited_uses": prohibited, "allowed_uses": allowed_beside(prohibited)}
    more: dict[str, Any] = {"edit": {"answer": answer}, "uses": {"uses": uses}}.get(action, {})
    return Decision(pair_id, action, version=version, reason="because", may_change_uses=True, **more)


def allowed_beside(prohibited: list[str]) -> list[str]:
    return [use for use in USES if use not in prohibited]


def start_again(pairs: list[QAPair]) -> None:
    """Set the pairs back: a function's fixture is the same for all examples."""
    for model in (ReviewAction, ReviewPair):
        model.objects.all()._raw_delete("default")
    ReviewEvent.objects.all().delete()
    CanonicalLabel.objects.filter(item_ref__in=[pair.item_ref for pair in pairs])._raw_delete("lakehouse")
    for pair in pairs:
        pair.save()


def check(pairs: list[QAPair], models: list[Model], lakehouse: Path) -> None:
    read = {
        name: pl.read_delta(str(lakehouse / "mirion_vital/workbench" / name))
        for name in ("qa_pairs", "canonical_labels")
    }
    for pair, model in zip(pairs, models, strict=True):
        (row,) = read["qa_pairs"].filter(pl.col("id") == pair.pk).to_dicts()
        answer = json.loads(json.loads(row["messages"])[-1]["content"])
        assert (row["status"], row["version"], answer) == (model.now.status, model.version, model.now.answer)
        assert (row["prohibited_uses"], row["allowed_uses"]) == (
            model.now.prohibited,
            allowed_beside(model.now.prohibited),
        )
        labels = read["canonical_labels"].filter(pl.col("item_ref") == pair.item_ref).to_dicts()
        assert [json.loads(label["label_data"]) for label in labels] == ([model.now.label] if model.now.label else [])
        if model.now.status == "labeled":
            assert (row["canonical_label_id"], row["canonical_label_version"]) == (
                labels[0]["id"],
                labels[0]["version"],
            )
        known = ReviewPair.objects.filter(pk=pair.pk).first()
        assert known is None or (known.status, known.version, known.waiting) == (row["status"], row["version"], 0)
    assert ReviewEvent.objects.count() == ReviewAction.objects.count() == sum(model.version - 1 for model in models)
