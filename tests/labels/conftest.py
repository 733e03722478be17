"""A sheet over three boards, and a published template whose answers name a defect."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from labels.actions import record_label
from labels.models import CanonicalLabel
from sheets.actions import create_sheet
from sheets.models import Sheet
from templates_app.actions import create_template, publish
from templates_app.models import PromptTemplate

Record = Callable[..., CanonicalLabel]


@pytest.fixture
def boards(lakehouse: Path) -> Sheet:
    write_deltalake(lakehouse / "shop/raw/boards", pa.table({"board_id": ["a1", "b2", "c3"], "line": ["n", "n", "s"]}))
    return create_sheet({"name": "Boards", "primary_table": "shop.raw.boards", "join_keys": ["board_id"]}, actor="omar")


@pytest.fixture
def record(boards: Sheet) -> Record:
    """Records the label of board a1, by Rosa; keyword arguments change it."""

    def write(**changes: Any) -> CanonicalLabel:
        given = {"item_ref": "a1", "label_type": "defect", "label_data": {"defect": "none"}, "actor": "rosa"}
        return record_label(**{"sheet": boards, **given, **changes})

    return write


@pytest.fixture
def template(lakehouse: Path) -> PromptTemplate:
    draft = create_template(
        {
            "name": "Board defects",
            "label_type": "defect",
            "user_prompt_template": "{{ board_id }}?",
            "input_schema": [{"name": "board_id", "type": "string"}],
            "output_schema": [{"name": "defect", "type": "string", "enum": ["scratch", "none"]}],
        },
        actor="omar",
    )
    return publish(draft, actor="omar")
