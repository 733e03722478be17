"""Two training sheets over the same items are applied at once: an approved pair always has its label."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from labels.models import CanonicalLabel
from tests.training.review.test_actions import answer_of
from training.actions.generate import begin, generate
from training.actions.review import review
from training.models import QAPair
from training.review import applying, steps
from training.review.applying import apply_waiting
from training.review.journal import Decision, record
from training.review.steps import Round

Step = Callable[[Round], None]
Interrupt = Callable[..., None]


class Killed(BaseException):
    """No step catches it, as none catches the end of its process."""


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Interrupt:
    """Applies what waits of a pair's training sheet, with something done after a step, and is `killed` then or goes on."""

    def apply(pair: QAPair, step: Step, meanwhile: Callable[[], object], *, killed: bool) -> None:
        def come_between(_: Round) -> None:
            patch.undo()
            meanwhile()
            if killed:
                raise Killed

        at = applying.STEPS.index(step) + 1
        with monkeypatch.context() as patch, suppress(Killed):
            patch.setattr(applying, "STEPS", (*applying.STEPS[:at], come_between, *applying.STEPS[at:]))
            apply_waiting(pair.training_sheet_id)
        apply_waiting(pair.training_sheet_id)

    return apply


@pytest.fixture
def twin(waiting: QAPair) -> QAPair:
    """The pair of the same item in a second training sheet, without an answer yet."""
    first = waiting.training_sheet
    generate(sheet=first.sheet, template=first.template, actor="omar", mode="manual")
    return QAPair.objects.exclude(training_sheet=first).get(item_ref=waiting.item_ref)


def expect_a_label(pair: QAPair) -> None:
    pair.refresh_from_db()
    link = (pair.canonical_label_id, pair.canonical_label_version)
    assert (pair.status, link) == (
        "labeled",
        CanonicalLabel.objects.values_list("pk", "version").get(item_ref=pair.item_ref),
    )


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("step", [steps.plan, steps.write_labels, steps.write_pairs])
def test_an_undo_comes_between_the_steps_of_an_approval(
    waiting: QAPair, twin: QAPair, interrupted: Interrupt, step: Step, killed: bool
) -> None:
    review(Decision(waiting.pk, "approve"), actor="rosa")
    record(Decision(twin.pk, "edit", answer=answer_of(waiting)), actor="omar")
    interrupted(twin, step, lambda: review(Decision(waiting.pk, "undo"), actor="rosa"), killed=killed)
    expect_a_label(twin)


@pytest.mark.parametrize("killed", [False, True])
def test_an_approval_comes_between_the_steps_of_an_undo(
    waiting: QAPair, twin: QAPair, interrupted: Interrupt, killed: bool
) -> None:
    review(Decision(waiting.pk, "approve"), actor="rosa")
    record(Decision(waiting.pk, "undo"), actor="rosa")
    approval = Decision(twin.pk, "edit", answer=answer_of(waiting))
    interrupted(waiting, steps.plan, lambda: review(approval, actor="omar"), killed=killed)
    expect_a_label(twin)
    assert QAPair.objects.get(pk=waiting.pk).status == "unlabeled"


def test_a_label_stands_that_a_pair_in_the_making_may_be_made_from(waiting: QAPair) -> None:
    first = waiting.training_sheet
    review(Decision(waiting.pk, "approve"), actor="rosa")
    begin(sheet=first.sheet, template=first.template, actor="omar")
    review(Decision(waiting.pk, "undo"), actor="rosa")
    assert CanonicalLabel.objects.filter(item_ref=waiting.item_ref).exists()
