"""Items that are nearly a held-out one are reported before an export, by their words and by their pictures."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from random import Random

import polars as pl
from deltalake import write_deltalake
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from labels.near.pictures import ALIKE, picture_hash
from labels.near.words import NearTexts
from labels.reserving import reserve
from sheets.actions import create_sheet
from templates_app.actions import create_template, publish
from training.actions.export import check_export
from training.actions.generate import generate
from training.models import QAPair
from training.near_held_out import near_held_out

WORDS = [f"word{number}" for number in range(500)]


def text(seed: int, words: int = 120) -> str:
    return " ".join(Random(seed).choices(WORDS, k=words))


@given(st.integers(0, 10_000), st.integers(0, 119))
def test_a_text_with_one_word_changed_is_near_and_another_is_not(seed: int, at: int) -> None:
    near = NearTexts([("held", text(seed)), ("other", text(seed + 1))])
    changed = text(seed).split()
    changed[at] = "changed"
    assert [name for name, _ in near.near(" ".join(changed))] == ["held"]
    assert list(near.near(text(seed + 2))) == []


def test_what_all_texts_share_makes_none_alike() -> None:
    form = text(1, 400)
    near = NearTexts((str(at), f"{form} {text(at + 10, 20)}") for at in range(30))
    assert list(near.near(f"{form} {text(99, 20)}")) == []
    assert [name for name, _ in near.near(f"{form} {text(15, 20)}")] == ["5"]


def picture(seed: int, size: tuple[int, int] = (320, 240), quality: int = 90) -> bytes:
    small = Image.frombytes("L", (12, 9), Random(seed).randbytes(108))
    file = BytesIO()
    small.resize(size, Image.Resampling.BICUBIC).save(file, "JPEG", quality=quality)
    return file.getvalue()


def test_a_picture_in_another_size_and_quality_is_near() -> None:
    one, same, other = (picture_hash(data) for data in (picture(1), picture(1, (200, 150), 40), picture(2)))
    assert one is not None and same is not None and other is not None
    assert (one ^ same).bit_count() <= ALIKE < (one ^ other).bit_count()
    assert picture_hash(b"no picture") is None


def test_the_check_of_an_export_names_them(lakehouse: Path) -> None:
    texts = [text(1), text(1) + " more", *map(text, range(3, 40))]
    rows = pl.DataFrame({"id": [f"n{at:02}" for at in range(len(texts))], "said": texts})
    write_deltalake(lakehouse / "shop/raw/notes", rows.to_arrow())
    sheet = create_sheet({"name": "Notes", "primary_table": "shop.raw.notes", "join_keys": ["id"]}, actor="omar")
    template = publish(
        create_template(
            {
                "name": "Notes", "label_type": "topic", "user_prompt_template": "{{ said }}",
                "input_schema": [{"name": "said", "type": "string"}], "output_schema": [{"name": "topic", "type": "string"}],
            },
            actor="omar",
        ),
        actor="omar",
    )  # fmt: skip
    made = generate(sheet=sheet, template=template, actor="omar", mode="manual")
    QAPair.objects.of(made.pk).update(
        status="labeled", messages=[{"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}]
    )
    assert near_held_out(made).found == []
    reserve(sheet, ["n00"], "Golden set", actor="omar")
    (near,) = near_held_out(made).found
    assert (near.item_ref, near.held_out, near.by) == ("n01", "n00", "words") and near.alike > 0.9
    (warning,) = [each for each in check_export(made)["problems"] if each["code"] == "near_held_out"]
    assert "n01 as n00" in warning["message"] and warning["pair_ids"] == [near.pair_id]
