"""What a reviewer does while the warehouse is away, in a process that has just started, whoever they are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from django.contrib.auth.models import User
from django.core.cache import caches
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from sheets.actions import create_sheet
from sheets.restricting import restrict_sheet
from templates_app.models import PromptTemplate
from tests.training.review.conftest import Act, Away
from training.actions.generate import generate
from training.models import QAPair, ReviewAction, TrainingSheet
from training.review import frames
from workbench.router import LAKEHOUSE

PICTURE = Path("seed_data/pcb_defects/images")
BOX = {"label": "scratch", "box": {"x": 100, "y": 100, "width": 200, "height": 100}}


def signed_in(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=user.pk))
    return client


@pytest.fixture
def queue(boards: TrainingSheet, api: APIClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/api/v1/training-sheets/{boards.pk}/queue", {"limit": 3}).json()
    return found


def test_everything_goes_on(boards: TrainingSheet, queue: list[dict[str, Any]], api: APIClient, away: Away) -> None:
    first, second, third = queue
    sheet, pairs = f"/api/v1/training-sheets/{boards.pk}", "/api/v1/qa-pairs"
    batch = [{"pair_id": second["id"], "action": "flag", "reason": "Not sure"}]
    with away():
        assert len(api.get(f"{sheet}/queue", {"limit": 2}).json()) == 2
        assert api.post(f"{sheet}/queue/claim", {"skip": [first["id"]]}, format="json").json()["pair"]
        assert api.post(f"{pairs}/{first['id']}/hold", {}).status_code == 200
        assert api.post(f"{pairs}/{first['id']}/reject", {"reason": "Not sure"}).status_code == 200
        assert api.post(f"{pairs}/{third['id']}/let-go", {}).status_code == 204
        done = api.post(f"{pairs}/review", {"actions": batch}, format="json").json()
    assert (done["done"], ReviewAction.objects.count()) == (1, 2)


def test_also_for_who_may_not_see_every_sheet(
    boards: TrainingSheet, queue: list[dict[str, Any]], omar: User, rosa: User, dora: User, away: Away
) -> None:
    restrict_sheet(boards.sheet, [{"user": "rosa"}, {"user": "dora", "level": "read"}], actor="omar")
    una = User.objects.create_user("una", is_staff=True)
    una.groups.set(dora.groups.all())
    sheet, url = f"/api/v1/training-sheets/{boards.pk}", f"/api/v1/qa-pairs/{queue[0]['id']}"
    with away():
        assert signed_in(una).get(f"{sheet}/queue").status_code == 404
        assert signed_in(una).post(f"{url}/reject", {"reason": "old"}).status_code in (403, 404)
        assert signed_in(dora).post(f"{url}/uses", {"prohibit": ["training"], "reason": "PHI"}).status_code == 403
        assert signed_in(rosa).get(f"{sheet}/queue").status_code == 200
        assert signed_in(rosa).post(f"{sheet}/queue/claim", {}).json()["pair"]
        assert signed_in(rosa).post(f"{url}/hold", {}).status_code == 200
        assert signed_in(rosa).post(f"{url}/reject", {"reason": "Not sure"}).status_code == 200
    assert ReviewAction.objects.get().actor == "rosa"


def test_the_screen_shows_the_next_pair_however_long_ago_it_was_read(
    boards: TrainingSheet, queue: list[dict[str, Any]], rosa: User, away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Client()
    screen.force_login(rosa)
    first, second, _ = (f"/review/{boards.pk}/pairs/{pair['id']}" for pair in queue)
    assert screen.get(first).status_code == 200
    kept = frames.caches["pages"].get(frames._key(boards.pk))
    with away():
        frames.caches["pages"].set(frames._key(boards.pk), kept)
        monkeypatch.setattr(frames, "FRESH", -1)
        page = screen.get(second)
    assert (page.status_code, queue[1]["item_ref"] in page.content.decode()) == (200, True)


def with_boxes(lakehouse: Path, count: int) -> list[QAPair]:
    """Pairs of boards, each with a machine's box as its draft."""
    volume = lakehouse / "Volumes/mirion_vital/samples/seen"
    volume.mkdir(parents=True)
    files = sorted(PICTURE.iterdir())[:count]
    for file in files:
        shutil.copy(file, volume)
    answers = [{"defects": {"image": file.name, "width": 800, "height": 600, "shapes": [BOX]}} for file in files]
    rows = {
        "image_id": [file.name for file in files],
        "board_serial": [str(at) for at in range(count)],
        "line": ["A"] * count,
        "machine": [json.dumps(answer) for answer in answers],
        "image_width_px": [800] * count,
        "image_height_px": [600] * count,
    }
    write_deltalake(lakehouse / "mirion_vital/samples/seen_boards", pa.table(rows))
    sources = [{"type": "volume", "path": "/Volumes/mirion_vital/samples/seen", "join_key": "image_id"}]
    table = {"primary_table": "mirion_vital.samples.seen_boards", "join_keys": ["image_id"]}
    sheet = create_sheet({"name": "Seen", "secondary_sources": sources, **table}, actor="omar")
    template = PromptTemplate.objects.get(label_type="defect_boxes")
    config = {"response_column": "machine"}
    made = generate(sheet=sheet, template=template, actor="omar", mode="existing_column", config=config)
    return list(QAPair.objects.of(made.pk))


@pytest.fixture
def marked(boards: TrainingSheet, lakehouse: Path) -> QAPair:
    """A board with a machine's box as its draft."""
    return with_boxes(lakehouse, 1)[0]


def test_boxes_are_judged_by_the_picture_that_was_shown(marked: QAPair, act: Act, rosa: User, away: Away) -> None:
    screen = Client()
    screen.force_login(rosa)
    assert screen.get(f"/review/{marked.training_sheet_id}/pairs/{marked.pk}").status_code == 200
    answer = json.loads(marked.messages[-1]["content"])
    with away():
        other = {"defects": {**answer["defects"], "width": 600, "height": 800}}
        refused = act(marked, "edit", answer=other)
        assert (refused.status_code, "800 × 600 pixels" in refused.content.decode()) == (400, True)
        assert act(marked, "approve").status_code == 200


def test_boxes_on_a_picture_that_cannot_be_looked_at_are_taken(marked: QAPair, act: Act, away: Away) -> None:
    act(marked, "flag", reason="Not sure")  # review knows the pair from now on
    with away():
        assert act(marked, "approve").status_code == 200


def test_of_many_boxes_the_pictures_are_read_in_one_go(boards: TrainingSheet, lakehouse: Path, api: APIClient) -> None:
    pairs = with_boxes(lakehouse, 4)

    def statements(some: list[QAPair]) -> int:
        caches["ahead"].clear()
        actions = [{"pair_id": pair.pk, "action": "approve"} for pair in some]
        api.post("/api/v1/qa-pairs/review", {"actions": actions, "dry_run": True}, format="json")
        with CaptureQueriesContext(connections[LAKEHOUSE]) as first:
            caches["ahead"].clear()
            done = api.post("/api/v1/qa-pairs/review", {"actions": actions, "dry_run": True}, format="json").json()
        assert done["done"] == len(some)
        return len(first)

    assert statements(pairs[:1]) == statements(pairs) > 0
