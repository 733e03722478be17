"""An item's files as parts of a chat message: pictures to look at, documents to read, and a word about the rest."""

from __future__ import annotations

import base64
import io
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pypdfium2 as pdfium
from PIL import ExifTags, Image, ImageOps

from sheets.reading import VolumeFile
from sheets.volumes import open_path
from workbench.problems import Invalid, Problem

Part = dict[str, Any]

# More would be a folder and not an item, and endpoints take five to twenty pictures in a request.
MOST_FILES = 8
# What is read of one file into memory, which as many calls as run at once do side by side.
MOST_BYTES = 20_000_000
# A picture of a few kilobytes can unfold to gigabytes.
MOST_PIXELS = 100_000_000
# Models scale pictures down to about this edge themselves, so more pixels would only be more bytes.
EDGE = 1_568
# The smallest limit of the endpoints that state one is 5 MB in base64.
MOST_SENT = 3_500_000
# About 15,000 tokens a file.
MOST_TEXT = 60_000
MOST_PAGES, MOST_SCANS = 20, 5
# A page with fewer letters is a picture of text with a number or a stamp on it.
FEWEST_LETTERS = 16
# Pillow reads more, and one of them (EPS) by starting a program.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
SENT_AS_THEY_ARE = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
DAMAGES = (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError)
# PDFium may be called by one thread at a time.
_pdfium = threading.Lock()


def parts_of(files: Sequence[VolumeFile]) -> list[Part]:
    """Return the files as parts of a message, in their order. It reads, scales and draws: not for an event loop.

    A Problem that names the file for one that is missing, broken or beyond a limit.
    """
    if len(files) > MOST_FILES:
        raise Invalid(
            f"The item has {len(files)} files, and a model is shown {MOST_FILES} at most: join fewer to an item."
        )
    return [part for file in files for part in _shown(file)]


def documents_of(files: Sequence[VolumeFile]) -> Iterator[tuple[str, str]]:
    """Yield the names of the files that hold text, with the text of each; pictures, and what cannot be read, are left out."""
    for file in files[:MOST_FILES]:
        if KINDS.get(_suffix(file)) not in (_document, _text):
            continue
        try:
            parts = list(_shown(file))
        except Problem:
            continue  # the one who labels it sees why
        yield file.name, "\n".join(part["text"] for part in parts if not is_picture(part))


def can_be_shown(file: VolumeFile) -> bool:
    return _suffix(file) in KINDS


def is_picture(part: Part) -> bool:
    return bool(part["type"] == "image_url")


def _shown(file: VolumeFile) -> Iterator[Part]:
    kind = KINDS.get(_suffix(file))
    if kind is None:
        yield _said(f"The file {file.name} ({file.size:,} bytes) belongs to it too; its kind cannot be shown.")
        return
    if file.size > MOST_BYTES:
        raise Invalid(f"The file {file.path} has {file.size:,} bytes: a model is shown files of up to {MOST_BYTES:,}.")
    volume, name = open_path(file.path)
    try:
        with volume.open(name) as opened:
            data = opened.read(MOST_BYTES)
    except OSError as error:
        raise Invalid(
            f"The file {file.path} cannot be read: {error.strerror or error}. Check it, and retry."
        ) from error
    yield from kind(file, data)


def _suffix(file: VolumeFile) -> str:
    return file.name.rpartition(".")[2].casefold()


def _picture(file: VolumeFile, data: bytes) -> Iterator[Part]:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Invalid(f"The picture {file.path} has more than {MOST_PIXELS:,} pixels: scale it down.")
            if picture.mode.startswith(("I", "F")):
                raise Invalid(f"The picture {file.path} has more than 8 bits a channel: convert it to 8 bits.")
            if _goes_as_it_is(picture, len(data)):
                picture.load()  # finds one that is cut off
                yield _seen(SENT_AS_THEY_ARE[str(picture.format)], data)
            else:
                yield _seen("image/jpeg", _jpeg(picture))
    except DAMAGES as error:
        raise Invalid(f"The picture {file.path} is broken: {error}. Replace the file, and retry.") from error


def _goes_as_it_is(picture: Image.Image, size: int) -> bool:
    still = getattr(picture, "n_frames", 1) == 1
    upright = picture.getexif().get(ExifTags.Base.Orientation, 1) == 1
    fits = max(picture.size) <= EDGE and size <= MOST_SENT
    return picture.format in SENT_AS_THEY_ARE and still and upright and fits


def _jpeg(picture: Image.Image) -> bytes:
    """Return the picture, its first frame, upright, on white, with no edge above EDGE, as JPEG."""
    picture.thumbnail((EDGE, EDGE))
    upright = ImageOps.exif_transpose(picture)
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
    drawn = io.BytesIO()
    upright.convert("RGB").save(drawn, "JPEG", quality=90)
    return drawn.getvalue()


def _document(file: VolumeFile, data: bytes) -> Iterator[Part]:
    """Yield each page as its text, or as a picture where it has none, as a scan does."""
    with _pdfium:
        try:
            document = pdfium.PdfDocument(data)
        except pdfium.PdfiumError as error:
            raise Invalid(f"The document {file.path} is broken or locked: {error}. Replace it, and retry.") from error
        try:
            yield from list(_pages(file.name, document))
        except pdfium.PdfiumError as error:
            raise Invalid(f"A page of {file.path} cannot be read: {error}. Replace the file, and retry.") from error
        finally:
            document.close()


def _pages(name: str, document: Any) -> Iterator[Part]:
    scans, letters, pages = 0, 0, len(document)
    for number in range(min(pages, MOST_PAGES)):
        page = document[number]
        text = page.get_textpage().get_text_bounded().strip()
        if len(text) < FEWEST_LETTERS and scans < MOST_SCANS:
            scans += 1
            yield _said(f"Page {number + 1} of {pages} of {name}:")
            yield _seen("image/jpeg", _jpeg(page.render(scale=EDGE / max(*page.get_size(), 1)).to_pil()))
        elif text and letters < MOST_TEXT:
            yield _said(f"Page {number + 1} of {pages} of {name}:\n{_cut(text, MOST_TEXT - letters)}")
            letters += len(text)
        else:
            yield _said(f"Page {number + 1} of {pages} of {name} is left out.")
    if pages > MOST_PAGES:
        yield _said(f"{name} has {pages} pages, of which the first {MOST_PAGES} are shown.")


def _text(file: VolumeFile, data: bytes) -> Iterator[Part]:
    text = data.decode("utf-8-sig", errors="replace")
    if "\0" in text:
        raise Invalid(f"The file {file.path} is no text in UTF-8: save it as such, or name it for what it is.")
    yield _said(f"{file.name}:\n{_cut(text, MOST_TEXT)}")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\n(The rest is left out.)"


def _said(text: str) -> Part:
    return {"type": "text", "text": text}


def _seen(kind: str, data: bytes) -> Part:
    return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{base64.b64encode(data).decode()}"}}


KINDS: dict[str, Callable[[VolumeFile, bytes], Iterator[Part]]] = {
    **dict.fromkeys(("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"), _picture),
    "pdf": _document,
    **dict.fromkeys(("txt", "md", "csv", "tsv", "json", "jsonl", "xml", "html", "yaml", "yml", "log"), _text),
}
