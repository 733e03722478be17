"""What trainers accept, as data: where a limit is not known it is None and not asked.

`source` is the page that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """One trainer: the formats that it reads, and the limits of a file; tokens are those of one line.

    Below `advised_lines` an export is warned of; outside of the other limits it is refused. `unread` are keys of records that
    it passes over.
    """

    name: str
    formats: tuple[str, ...]
    source: str
    min_lines: int = 1
    advised_lines: int = 1
    max_bytes: int | None = None
    max_tokens: int | None = None
    note: str = ""
    unread: tuple[str, ...] = ()


PROFILES: Mapping[str, Profile] = {
    "databricks": Profile(
        "Databricks AI Runtime",
        ("chat", "prompt_completion", "dpo", "parquet"),
        "https://docs.databricks.com/aws/en/machine-learning/ai-runtime/",
        advised_lines=100,
        note="The trainer is a script of yours. Mistral models take no system message.",
    ),
    "openai": Profile(
        "OpenAI fine-tuning",
        ("chat",),
        "https://platform.openai.com/docs/guides/supervised-fine-tuning",
        min_lines=10,
        advised_lines=50,
        max_bytes=512 * 1024 * 1024,
        max_tokens=65_536,
        note="The token limit is that of the GPT-4.1 family. Its preference format has keys of its own.",
    ),
    "trl": Profile(
        "TRL",
        ("chat", "prompt_completion", "dpo", "parquet"),
        "https://huggingface.co/docs/trl/dataset_formats",
        note="Longer lines are cut at the trainer's max_length.",
    ),
    "axolotl": Profile(
        "Axolotl",
        ("chat", "sharegpt", "alpaca"),
        "https://docs.axolotl.ai/docs/dataset-formats/",
        note="chat is `type: chat_template`; sharegpt also needs `field_messages: conversations` and "
        "`message_property_mappings: {role: from, content: value}`; lines over `sequence_len` are dropped.",
        unread=("history",),
    ),
    "unsloth": Profile(
        "Unsloth",
        ("chat", "sharegpt", "alpaca", "prompt_completion", "dpo"),
        "https://unsloth.ai/docs/get-started/fine-tuning-llms-guide/datasets-guide",
        advised_lines=100,
        note="sharegpt goes through standardize_sharegpt.",
        unread=("history",),
    ),
}
