"""The pictures of a label type with what is marked on them, read once and kept beside, as COCO and YOLO need them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, count
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import orjson

from labels.labeling.templates_of import templates_for
from labels.letting_out import LettingOut
from labels.models import CanonicalLabel
from sheets.models import Sheet
from templates_app.annotations import Annotations, annotations_in, labels_of
from templates_app.models import PromptTemplate
from templates_app.schemas import misfits, normalise_output_schema
from templates_app.shapes import value_faults
from workbench.near import listed, near_misses
from workbench.problems import Invalid, NotFound

IN_MEMORY = 4_000_000
BLOCK = 64 * 1024
USES = ("allowed_uses", "prohibited_uses", "data_classification")

# The path of a field, and a label of its shapes.
Category = tuple[str, str]


@dataclass(frozen=True)
class MarkedPicture:
    """A picture: of which label and item, its size in pixels, its shapes as (field, place in it, shape)."""

    label_id: str
    item_ref: str
    image: str
    width: int
    height: int
    uses: dict[str, Any]
    shapes: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)


@dataclass
class Marked:
    """All pictures of a label type, in the order of their items.

    `categories` are in the order of their schema: first those of the schema that was used latest, then older ones.
    `left_out` are the labels of the type that hold neither boxes nor polygons.
    """

    sheet: Sheet
    label_type: str
    categories: list[Category]
    labels: int
    left_out: int
    spool: IO[bytes]

    def __iter__(self) -> Iterator[MarkedPicture]:
        self.spool.seek(0)
        for line in self.spool:
            yield MarkedPicture(**orjson.loads(line))

    @property
    def names(self) -> list[str]:
        """The category names, each once and on one line: with the field before it where several fields have shapes.

        One that is there already, as c of a.b beside b.c of a, has a number behind it.
        """
        fields, found = {path for path, _ in self.categories}, dict[str, None]()
        for path, label in self.categories:
            name = " ".join((label if len(fields) < 2 else f"{path}.{label}").splitlines())
            numbered = (f"{name} ({number})" for number in count(2))
            found[next(each for each in chain([name], numbered) if each not in found)] = None
        return list(found)


class MarkedFile:
    """The blocks of a file that is written from pictures; what was kept for it goes when it is closed or was read."""

    def __init__(self, marked: Marked, write: Callable[[Marked], Iterator[bytes]]) -> None:
        self.marked, self.write, self.labels = marked, write, marked.labels
        self.left_out = marked.left_out

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self.write(self.marked)
        finally:
            self.close()

    def close(self) -> None:
        self.marked.spool.close()


def marked_of(sheet: Sheet, label_type: str, use: str = "", blind: Collection[str] = ()) -> Marked:
    """Return the pictures that the labels mark, read in one statement; memory is constant.

    Invalid without a label type, and for a label that does not hold what its schema says; NotFound where none has shapes,
    Conflict where none of them may be used for `use`.
    """
    every = CanonicalLabel.objects.filter(sheet=sheet)
    if not label_type:
        known = every.order_by().values_list("label_type", flat=True).distinct()
        raise Invalid.of_fields("Nothing was exported.", {"label_type": [f"Name one label type: {listed(known)}."]})
    letting_out = LettingOut(sheet, use, blind)
    labels = every.filter(label_type=label_type).order_by("item_ref", "id")
    spool: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed with the file that is made from it
    latest: dict[tuple[str, tuple[str, ...]], datetime] = {}
    published = templates_for(label_type)
    with_shapes = left_out = 0
    try:
        for label in labels.iterator():
            found = _annotations(label, published)
            left_out += not found and label.pk not in blind
            if found and not letting_out.permits(label):
                continue
            with_shapes += bool(found)
            for each in found:
                key = (each.path, labels_of(each.schema))
                latest[key] = max(label.last_modified_at, latest.get(key, label.last_modified_at))
            spool.writelines(orjson.dumps(picture) + b"\n" for picture in _pictures(label, found))
        if not with_shapes:
            letting_out.expect_some()
            raise _nothing(sheet, label_type)
    except BaseException:
        spool.close()
        raise
    return Marked(sheet, label_type, _categories(latest), with_shapes, left_out, spool)


def _annotations(label: CanonicalLabel, published: Sequence[PromptTemplate]) -> Sequence[Annotations]:
    schema = label.output_schema or _fitting(label.label_data, published)
    found = list(annotations_in(normalise_output_schema(schema), label.label_data))
    for each in found:
        for path, words in value_faults(each.value, each.schema):
            place = ".".join(map(str, (each.path, *path)))
            raise Invalid(f"The label of {label.item_ref!r} cannot be exported, {place}: {words}. Correct it first.")
    return found


def _fitting(data: Any, published: Sequence[PromptTemplate]) -> Any:
    """Return the schema of the first template that a label fits which names none, as one has that was made without."""
    return next((each.output_schema for each in published if not misfits(each.output_schema, data)), {})


def _pictures(label: CanonicalLabel, found: Sequence[Annotations]) -> Iterator[MarkedPicture]:
    """Yield each picture once, whatever number of fields marks it."""
    made: dict[str, MarkedPicture] = {}
    uses = {name: getattr(label, name) for name in USES}
    for each in found:
        image, width, height = (each.value[part] for part in ("image", "width", "height"))
        picture = MarkedPicture(label.pk, label.item_ref, image, width, height, uses)
        made.setdefault(image, picture).shapes.extend(
            (each.path, at, shape) for at, shape in enumerate(each.value["shapes"])
        )
    yield from made.values()


def _categories(latest: dict[tuple[str, tuple[str, ...]], datetime]) -> list[Category]:
    newest_first = sorted(latest, key=lambda key: (-latest[key].timestamp(), key))
    return list(dict.fromkeys((path, label) for path, labels in newest_first for label in labels))


def _nothing(sheet: Sheet, label_type: str) -> NotFound:
    known = list(CanonicalLabel.objects.filter(sheet=sheet).order_by().values_list("label_type", flat=True).distinct())
    if label_type in known:
        return NotFound(
            f"Nothing to export: the sheet {sheet.name!r} has labels of type {label_type!r}, but none with boxes or "
            "polygons. Export them as jsonl, or label under a template that asks for shapes."
        )
    return NotFound(
        f"Nothing to export: the sheet {sheet.name!r} has no labels of type {label_type!r}."
        f"{near_misses(label_type, known)} Label types of the sheet: {listed(known)}."
    )
