"""A run against an endpoint that fails as a whole, is stopped, or is asked again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from pytest_django import Settings

from sheets.models import Sheet
from sheets.reading import Item
from templates_app.models import PromptTemplate
from tests.conftest import Stage
from tests.seeded import loaded
from tests.training.chat_server import ChatServer, chat_server, question, says
from training import chunks, completions, pipeline
from training.actions.generate import generate, resume, retry_failed
from training.actions.review import review
from training.answerers import EndpointAnswerer
from training.chat import assistant_answer
from training.chunks import _chunked
from training.models import QAPair, TrainingSheet
from training.pairs import Answer
from training.pipeline import EndpointDown
from training.replies import Reply
from training.review.journal import Decision
from training.watch import LOST, Progress, Stopped
from workbench.problems import Conflict

ANSWER = '{"defect_type":"scratch","location":"top_left_quadrant","severity":"minor"}'


class Looker:
    """A watch that keeps what it is told, and stops once so many items are done."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.seen: list[Progress] = []
        self.stop_at = stop_at
        self.stopped = threading.Event()

    def progress(self, now: Progress) -> None:
        self.seen.append(now)

    def stop(self) -> str | None:
        done = self.seen[-1].done if self.seen else 0
        if self.stop_at is None or done < self.stop_at:
            return None
        self.stopped.set()
        return "pause"


@pytest.fixture
def answers(stage: Stage, settings: Settings) -> Iterator[ChatServer]:
    """A server whose behaviour a test may change; 40 of the 50 items are asked for."""
    stage(loaded, "pcb_defects")
    with chat_server(lambda *_: says(ANSWER)) as server:
        settings.LLM_URL, settings.LLM_MODEL = server.url, "tiny"
        yield server


def made(**config: Any) -> TrainingSheet:
    template = PromptTemplate.objects.get(label_type="classification")
    return generate(sheet=Sheet.objects.get(), template=template, actor="omar", config=config)


def begun(**config: Any) -> TrainingSheet:
    """A training sheet whose generation was stopped before its first pair."""
    return TrainingSheet.objects.create(
        name="begun",
        sheet=Sheet.objects.get(),
        template=PromptTemplate.objects.get(label_type="classification"),
        generation_config={"model": "tiny", **config},
        created_by="omar",
    )


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_endpoint_that_refuses_everyone_ends_the_run_and_marks_no_item(answers: ChatServer, status: int) -> None:
    answers.behaviour = lambda *_: (status, {}, b"unknown key")
    with pytest.raises(EndpointDown, match=rf"answered {status}: unknown key.*resume"):
        made()
    stopped = TrainingSheet.objects.get()
    assert (stopped.status, stopped.pairs.exclude(error="").count()) == ("failed", 0)
    answers.behaviour = lambda *_: says(ANSWER)
    assert resume(stopped).statistics["generated"] == 40


def test_a_parameter_that_the_endpoint_refuses_ends_the_run_and_is_named(answers: ChatServer) -> None:
    PromptTemplate.objects.update(output_schema={})  # so that it is refused once a question
    answers.behaviour = lambda *_: (400, {}, {"error": {"message": "Unsupported parameter: 'max_tokens'."}})
    with pytest.raises(EndpointDown, match="Unsupported parameter: 'max_tokens'"):
        resume(begun(concurrency=1))
    assert len(answers.requests) < 40


def test_an_endpoint_that_is_down_ends_the_run(
    answers: ChatServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completions, "TRIES", 1)
    settings.LLM_URL = "http://127.0.0.1:9/v1"
    with pytest.raises(EndpointDown, match="cannot be reached"):
        made()


def test_a_few_refusals_are_errors_of_their_items(answers: ChatServer) -> None:
    answers.behaviour = lambda body, _: (403, {}, b"blocked") if "-007 " in question(body) else says(ANSWER)
    assert (made().statistics["generated"], QAPair.objects.exclude(error="").count()) == (39, 1)


def test_items_that_always_fail_end_no_run_that_answered_the_others(
    answers: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completions, "pause", lambda *_: 0.2)  # by which they come last, all in a row
    refused: set[str] = set()

    def refuse(body: dict[str, Any], _: int) -> Any:
        if len(refused) < 12:
            refused.add(question(body))
        return (500, {}, b"boom") if question(body) in refused else says(ANSWER)

    answers.behaviour = refuse
    assert (made().statistics["failed"], TrainingSheet.objects.get().status) == (12, "review")


def test_asking_again_in_vain_leaves_a_training_sheet_as_usable_as_it_was(
    answers: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completions, "TRIES", 1)
    answers.behaviour = lambda body, _: (500, {}, b"boom") if "-007 " in question(body) else says(ANSWER)
    sheet = made()
    assert retry_failed(sheet).statistics["failed"] == 1
    answers.behaviour = lambda *_: (401, {}, b"no key")
    with pytest.raises(EndpointDown):
        retry_failed(sheet)
    left = TrainingSheet.objects.get()
    assert (left.status, "no key" in left.error, left.statistics["failed"]) == ("review", True, 1)
    assert "boom" in QAPair.objects.exclude(error="").get().error


def test_an_answer_nested_deeper_than_can_be_written_is_an_error_of_its_item(answers: ChatServer) -> None:
    deep = "[" * 300 + "]" * 300
    answers.behaviour = lambda body, _: says(deep if "-007 " in question(body) else ANSWER)
    assert (made().statistics["failed"], TrainingSheet.objects.get().status) == (1, "review")
    failed = QAPair.objects.exclude(error="").get()
    assert (failed.item_ref[:7], "cannot be kept" in failed.error) == ("pcb_007", True)


def test_an_accident_of_the_run_is_kept_and_so_is_what_was_answered(
    answers: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet, read = begun(concurrency=1), EndpointAnswerer.read

    number = count()

    def trip(answerer: EndpointAnswerer, reply: Reply) -> Answer:
        if next(number) == 20:
            raise ArithmeticError("tripped")
        return read(answerer, reply)

    monkeypatch.setattr(EndpointAnswerer, "read", trip)
    with pytest.raises(ArithmeticError):
        resume(sheet)
    left = TrainingSheet.objects.get()
    assert (left.status, left.error) == ("failed", "tripped")
    assert left.pairs.filter(labeling_mode="ai_generated").count() == 20


def test_only_failed_items_are_asked_again_and_replaced_in_place(answers: ChatServer) -> None:
    answers.behaviour = lambda body, _: (400, {}, b"no") if "-007 " in question(body) else says(ANSWER)
    sheet, before = made(), len(answers.requests)
    failed = QAPair.objects.exclude(error="").get()
    answers.behaviour = lambda *_: says(ANSWER)
    assert retry_failed(sheet).statistics["failed"] == 0
    again = QAPair.objects.get(pk=failed.pk)
    assert (assistant_answer(again.messages), again.error, again.version) == (ANSWER, "", 2)
    assert (again.position, again.item_hash, again.created_at) == (failed.position, failed.item_hash, failed.created_at)
    assert (len(answers.requests) - before, retry_failed(sheet).statistics["items"]) == (1, 50)
    assert len(answers.requests) - before == 1


def test_a_failed_pair_that_a_person_answered_is_left_alone(answers: ChatServer) -> None:
    answers.behaviour = lambda body, _: (400, {}, b"no") if "-007 " in question(body) else says(ANSWER)
    sheet = made()
    QAPair.objects.exclude(error="").update(status="labeled", reviewed_by="rosa")
    before = len(answers.requests)
    retry_failed(sheet)
    assert len(answers.requests) == before


def test_asking_again_leaves_what_the_pair_may_be_used_for(answers: ChatServer, rosa: User) -> None:
    answers.behaviour = lambda body, _: (400, {}, b"no") if "-007 " in question(body) else says(ANSWER)
    sheet = made()
    failed = QAPair.objects.exclude(error="").get()
    limits = Decision(failed.pk, "uses", uses={"prohibit": ["training"]}, reason="PHI", may_change_uses=True)
    review(limits, actor="rosa")
    answers.behaviour = lambda *_: says(ANSWER)
    retry_failed(sheet)
    again = QAPair.objects.get(pk=failed.pk)
    assert (assistant_answer(again.messages), again.error, again.version) == (ANSWER, "", 3)
    assert (again.prohibited_uses, again.usage_reason) == (["training"], "PHI")
    review(Decision(failed.pk, "undo", may_change_uses=True, may_loosen=True), actor="rosa")
    undone = QAPair.objects.get(pk=failed.pk)
    assert (assistant_answer(undone.messages), undone.prohibited_uses) == (ANSWER, [])


def test_what_is_decided_while_a_pair_is_asked_again_stands(
    answers: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.behaviour = lambda body, _: (400, {}, b"no") if "-007 " in question(body) else says(ANSWER)
    sheet = made()
    failed = QAPair.objects.exclude(error="").get()
    answers.behaviour = lambda *_: says(ANSWER)
    write = chunks.update_newer

    def late(pairs: Any, columns: Any) -> int:
        QAPair.objects.filter(pk=failed.pk).update(status="labeled", reviewed_by="rosa", version=2)
        return write(pairs, columns)

    monkeypatch.setattr(chunks, "update_newer", late)
    retry_failed(sheet)
    stands = QAPair.objects.get(pk=failed.pk)
    assert (stands.status, stands.reviewed_by, stands.version) == ("labeled", "rosa", 2)


def test_a_rejected_failure_keeps_no_training_sheet_in_review(answers: ChatServer, rosa: User) -> None:
    answers.behaviour = lambda body, _: (400, {}, b"no") if "-007 " in question(body) else says(ANSWER)
    sheet = made()
    failed = QAPair.objects.exclude(error="").get()
    QAPair.objects.filter(training_sheet=sheet).exclude(pk=failed.pk).update(status="labeled")
    review(Decision(failed.pk, "reject", reason="Not an item of this task"), actor="rosa")
    assert TrainingSheet.objects.get(pk=sheet.pk).status == "approved"
    assert retry_failed(sheet).status == "approved"


def test_a_watch_sees_the_run_to_its_end(answers: ChatServer) -> None:
    watch = Looker()
    resume(begun(), watch=watch)
    assert watch.seen[-1] == Progress(done=50, total=50, prompt_tokens=7 * 40)


def test_a_run_that_is_stopped_writes_what_was_asked_and_asks_no_more(
    answers: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "WRITE_EVERY", 0.0)
    sheet, watch = begun(concurrency=1), Looker(stop_at=12)

    def slow_from_the_tenth(*_: Any) -> Any:
        if len(answers.requests) > 10:
            watch.stopped.wait(30)
        return says(ANSWER)

    answers.behaviour = slow_from_the_tenth
    with pytest.raises(Stopped) as stopped:
        resume(sheet, watch=watch)
    assert (stopped.value.reason, sheet.status, "resume" in sheet.error) == ("pause", "generating", True)
    assert 12 <= sheet.pairs.count() == 10 + len(answers.requests) < 50
    assert (resume(sheet).statistics["items"], len(answers.requests), sheet.status) == (50, 40, "review")


def test_a_run_whose_job_another_worker_does_leaves_the_training_sheet_to_that_worker(answers: ChatServer) -> None:
    sheet, watch = begun(), Looker()
    TrainingSheet.objects.update(status="review")  # the other one has finished it
    watch.stop = lambda: LOST  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        resume(sheet, watch=watch)
    assert TrainingSheet.objects.get().status == "review"


def test_a_sheet_that_reads_something_else_since_is_not_mixed_into_what_was_made(answers: ChatServer) -> None:
    sheet, before = begun(), Sheet.objects.get().pointers_hash()
    assert resume(sheet, reads=before).statistics["items"] == 50
    QAPair.objects.filter(training_sheet=sheet, position__gte=30).delete()
    Sheet.objects.update(filter_condition="line = 'SMT-1'")
    with pytest.raises(Conflict, match="reads something else since 30 pairs were made of it"):
        resume(TrainingSheet.objects.get(), reads=before)
    Sheet.objects.update(filter_condition=None, name="Boards")
    assert resume(TrainingSheet.objects.get(), reads=before).statistics["items"] == 50


def test_equal_questions_are_asked_once_in_a_run(answers: ChatServer) -> None:
    PromptTemplate.objects.update(user_prompt_template="Which defect?")
    Sheet.objects.update(secondary_sources=[])  # without the pictures, which would make the questions differ
    watch = Looker()
    resume(begun(), watch=watch)
    assert (len(answers.requests), watch.seen[-1].cached, watch.seen[-1].prompt_tokens) == (1, 39, 7)
    resume(begun(cache=False))
    assert len(answers.requests) == 41


def test_a_later_run_takes_the_answers_of_an_earlier_one_where_it_may(answers: ChatServer) -> None:
    first = made(limit=20)
    asked = len(answers.requests)
    edited = first.pairs.filter(labeling_mode="ai_generated")[0]
    first.pairs.filter(pk=edited.pk).update(version=2)
    assert made(limit=20, cache=True).statistics["generated"] == asked
    assert [question(body) for body in answers.requests[asked:]] == [edited.messages[-2]["content"]]
    made(limit=20, cache=True, temperature=0.5)
    assert len(answers.requests) == 2 * asked + 1


def test_a_template_archived_meanwhile_goes_on_as_it_began(answers: ChatServer) -> None:
    sheet = begun()
    PromptTemplate.objects.update(status="archived")
    assert resume(TrainingSheet.objects.get()).statistics["generated"] == 40
    with pytest.raises(Conflict, match="is archived"):
        made()
    assert sheet.pairs.count() == 50


def test_a_lakehouse_that_takes_no_writes_leaves_a_run_that_can_be_resumed(
    answers: ChatServer, lakehouse: Path
) -> None:
    sheet = begun()
    in_the_way = lakehouse / f"mirion_vital/workbench/qa_pairs/training_sheet_id={sheet.pk}"
    in_the_way.write_text("a file where the directory of the pairs should be")
    with pytest.raises((DatabaseError, OSError)):
        resume(sheet)
    assert (sheet.status, "exists" in sheet.error) == ("failed", True)
    in_the_way.unlink()
    assert resume(sheet).statistics["items"] == 50


def test_the_endpoint_says_which_model_answered(answers: ChatServer) -> None:
    answers.behaviour = lambda *_: (200, {}, {**says(ANSWER)[2], "model": "other-7b"})
    made(limit=20)
    assert set(QAPair.objects.filter(labeling_mode="ai_generated").values_list("model", flat=True)) == {"other-7b"}


def test_another_thread_makes_the_calls_and_is_gone_afterwards(answers: ChatServer) -> None:
    made(limit=20)
    assert "asking" not in {thread.name for thread in threading.enumerate()}


def test_chunks_grow_while_they_are_answered_quickly() -> None:
    items = (Item(str(number), number, {}, [], "") for number in range(9_000))
    assert [len(chunk) for chunk in _chunked(items, lambda many: many)] == [500, 1_000, 2_000, 4_000, 1_500]
