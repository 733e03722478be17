"""Generation with pictures: models that see them, models that cannot, and items whose file is broken or missing."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from tests.conftest import Stage
from tests.seeded import loaded
from tests.training.chat_server import Behaviour, ChatServer, chat_server, says
from training.actions.generate import generate
from training.completions import Completions, Endpoint, Options
from training.models import TrainingSheet

GOOD = '{"severity": "minor", "location": "top_left_quadrant", "defect_type": "scratch"}'
BLIND = {"error": {"message": "Invalid content type. image_url is only supported by certain models."}}


@pytest.fixture
def boards(stage: Stage) -> Path:
    return stage(loaded, "pcb_defects") / "Volumes/mirion_vital/samples/pcb_images"


def run(behaviour: Behaviour, settings: Settings, **config: Any) -> tuple[TrainingSheet, ChatServer]:
    with chat_server(behaviour) as server:
        settings.LLM_URL, settings.LLM_MODEL = server.url, "tiny"
        template = PromptTemplate.objects.get(label_type="classification")
        config = {"limit": 20, **config}
        return generate(sheet=Sheet.objects.get(), template=template, actor="omar", config=config), server


def contents(server: ChatServer) -> list[Any]:
    return [body["messages"][-1]["content"] for body in server.requests]


def blind(body: dict[str, Any], _: int) -> Any:
    return says(GOOD) if isinstance(body["messages"][-1]["content"], str) else (400, {}, BLIND)


def test_a_model_that_sees_is_shown_the_picture_and_the_pair_says_so(boards: Path, settings: Settings) -> None:
    sheet, server = run(lambda *_: says(GOOD), settings)
    words, shown = contents(server)[0]
    assert words["text"].startswith("Board ") and shown["image_url"]["url"].startswith("data:image/jpeg;base64,")
    pairs = sheet.pairs.filter(labeling_mode="ai_generated")
    assert {(pair.files_shown, type(pair.messages[-2]["content"])) for pair in pairs} == {(1, str)}


def test_a_model_that_cannot_see_is_tried_once_and_asked_by_words(
    boards: Path, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    next(boards.glob("pcb_015_*")).unlink()
    with caplog.at_level(logging.WARNING):
        sheet, server = run(blind, settings)
    assert [type(content) for content in contents(server)].count(list) == 1
    assert (sheet.statistics["failed"], set(sheet.pairs.values_list("files_shown", flat=True))) == (0, {0})
    assert "cannot see" in caplog.text and "image_url is only supported" in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        (400, {}, b"At most 0 image(s) may be provided in one request."),
        (404, {}, b"No endpoints found that support image input"),
        (422, {}, b"messages[0].content: invalid type: sequence, expected a string"),
        (500, {}, b"image input is not supported - hint: you may need to provide the mmproj"),
    ],
)
def test_servers_refuse_pictures_in_many_ways(answer: Any) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    with chat_server(lambda *_: answer) as server:
        client = Completions(Endpoint(server.url, "tiny"), Options(schema={"type": "object"}))
        (reply,) = client.ask([[{"role": "user", "content": parts}]])
    assert (reply.refuses_parts, reply.is_outage, len(server.requests)) == (True, False, 1)


def test_a_prompt_with_pictures_that_is_too_long_says_nothing_about_sight() -> None:
    too_long = (400, {}, b"maximum context length is 4096 tokens, of which the image takes 5000")
    with chat_server(lambda *_: too_long) as server:
        content = [{"type": "image_url", "image_url": {"url": "data:"}}]
        (reply,) = Completions(Endpoint(server.url, "tiny"), Options()).ask([[{"role": "user", "content": content}]])
    assert not reply.refuses_parts


def test_without_vision_no_file_is_read(boards: Path, settings: Settings) -> None:
    settings.LLM_VISION = "no"
    for file in boards.iterdir():
        file.unlink()
    sheet, server = run(blind, settings)
    assert ({type(content) for content in contents(server)}, sheet.statistics["failed"]) == ({str}, 0)


def test_with_vision_for_certain_a_refusal_is_the_error_of_its_item(boards: Path, settings: Settings) -> None:
    settings.LLM_VISION = "yes"
    sheet, server = run(blind, settings)
    assert sheet.statistics["failed"] == len(server.requests) > 5


def test_a_missing_or_broken_picture_is_the_error_of_its_item(boards: Path, settings: Settings) -> None:
    missing, broken = (next(boards.glob(f"pcb_0{number}_*")) for number in (15, 17))
    missing.unlink()
    broken.write_bytes(b"no picture")
    sheet, _ = run(lambda *_: says(GOOD), settings)
    errors = dict(sheet.pairs.exclude(error="").values_list("item_ref", "error"))
    assert f"{missing.name} is missing" in errors[missing.name] and f"{broken.name} is broken" in errors[broken.name]
    assert (len(errors), sheet.statistics["failed"]) == (2, 2)


def test_an_answer_for_an_older_picture_is_not_taken_again(boards: Path, settings: Settings) -> None:
    run(lambda *_: says(GOOD), settings)
    changed = next(boards.glob("pcb_015_*"))
    changed.write_bytes(changed.read_bytes())
    _, server = run(lambda *_: says(GOOD), settings, cache=True)
    assert len(server.requests) == 1
