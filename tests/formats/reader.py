"""Reads exports as trainers do, in `.venv-formats`, and writes what it found to `found.json` beside them.

`python reader.py DIRECTORY` where DIRECTORY has `FORMAT.jsonl`, `parquet.parquet` and `csv.csv`. The tokenizer is made on the spot from the
texts themselves, and the model is a few thousand random weights, so that nothing is fetched from anywhere.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "CUDA_VISIBLE_DEVICES": "",
}

from datasets import Dataset, load_dataset
from tokenizers import Tokenizer, decoders, pre_tokenizers, trainers
from tokenizers.models import BPE
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
# What stands in the labels where no loss is taken.
UNLEARNED = -100
SPECIAL = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]


def tokenizer_of(texts: list[str]) -> PreTrainedTokenizerFast:
    """Return a byte-level tokenizer of the texts, with a chat template."""
    made = Tokenizer(BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=600, special_tokens=SPECIAL, initial_alphabet=alphabet)
    )
    wrapped = PreTrainedTokenizerFast(tokenizer_object=made, pad_token=SPECIAL[0], eos_token=SPECIAL[1])
    wrapped.chat_template = TEMPLATE
    return wrapped


def model_of(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """Return a model of random weights, as small as one can be."""
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1,
        num_key_value_heads=1, max_position_embeddings=4096, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def sft(rows: Dataset, tokenizer: PreTrainedTokenizerFast, output: Path) -> dict[str, Any]:
    """Return what TRL's SFT trainer made of the rows, and the loss of one step on them."""
    args = SFTConfig(
        output_dir=str(output), max_length=4096, report_to=[], use_cpu=True, max_steps=1, bf16=False,
        gradient_checkpointing=False, save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    trainer = SFTTrainer(model=model_of(tokenizer), args=args, train_dataset=rows, processing_class=tokenizer)
    texts = [tokenizer.decode(row["input_ids"]) for row in trainer.train_dataset]
    learned = [tokenizer.decode(_learned(row)) for row in trainer.train_dataset]
    return {"texts": texts, "learned": learned, "loss": trainer.train().training_loss}


def _learned(row: dict[str, Any]) -> list[int]:
    """Return the tokens that the loss is of: without labels all of them."""
    return [token for token in row.get("labels", row["input_ids"]) if token != UNLEARNED]


def dpo(rows: Dataset, tokenizer: PreTrainedTokenizerFast, output: Path) -> dict[str, Any]:
    """Return what TRL's DPO trainer made of the rows, and the loss of one step on them."""
    args = DPOConfig(
        output_dir=str(output), max_length=4096, report_to=[], use_cpu=True, max_steps=1, bf16=False,
        gradient_checkpointing=False, save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    # TRL would look for the reference model where the model came from, and this one came from nowhere.
    models = {"model": model_of(tokenizer), "ref_model": model_of(tokenizer)}
    trainer = DPOTrainer(**models, args=args, train_dataset=rows, processing_class=tokenizer)
    sides = [
        {name: tokenizer.decode(row[f"{name}_ids"]) for name in ("prompt", "chosen", "rejected")}
        for row in trainer.train_dataset
    ]
    return {"sides": sides, "loss": trainer.train().training_loss}


def main(directory: Path) -> None:
    files = {file.stem: file for file in sorted(directory.iterdir()) if file.suffix in (".jsonl", ".parquet", ".csv")}
    kinds = {".jsonl": "json", ".parquet": "parquet", ".csv": "csv"}
    cache = str(directory / "cache")
    read = {
        name: load_dataset(kinds[file.suffix], data_files=str(file), split="train", cache_dir=cache)
        for name, file in files.items()
    }
    texts = [message["content"] for row in read["chat"] for message in row["messages"]]
    tokenizer = tokenizer_of(texts)
    found: dict[str, Any] = {"read": {name: rows.to_list() for name, rows in read.items()}}
    for name in ("chat", "prompt_completion"):
        found[f"sft {name}"] = sft(read[name], tokenizer, directory / "out")
    found["sft parquet"] = sft(read["parquet"].select_columns("messages"), tokenizer, directory / "out")
    found["dpo"] = dpo(read["dpo"], tokenizer, directory / "out")
    (directory / "found.json").write_text(json.dumps(found, default=str))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
