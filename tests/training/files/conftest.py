"""Invented conversations: a client of one of three personas, in two turns, the first answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from training.actions.conversations import import_conversations
from training.jobs.upkeep import look_after
from training.models import ConversationFile, FileBuild

PERSONAS = ("anxious_planner", "overwhelmed_avoider", "confident_saver")
ARCS = ("fear_to_relief", "shame_to_acceptance")
Make = Callable[..., list[str]]


def key_of(number: int) -> str:
    return str(UUID(int=number))


def document(number: int, **more: Any) -> dict[str, Any]:
    """Return a conversation with two answers, one of them reviewed, and one turn without an answer."""
    key = key_of(number)
    metadata = {
        "conversation_id": key,
        "created_date": "2026-01-02",
        "quality_score": round(6 + number % 5 * 0.75, 2),
        "scaffolding": {
            "persona_key": PERSONAS[number % 3],
            "persona_name": "A client",
            "emotional_arc_key": ARCS[number % 2],
            "training_topic_key": "debt",
        },
    }
    pairs = [
        {
            "id": f"{key}_turn{turn}",
            "conversation_id": key,
            "turn_number": turn,
            "system_prompt": "You are a planner.",
            "conversation_history": [{"role": "user", "content": "Hello"}] if turn > 1 else [],
            "current_user_input": f"Question {turn} — ünïcode",
            "emotional_context": {"detected": "fear"},
            "target_response": f"Answer {turn}" if turn < 3 else None,
            "training_metadata": {"human_reviewed": turn == 1},
        }
        for turn in (1, 2, 3)
    ]
    whole: dict[str, Any] = {"conversation_metadata": metadata, "training_pairs": pairs}
    metadata |= more.pop("metadata", {})
    return whole | more


def an_hour_later() -> None:
    """Let a worker look after what is to be removed an hour after it was heard of."""
    then = timezone.now() - timedelta(hours=2)
    FileBuild.objects.update(seen_at=then)
    ConversationFile.objects.update(seen_at=then)
    look_after()


@pytest.fixture
def imported(lakehouse: Path) -> Make:
    """Imports conversations of these numbers, and returns their ids."""

    def make(*numbers: int, **more: Any) -> list[str]:
        content = json.dumps([document(number, **more) for number in numbers]).encode()
        return import_conversations([("batch.json", content)], actor="rosa", batch_id="batch 1")[1]

    return make


@pytest.fixture
def create(api: APIClient) -> Callable[..., Any]:
    def send(name: str, ids: list[str], **more: Any) -> Any:
        return api.post("/api/v1/training-files", {"name": name, "conversation_ids": ids, **more})

    return send


@pytest.fixture
def fetch(api: APIClient) -> Callable[[str, str], bytes]:
    """Downloads one shape of a training file by its signed link, signed in as nobody."""

    def get(key: str, shape: str) -> bytes:
        link = api.get(f"/api/v1/training-files/{key}/download", {"format": shape}).json()
        return b"".join(APIClient().get(link["download_url"]).streaming_content)

    return get
