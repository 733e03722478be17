"""What a model is given of an item's files."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from sheets.reading import VolumeFile
from sheets.volumes import open_path
from training import attachments
from training.attachments import Part, parts_of
from workbench.problems import Invalid, NotFound

VOLUME = "/Volumes/mirion_vital/raw/papers"


@pytest.fixture
def papers(lakehouse: Path, sql: Any) -> Path:
    sql("CREATE SCHEMA IF NOT EXISTS mirion_vital.raw")
    sql("CREATE VOLUME mirion_vital.raw.papers")
    volume = lakehouse / VOLUME.lstrip("/")
    volume.mkdir(parents=True, exist_ok=True)
    return volume


def put(volume: Path, name: str, data: bytes) -> VolumeFile:
    (volume / name).write_bytes(data)
    return VolumeFile(name, f"{VOLUME}/{name}", len(data))


def picture(kind: str, size: tuple[int, int] = (40, 20), mode: str = "RGB") -> bytes:
    drawn = io.BytesIO()
    Image.new(mode, size).save(drawn, kind)
    return drawn.getvalue()


def paper(*pages: str) -> bytes:
    drawn = io.BytesIO()
    canvas = Canvas(drawn, pagesize=(300, 400))
    for words in pages:
        canvas.drawString(20, 300, words)
        canvas.showPage()
    canvas.save()
    return drawn.getvalue()


def seen(part: Part) -> tuple[str, Image.Image]:
    kind, data = part["image_url"]["url"].removeprefix("data:").split(";base64,")
    return kind, Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif"])
def test_a_small_picture_goes_as_it_is(papers: Path, kind: str) -> None:
    data = picture(kind)
    (part,) = parts_of([put(papers, f"a.{kind}", data)])
    assert part["image_url"]["url"] == f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(("kind", "mode"), [("png", "RGBA"), ("tiff", "L"), ("bmp", "RGB"), ("jpeg", "CMYK")])
def test_a_large_or_rare_picture_becomes_a_smaller_jpeg(papers: Path, kind: str, mode: str) -> None:
    (part,) = parts_of([put(papers, f"a.{kind}", picture(kind, (4000, 1000), mode))])
    said, found = seen(part)
    assert (said, found.format, found.mode, found.size) == ("image/jpeg", "JPEG", "RGB", (attachments.EDGE, 392))


def test_a_page_is_its_text_or_its_picture(papers: Path) -> None:
    first, second, scan = parts_of([put(papers, "bill.pdf", paper("Total due: 120.50 dollars", ""))])
    assert first["text"] == "Page 1 of 2 of bill.pdf:\nTotal due: 120.50 dollars"
    assert (second["text"], max(seen(scan)[1].size)) == ("Page 2 of 2 of bill.pdf:", attachments.EDGE)


def test_what_a_long_document_leaves_out_is_said(papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST_PAGES", 3)
    monkeypatch.setattr(attachments, "MOST_SCANS", 1)
    monkeypatch.setattr(attachments, "MOST_TEXT", 20)
    parts = parts_of([put(papers, "a.pdf", paper("A page with many words on it", "", "", ""))])
    words = [part["text"] for part in parts if part["type"] == "text"]
    assert words[0].endswith("A page with many wor\n(The rest is left out.)")
    assert words[2:] == ["Page 3 of 4 of a.pdf is left out.", "a.pdf has 4 pages, of which the first 3 are shown."]


def test_texts_are_read_and_other_kinds_are_named(papers: Path) -> None:
    text, other = parts_of([put(papers, "a.csv", b"\xef\xbb\xbfx,y"), put(papers, "a.zip", b"PK")])
    assert text == {"type": "text", "text": "a.csv:\nx,y"}
    assert other["text"] == "The file a.zip (2 bytes) belongs to it too; its kind cannot be shown."


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n broken", "is broken"),
        ("a.jpg", picture("jpeg", (200, 200))[:400], "is broken"),
        ("a.png", picture("png", mode="I;16"), "more than 8 bits"),
        ("a.pdf", b"%PDF-1.4 broken", "is broken or locked"),
        ("a.txt", b"a\0b", "is no text in UTF-8"),
    ],
)
def test_a_broken_file_is_named(papers: Path, name: str, data: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=f"{VOLUME}/{name}.*{words}"):
        parts_of([put(papers, name, data)])


def test_limits_are_told(papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST_PIXELS", 700)
    with pytest.raises(Invalid, match="more than 700 pixels"):
        parts_of([put(papers, "a.png", picture("png"))])
    with pytest.raises(Invalid, match="20,000,001 bytes: a model is shown files of up to 20,000,000"):
        parts_of([VolumeFile("a.png", f"{VOLUME}/a.png", 20_000_001)])
    with pytest.raises(Invalid, match="has 9 files, and a model is shown 8"):
        parts_of([VolumeFile("a.png", f"{VOLUME}/a.png", 1)] * 9)


def test_a_missing_file_is_named(papers: Path) -> None:
    assert open_path(f"{VOLUME}/a.png")[1] == "a.png"
    with pytest.raises(NotFound, match=f"{VOLUME}/a.png"):
        parts_of([VolumeFile("a.png", f"{VOLUME}/a.png", 1)])
