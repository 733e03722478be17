"""How an item without a canonical label gets its answer, one way for each labeling mode."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings

from templates_app.models import PromptTemplate
from templates_app.schemas import checker, misfits, normalise_output_schema
from training.completions import Completions, Endpoint, Options
from training.drafter import OFFLINE_MODEL, Drafter, Example
from training.pairs import Answer, Answerer, Question
from training.replies import Reply
from training.seeing import Seeing
from training.serving import base_and_sign_in
from workbench.canonical import canonical_bytes, canonical_json
from workbench.near import listed, near_misses
from workbench.problems import Invalid

Config = Mapping[str, Any]
Examples = Callable[[], Iterable[Example]]
CONCURRENCY = 16
# What a schema that no form foresees, or a value of a strange type, may lead to.
_FAILURES = (ArithmeticError, LookupError, RecursionError, TypeError, ValueError)
CONFIG_KEYS = ("model", "temperature", "max_tokens", "response_column", "trusted", "concurrency", "limit", "cache")


def manual(questions: Sequence[Question]) -> list[Answer]:
    """Leave the answers empty for a person to write."""
    return [Answer(labeling_mode="manual") for _ in questions]


def existing_column(config: Config, output_schema: Mapping[str, Any]) -> Answerer:
    """Return an answerer that takes the answer from `response_column`; only a trusted, fitting one is approved."""
    column, trusted = config["response_column"], bool(config.get("trusted"))
    fits = checker(output_schema)

    def answer(row: Mapping[str, Any]) -> Answer:
        value = row[column]
        if value is None or value == "":
            return Answer(labeling_mode="existing_column", error=f"The column {column!r} is empty in this row.")
        try:
            value = as_answer(_as_text(value), fits)
            text, faults = canonical_json(value), misfits(output_schema, value)
        except ValueError as problem:
            return Answer(labeling_mode="existing_column", error=f"The column {column!r} holds no answer: {problem}")
        status = "labeled" if trusted and not faults else "unlabeled"
        return Answer(text, "existing_column", status, misfits=faults)

    return lambda questions: [answer(question.row) for question in questions]


def _as_text(value: Any) -> Any:
    """Return what JSON has as text, such as a date, as that text without quotes; anything else as it is."""
    plain = orjson.loads(canonical_bytes(value))
    return plain if isinstance(plain, str) else value


def offline(template: PromptTemplate, config: Config, examples: Examples) -> Answerer:
    """Return an answerer that drafts from the most similar canonical labels, on this machine."""
    schema = normalise_output_schema(template.output_schema)
    drafter = Drafter(list(examples()), schema)

    def answer(row: Mapping[str, Any]) -> Answer:
        try:
            draft = drafter.draft(row)
        except _FAILURES as problem:
            words = f"The offline drafter failed at this row: {type(problem).__name__}: {problem}"
            return Answer(model=OFFLINE_MODEL, error=words)
        faults = misfits(schema, draft.answer) if draft.answer else []
        error = "" if draft.answer else draft.explanation
        return Answer(
            draft.answer,
            model=OFFLINE_MODEL,
            confidence=draft.confidence,
            misfits=faults,
            error=error,
            based_on=draft.based_on,
        )

    return lambda questions: [answer(question.row) for question in questions]


@dataclass(frozen=True)
class EndpointAnswerer:
    """Asks a model for the questions given, many at once; a run asks `client` itself and reads its replies."""

    client: Completions
    schema: Mapping[str, Any]
    fits: Callable[[Any], bool]
    vision: str = "auto"

    def __call__(self, questions: Sequence[Question]) -> list[Answer]:
        return [self.read(reply) for reply in asyncio.run(self._ask(questions))]

    async def _ask(self, questions: Sequence[Question]) -> list[Reply]:
        async with self.client:
            return await asyncio.gather(*map(self.seeing().reply, questions))

    def seeing(self) -> Seeing:
        """Return what asks questions with their items' files, for one event loop."""
        return Seeing(self.client, self.vision)

    def read(self, reply: Reply) -> Answer:
        """Return the reply as an answer in canonical JSON, marked where it does not fit."""
        text, faults, error = "", list[str](), reply.problem
        try:
            if reply.text:
                value = as_answer(reply.text, self.fits)
                text, faults = canonical_json(value), misfits(self.schema, value)
        except (ValueError, RecursionError) as problem:
            error = error or f"The answer cannot be kept: {problem}"
        return Answer(
            text,
            # The endpoint's own word: behind a gateway, another model may have answered than the one asked for.
            model=(reply.model or self.client.endpoint.model)[:255],
            misfits=faults,
            error=error,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            is_outage=reply.is_outage,
            is_shut=reply.is_shut,
            files_shown=reply.files_shown,
            heard_at=reply.heard_at,
        )


def endpoint(template: PromptTemplate, config: Config, examples: Examples) -> EndpointAnswerer:
    """Return an answerer that asks the model of WORKBENCH_LLM_URL."""
    schema = normalise_output_schema(template.output_schema)
    options = Options(
        temperature=config.get("temperature", template.temperature),
        max_tokens=config.get("max_tokens", template.max_tokens),
        schema=schema,
        concurrency=config.get("concurrency", CONCURRENCY),
        timeout=settings.LLM_TIMEOUT,
        calls_per_minute=settings.LLM_RPM,
        tokens_per_minute=settings.LLM_TPM,
    )
    return EndpointAnswerer(Completions(configured_endpoint(), options), schema, checker(schema), settings.LLM_VISION)


def configured_endpoint() -> Endpoint:
    """Return the endpoint of WORKBENCH_LLM_URL; Unavailable where its sign-in fails."""
    if not settings.LLM_URL.startswith("databricks:"):
        return Endpoint(settings.LLM_URL, settings.LLM_MODEL, settings.LLM_API_KEY, lambda: settings.LLM_HEADERS)
    base, sign_in = base_and_sign_in(settings.LLM_URL)
    # Once before the run, so that a sign-in that fails is no matter of its items.
    sign_in()
    return Endpoint(base, settings.LLM_MODEL, headers=lambda: {**settings.LLM_HEADERS, **sign_in()})


def models() -> dict[str, Callable[[PromptTemplate, Config, Examples], Answerer]]:
    """Return what makes the answerer of each model by the model's name; the endpoint's comes first where one is set."""
    remote = {settings.LLM_MODEL: endpoint} if settings.LLM_URL else {}
    return {**remote, OFFLINE_MODEL: offline}


def default_model() -> str:
    return next(iter(models()))


def as_answer(value: Any, fits: Callable[[Any], bool]) -> Any:
    """Return the value of a JSON text; the text itself when it is none, or is an answer as it stands ("0042")."""
    if not isinstance(value, str) or fits(value):
        return value
    try:
        return orjson.loads(value)  # which refuses NaN, unlike json
    except orjson.JSONDecodeError:
        return value


def check_config(mode: str, config: Config, columns: Sequence[str]) -> None:
    """Raise Invalid for an option, model or column that does not exist, before anything is written."""
    faults: dict[str, list[str]] = {}
    for key in sorted(set(config) - set(CONFIG_KEYS)):
        faults[key] = [f"{key!r} is no option: use {listed(CONFIG_KEYS)}.{near_misses(key, CONFIG_KEYS)}"]
    if mode == "existing_column":
        faults |= _column_faults(config.get("response_column"), columns)
    model = config.get("model", default_model())
    if mode == "ai_generated" and (not isinstance(model, str) or model not in models()):
        faults["model"] = [f"There is no model {model!r}: use {listed(models())}."]
    for key, (fits, allowed) in _ALLOWED.items():
        if (value := config.get(key)) is not None and not fits(value):
            faults[key] = [f"{value!r} is not accepted: use {allowed}."]
    if faults:
        raise Invalid.of_fields(
            "The generation config is not accepted.", {f"generation_config.{k}": v for k, v in faults.items()}
        )


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**31


def _heat(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 2


def _yes_or_no(value: Any) -> bool:
    # Not by truth: the text "false" is true, and would approve every answer.
    return isinstance(value, bool)


_ALLOWED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "temperature": (_heat, "a number from 0 to 2"),
    **dict.fromkeys(("trusted", "cache"), (_yes_or_no, "true or false")),
    **dict.fromkeys(("max_tokens", "concurrency", "limit"), (_count, "a whole number of at least 1")),
}


def _column_faults(column: Any, columns: Sequence[str]) -> dict[str, list[str]]:
    if not column:
        return {"response_column": ["The mode existing_column needs the name of the column that holds the answer."]}
    if column not in columns:
        hint = near_misses(str(column), columns)
        return {"response_column": [f"The sheet has no column {column!r}; it has {listed(columns)}.{hint}"]}
    return {}
