"""How an item without a canonical label gets its answer, one way for each labeling mode."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from templates_app.schemas import misfits
from training.drafter import OFFLINE_MODEL, Drafter
from training.pairs import Answer, Answerer, Message
from workbench.canonical import canonical_json
from workbench.near import listed, near_misses
from workbench.problems import Invalid

Config = Mapping[str, Any]
CONFIG_KEYS = ("model", "temperature", "max_tokens", "response_column", "trusted", "concurrency", "limit")


def manual(_row: Mapping[str, Any], _messages: list[Message]) -> Answer:
    """Leave the answer empty for a person to write."""
    return Answer(labeling_mode="manual")


def existing_column(config: Config, output_schema: Mapping[str, Any]) -> Answerer:
    """Return an answerer that takes the answer from `response_column`; only a trusted, fitting one is approved."""
    column, trusted = config["response_column"], bool(config.get("trusted"))

    def answer(row: Mapping[str, Any], _messages: list[Message]) -> Answer:
        value = row[column]
        if value is None or value == "":
            return Answer(labeling_mode="existing_column", error=f"The column {column!r} is empty in this row.")
        value = as_json(value) if output_schema else value
        faults = misfits(output_schema, value)
        status = "labeled" if trusted and not faults else "unlabeled"
        return Answer(canonical_json(value), "existing_column", status, misfits=faults)

    return answer


def offline_nearest(drafter: Drafter, output_schema: Mapping[str, Any]) -> Answerer:
    """Return an answerer that drafts from the most similar canonical labels."""

    def answer(row: Mapping[str, Any], _messages: list[Message]) -> Answer:
        draft = drafter.draft(row)
        faults = misfits(output_schema, as_json(draft.answer)) if draft.answer else []
        return Answer(draft.answer, "ai_generated", "unlabeled", OFFLINE_MODEL, draft.confidence, faults, error(draft))

    def error(draft: Any) -> str:
        return "" if draft.answer else str(draft.explanation)

    return answer


# A model's name and what makes its answerer; an endpoint's models join here.
MODELS: dict[str, Callable[[Drafter, Mapping[str, Any]], Answerer]] = {OFFLINE_MODEL: offline_nearest}


def as_json(value: Any) -> Any:
    """Return the value of a JSON text, or the value itself when it is none."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def check_config(mode: str, config: Config, columns: Sequence[str]) -> None:
    """Raise Invalid for an option, model or column that does not exist, before anything is written."""
    faults: dict[str, list[str]] = {}
    for key in sorted(set(config) - set(CONFIG_KEYS)):
        faults[key] = [f"{key!r} is no option: use {listed(CONFIG_KEYS)}.{near_misses(key, CONFIG_KEYS)}"]
    if mode == "existing_column":
        faults |= _column_faults(config.get("response_column"), columns)
    model = config.get("model") or OFFLINE_MODEL
    if mode == "ai_generated" and model not in MODELS:
        faults["model"] = [f"There is no model {model!r}: use {listed(MODELS)}."]
    limit = config.get("limit")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        faults["limit"] = [f"{limit!r} is not accepted: use a whole number of at least 1."]
    if faults:
        raise Invalid.of_fields(
            "The generation config is not accepted.", {f"generation_config.{k}": v for k, v in faults.items()}
        )


def _column_faults(column: Any, columns: Sequence[str]) -> dict[str, list[str]]:
    if not column:
        return {"response_column": ["The mode existing_column needs the name of the column that holds the answer."]}
    if column not in columns:
        hint = near_misses(str(column), columns)
        return {"response_column": [f"The sheet has no column {column!r}; it has {listed(columns)}.{hint}"]}
    return {}
