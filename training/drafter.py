"""The offline drafter: drafts from what is already known of a sheet. It is no language model and says so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from templates_app.plain_schema import plain
from templates_app.preflight import OFFLINE_MODEL
from templates_app.schemas import checker, misfits, normalise_output_schema
from training.fitting import NOTHING, fit, labelled_values, name_words, plain_name
from training.nearest import NearestRows
from training.places import Place, learn
from workbench.canonical import canonical_bytes, canonical_json

__all__ = ["OFFLINE_MODEL", "Draft", "Drafter", "Example"]

_NEIGHBOURS = 5
_SURE = 0.95  # a column of the field's own name
_WRITTEN = 0.85  # "Label: value" in a text, of the field's name or title
_PARTLY = 0.7  # the same, of a part of its name that no other field has
_UNCERTAIN = 0.6  # times that, where another label follows on the line
_MENTIONED = 0.6  # one option of an enum is named in the row
_COPIED = 0.9  # at most, for a value taken from similar labels
_USUAL = 0.3  # times its share, for the most common value of all labels
_SAME_ITEM = 0.9  # similarity above which even an identifying value may be copied


@dataclass(frozen=True)
class Example:
    """A labelled item: its row, and its answer as an object, a list, or text (JSON text is read)."""

    item_ref: str
    row: Mapping[str, Any]
    answer: Any


@dataclass(frozen=True)
class Draft:
    """An answer to review: text or canonical JSON, confidence from 0 up to 0.99, the labels it came from, and how.

    The confidence is the share of fields that are expected to be right; `by_field` has that of each one found.
    """

    answer: str
    confidence: float
    based_on: list[str]
    explanation: str
    by_field: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Found:
    value: Any
    confidence: float
    how: str
    based_on: tuple[str, ...] = ()


class Drafter:
    """Drafts answers from the labels of a sheet (`examples`) and from the item's own row.

    For each field of the output schema the most confident of: the column of the same name, the column that held the
    answer in the labelled items, the place in a text where it stood in them, "Label: value" in a text, an enum option
    named in the row, the similar labels, the usual value. A field nobody knows is left out rather than invented. The
    same input gives the same draft.
    """

    def __init__(self, examples: Sequence[Example], output_schema: Any) -> None:
        self._schema = normalise_output_schema(output_schema)
        self._refs = [example.item_ref for example in examples]
        self._rows = [example.row for example in examples]
        self._answers = [_read(example.answer) for example in examples]
        self._index = NearestRows(self._rows)
        properties = self._schema.get("properties", {}).items()
        asked = {name: field for name, field in properties if isinstance(field, Mapping)}
        self._fields: dict[str, Mapping[str, Any]] = {name: plain(self._schema, asked[name])[0] for name in asked}
        self._fits: dict[str, Callable[[Any], bool]] = {name: checker(self._schema, asked[name]) for name in asked}
        self._values = {name: self._labelled(name) for name in self._fields}
        self._learned = {name: column for name in self._fields if (column := self._learn(name))}
        self._places = {name: place for name in self._fields if (place := self._place(name))}
        self._names = {name: _names_of(name, field) for name, field in self._fields.items()}

    def draft(self, row: Mapping[str, Any]) -> Draft:
        """The draft for one row. Nothing known gives an empty answer with confidence 0 and says why."""
        near = self._index.nearest(row, _NEIGHBOURS)
        if not self._fields:
            return self._whole(near)
        lines = [line for value in row.values() if isinstance(value, str) for line in labelled_values(value)]
        text = f" {' '.join(_spoken(value) for value in row.values() if isinstance(value, str))} "
        found = {}
        for name in self._fields:
            offers = [*self._from_row(name, row), *self._from_lines(name, lines), *self._from_words(name, text)]
            offers += [*self._from_place(name, row), *self._from_labels(name, near)]
            if offers:
                found[name] = max(offers, key=lambda offer: offer.confidence)
        return self._composed(found)

    def _composed(self, found: Mapping[str, _Found]) -> Draft:
        if not found:
            return Draft(
                "", 0.0, [], "No label is similar and no column has the name of a field: nothing to draft from."
            )
        answer = {name: offer.value for name, offer in found.items()}
        confidence = sum(offer.confidence for offer in found.values()) / len(self._fields)
        words = [f"{name} {offer.how}" for name, offer in found.items()]
        words += [f"{name} not found" for name in self._fields if name not in found]
        if faults := misfits(self._schema, answer):
            words.append("the draft does not fit yet: " + ", ".join(faults[:3]))
        based_on = list(dict.fromkeys(ref for offer in found.values() for ref in offer.based_on))
        by_field = {name: offer.confidence for name, offer in found.items()}
        return Draft(canonical_json(answer), round(min(confidence, 0.99), 3), based_on, "; ".join(words), by_field)

    def _from_row(self, name: str, row: Mapping[str, Any]) -> Iterator[_Found]:
        for column, value in row.items():
            if plain_name(column) in map(plain_name, self._names[name]):
                yield from self._offer(name, value, _SURE, f"from the column {column}")
        if name in self._learned:
            column, share = self._learned[name]
            how = f"from the column {column}, as in the labelled items"
            yield from self._offer(name, row.get(column), _SURE * share, how)

    def _from_place(self, name: str, row: Mapping[str, Any]) -> Iterator[_Found]:
        if (place := self._places.get(name)) and (read := place.read(row)):
            value, sure = read
            yield from self._offer(name, value, _SURE * place.share * sure, place.how)

    def _from_lines(self, name: str, lines: Sequence[tuple[str, str, bool]]) -> Iterator[_Found]:
        for label, value, certain in lines:
            how, trust = f"from '{label}:' in the text", 1.0 if certain else _UNCERTAIN
            if any(plain_name(label) == plain_name(each) for each in self._names[name]) or any(
                name_words(label) == name_words(each) for each in self._names[name]
            ):
                yield from self._offer(name, value, _WRITTEN * trust, how)
            elif [each for each in self._fields if name_words(label) <= name_words(each)] == [name]:
                yield from self._offer(name, value, _PARTLY * trust, how)

    def _from_words(self, name: str, text: str) -> Iterator[_Found]:
        options = [option for option in self._fields[name].get("enum", ()) if isinstance(option, str) and option]
        named = [option for option in options if f" {_spoken(option)} " in text]
        # "solder bridge" names the option bridge as well; only one that no longer option covers is meant.
        named = [
            word for word in named if not any(word != other and _spoken(word) in _spoken(other) for other in named)
        ]
        if len(named) == 1:
            yield _Found(named[0], _MENTIONED, "as the row names it")

    def _from_labels(self, name: str, near: Sequence[tuple[int, float]]) -> Iterator[_Found]:
        values = self._values[name]
        copied = len(set(values.values())) < len(values) or len(values) < 3
        usable = [(at, similarity) for at, similarity in near if at in values and (copied or similarity >= _SAME_ITEM)]
        if voted := _vote([(values[at], at, similarity) for at, similarity in usable]):
            text, confidence, chosen = voted
            refs = tuple(self._refs[at] for at in chosen)
            yield from self._offer(
                name, orjson.loads(text), confidence, f"from similar labels ({', '.join(refs)})", refs
            )
        elif copied and values and not usable:
            text, times = min(Counter(values.values()).items(), key=lambda entry: (-entry[1], entry[0]))
            if times > 1:
                how = f"as in {times} of {len(values)} labels, none of them similar"
                yield from self._offer(name, orjson.loads(text), _USUAL * times / len(values), how)

    def _offer(
        self, name: str, value: Any, confidence: float, how: str, based_on: tuple[str, ...] = ()
    ) -> Iterator[_Found]:
        fitted = self._fitted(name, value)
        if fitted is not NOTHING and self._fits[name](fitted):
            yield _Found(fitted, confidence, how, based_on)

    def _fitted(self, name: str, value: Any) -> Any:
        """The value as the field asks for it, in plain JSON, or NOTHING."""
        fitted = fit(value, self._fields[name])
        try:
            return NOTHING if fitted is NOTHING else orjson.loads(canonical_bytes(fitted))
        except ValueError:  # NaN in a list, a number beyond JSON's
            return NOTHING

    def _whole(self, near: Sequence[tuple[int, float]]) -> Draft:
        """An answer without fields, text or a choice: that of the similar labels."""
        fits = checker(self._schema)
        usable = [
            (at, similarity) for at, similarity in near if self._answers[at] is not None and fits(self._answers[at])
        ]
        voted = _vote([(_key(self._answers[at]), at, similarity) for at, similarity in usable])
        if voted is None:
            return Draft("", 0.0, [], "No label is similar: nothing to draft from.")
        text, confidence, chosen = voted
        refs = [self._refs[at] for at in chosen]
        return Draft(
            canonical_json(orjson.loads(text)), round(confidence, 3), refs, f"from similar labels ({', '.join(refs)})"
        )

    def _labelled(self, name: str) -> dict[int, str]:
        """The field's value in each label that has one, as JSON text by position."""
        return {
            at: _key(answer[name])
            for at, answer in enumerate(self._answers)
            if isinstance(answer, Mapping) and answer.get(name) is not None
        }

    def _place(self, name: str) -> Place | None:
        values = {at: orjson.loads(value) for at, value in self._values[name].items()}
        return learn(self._rows, values, self._fields[name])

    def _learn(self, name: str) -> tuple[str, float] | None:
        """The column that held the field's value in four of five labelled items or more, and how far to trust it."""
        hits: dict[str, int] = defaultdict(int)
        for at, value in self._values[name].items():
            for column, found in self._rows[at].items():
                fitted = self._fitted(name, found)
                hits[column] += fitted is not NOTHING and _key(fitted) == value
        labels = len(self._values[name])
        column, times = min(hits.items(), key=lambda entry: (-entry[1], entry[0]), default=("", 0))
        # A value that is always the same says nothing about the column it comes from.
        varied = len(set(self._values[name].values())) > 1
        return (
            (column, times / labels * times / (times + 1)) if varied and times >= 2 and times / labels >= 0.8 else None
        )


def _names_of(name: str, asked: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that a column or a label in a text may have for a field: its own, and its title."""
    title = asked.get("title")
    return (name, title) if isinstance(title, str) and title else (name,)


def _vote(values: Sequence[tuple[str, int, float]]) -> tuple[str, float, list[int]] | None:
    """The value with most similarity behind it, its confidence (similarity by agreement by support), its labels."""
    if not values:
        return None
    groups: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for text, at, similarity in values:
        groups[text].append((at, similarity))
    weight = {text: sum(similarity for _, similarity in group) for text, group in groups.items()}
    text = min(groups, key=lambda text: (-weight[text], text))
    group = groups[text]
    agreement = weight[text] / sum(weight.values())
    support = len(group) / (len(group) + 1)
    confidence = min(weight[text] / len(group) * agreement * support, _COPIED)
    return text, confidence, [at for at, _ in group]


def _key(value: Any) -> str:
    return canonical_json([value])[1:-1]


def _read(answer: Any) -> Any:
    """A label's answer as a value: JSON text is read, other text stays."""
    if isinstance(answer, str) and answer[:1] in ("{", "["):
        try:
            return orjson.loads(answer)
        except orjson.JSONDecodeError:
            return answer
    return answer


def _spoken(text: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in text.casefold()[:2000]).split())
