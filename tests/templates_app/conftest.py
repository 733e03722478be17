"""Three boards in a table that another tool wrote, a sheet over them, and the body of a template that fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from sheets.actions import create_sheet
from sheets.models import Sheet
from templates_app.actions import create_template, publish
from templates_app.models import PromptTemplate

BOARDS = {"board_id": ["a1", "b2", "c3"], "line": pa.array([1, 2, 3], pa.int32()), "note": ["fine", None, "odd"]}
BODY: dict[str, Any] = {
    "name": "Board defects",
    "label_type": "classification",
    "system_prompt": "You look at boards.",
    "user_prompt_template": "Board {{ board_id }}\nof line {{ line }}?",
    "input_schema": [{"name": "board_id", "type": "string"}, {"name": "line", "type": "integer"}],
    "output_schema": [{"name": "defect", "type": "string", "enum": ["scratch", "none"]}],
    "examples": [{"input": {"board_id": "z9", "line": 7}, "output": {"defect": "none"}}],
}


@pytest.fixture
def boards(lakehouse: Path) -> Sheet:
    write_deltalake(lakehouse / "shop/raw/boards", pa.table(BOARDS))
    return create_sheet({"name": "Boards", "primary_table": "shop.raw.boards", "join_keys": ["board_id"]}, actor="omar")


@pytest.fixture
def draft(lakehouse: Path) -> PromptTemplate:
    return create_template(BODY, actor="omar")


@pytest.fixture
def published(draft: PromptTemplate) -> PromptTemplate:
    return publish(draft, actor="omar")
