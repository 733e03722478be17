"""One pass over a training sheet: asks the gates for each pair, and yields the bytes of what may leave.

The gates are asked once for all pairs of a batch that carry the same limits, and only messages that pass become Python
values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, cast

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from governance.uses import Limit, decide
from sheets import source_uses
from sheets.item_limits import ItemLimits, limits_of_items
from sheets.tagged import Tagged
from training.exporting import LISTS, TEXTS, Row, Window, let_go, limits_of, read_ahead
from training.exports.batches import Block, Kept
from training.exports.formats import FORMATS, Format, line_of
from training.exports.options import Options
from training.exports.plain import plain_lines
from training.exports.preferences import Edits, draft_of, edits_of, fits_of
from training.exports.shapes import Messages, Record
from training.exports.since import Base
from training.exports.splits import Split, sides_of
from training.exports.stratified import FORESEEN, side_column
from training.ledger import NOT_JSON, Exclusion, Ledger, bucket, flaw_of
from training.models import QAPair, TrainingSheet

# Records at a time: few enough that they are still in the processor's cache when they are written, and that Python's search
# for garbage does not go through all of a batch again and again.
STEP = 256
# Lines that are written already are only handed on.
LINES = 2_000
PASSES = 0


@dataclass
class ExportRun:
    """One pass over the pairs: what was written so far, its digest, and why the rest stayed.

    `source_limits` are those of the sheet's sources, which every pair has beside its own and which follow from the `tagged`
    places, `item_limits` those of single items. `between` is called after each window of pairs, with no statement of the
    pass open, and with how many pairs were read. `withdrawn` are the pairs that the `base` had and that may not leave any
    more, `undecided` those whose side of a stratified split is decided when they are exported; `foresee` gives the pairs of a
    batch the sides that they would be put on, and says in a column of which ones it did.
    """

    training_sheet_id: str
    sheet_id: str
    options: Options
    source_limits: Sequence[Limit]
    item_limits: ItemLimits = field(default_factory=dict)
    split: Split = field(default_factory=Split)
    base: Base | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    tagged: Sequence[Tagged] = ()
    between: Callable[[int], None] = lambda _read: None
    foresee: Callable[[pa.Table], pa.Table] | None = None
    ledger: Ledger = field(default_factory=Ledger)
    withdrawn: list[str] = field(default_factory=list)
    undecided: int = 0
    size_bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        self._sound: set[tuple[str, ...] | None] = set()
        # What the gates have said so far; a pair's verdict is the place in it.
        self._verdicts: list[Exclusion | None] = [None]
        self._numbers: dict[tuple[str, ...] | None, int] = {None: PASSES}
        self._leaving: set[str] = set()

    @property
    def use(self) -> str:
        return self.options.asked_use

    @cached_property
    def _fits(self) -> Callable[[Any], bool]:
        return fits_of(self.training_sheet_id)

    @property
    def format(self) -> Format:
        return FORMATS[self.options.format]

    def summary(self) -> dict[str, Any]:
        """Return the summary of the ledger, how many pairs have no side yet, and which were withdrawn since the base."""
        withdrawn = {"count": len(self.withdrawn), "pair_ids": self.withdrawn}
        return {**self.ledger.summary(), "undecided": self.undecided, "withdrawn": withdrawn}

    def blocks(self) -> Generator[Block, None, None]:
        """Yield the file in pieces, as many as there are batches with pairs that leave, and the tables' ends."""
        for block in self.format.write(self.kept(written=True), self.constants):
            self.ledger.add(None, len(block.lines))
            self.digest.update(block.data)
            self.size_bytes += len(block.data)
            yield block

    def kept(self, *, written: bool = False) -> Iterator[Kept]:
        """Yield what leaves, batch by batch, and count the other pairs.

        These are records, or lines where the format can have them `written` on the thread that reads ahead.
        """
        pairs = QAPair.objects.of(self.training_sheet_id)
        more: dict[str, Any] = dict(self.format.columns)
        if self.options.split and self.split.stratify_by:
            more["side"] = side_column(self.sheet_id)
        ahead = partial(self._looked_at, written=written and self.format.is_plain)
        for window, ready in read_ahead(pairs, more, ahead):
            known, read = self.base.versions(window) if self.base else {}, sum(table.num_rows for table in ready)
            yield from self._records(window, (self._passed(table, known) for table in let_go(ready)))
            self.withdrawn += sorted(known.keys() - self._leaving)
            self._leaving.clear()
            self.between(read)

    def lines(self, window: Window, passed: Iterable[pa.Table]) -> Iterator[tuple[str, bytes]]:
        """Yield the id and the line, as a file has it, of pairs of a window that passed the gates."""
        for block in self.format.write(self._records(window, passed), self.constants):
            if block.lines:
                yield from zip(block.pairs["id"].to_pylist(), block.lines, strict=True)

    def _records(self, window: Window, passed: Iterable[pa.Table]) -> Iterator[Kept]:
        """Yield the records of pairs of a window that passed, and count those that make none."""
        edits = edits_of(self.training_sheet_id, window) if self.format.compares else {}
        for table in passed:
            written = "line" in table.column_names
            size = LINES if written else STEP
            for at in range(0, table.num_rows, size):
                step = table.slice(at, size)
                if kept := self._written(step) if written else self._kept(step, edits):
                    yield kept

    def _looked_at(self, tables: list[pa.Table], *, written: bool) -> list[pa.Table]:
        """Return the slices of a window with what the gates say, on the thread that reads ahead."""
        if not tables:  # its pairs were removed since they were counted
            return tables
        limits = pa.concat_tables([table.select([*TEXTS, *LISTS, "item_ref"]) for table in tables])
        reasons, groups = self._reasons(limits)
        verdicts = pa.array(np.array([self._number(reason) for reason in reasons], np.int64)[groups])
        found, at = [], 0
        for table in let_go(tables):
            judged = table.append_column("verdict", verdicts.slice(at, table.num_rows))
            found.append(self._with_lines(judged) if written else judged)
            at += table.num_rows
        return found

    def _number(self, reason: Exclusion | None) -> int:
        """Return where `_verdicts` has a reason; there are only as many as the ledger tells apart."""
        key = reason.key if reason else None
        if key not in self._numbers:
            self._numbers[key] = len(self._verdicts)
            self._verdicts.append(reason)
        return self._numbers[key]

    def _with_lines(self, table: pa.Table) -> pa.Table:
        """Return the pairs with the lines of plain messages in place of these."""
        lines, rest = plain_lines(table["messages"], self.format.shape)
        return table.drop_columns("messages").append_column("messages", rest).append_column("line", lines)

    def _passed(self, table: pa.Table, known: Mapping[str, tuple[int, int | None]]) -> pa.Table:
        # A side is decided of all labeled pairs, also of those that may not leave.
        table = self._judged(self.foresee(table) if self.foresee else table)
        if self.options.split:
            table = self._on_side(table)
        if self.base and table.num_rows:
            table = self._since(table, known)
        return table

    def verdicts(self, table: pa.Table) -> list[Exclusion | None]:
        """Return what the gates say of each row of a batch; None lets it pass."""
        reasons, groups = self._reasons(table)
        return [reasons[group] for group in groups.tolist()]

    def _reasons(self, table: pa.Table) -> tuple[list[Exclusion | None], NDArray[np.int64]]:
        """Return what the gates say of each group of rows with the same limits, and the group of each row."""
        limits = table.select([*TEXTS, *LISTS]).append_column("limited_item", self._limited(table["item_ref"]))
        groups, firsts = groups_of(limits)
        return [self._reason(row) for row in limits.take(pa.array(firsts)).to_pylist()], groups

    def _limited(self, item_refs: pa.ChunkedArray) -> Any:
        """Return the items that have limits of their own, and null for all others, which are judged together."""
        if not self.item_limits:
            return pa.nulls(len(item_refs), pa.string())
        limited = pc.is_in(item_refs, value_set=pa.array(list(self.item_limits), item_refs.type))
        return pc.if_else(limited, item_refs, None)

    def _judged(self, table: pa.Table) -> pa.Table:
        """Return the pairs that pass both gates, in their order, and count the others."""
        for reason, pairs in zip(self._verdicts, np.bincount(table["verdict"]).tolist(), strict=False):
            if reason and pairs:
                self.ledger.add(reason, pairs)
        return table.filter(pc.equal(table["verdict"], PASSES)).drop_columns("verdict")

    def _reason(self, group: Row) -> Exclusion | None:
        row = {name: orjson.loads(value) if name in LISTS and value else value for name, value in group.items()}
        item = self.item_limits.get(group["limited_item"], ())
        decision = decide([*self.source_limits, *item, *limits_of(row)])
        return bucket(row["status"], decision, self.use, answer="looked at later, line by line")

    def _on_side(self, table: pa.Table) -> pa.Table:
        if self.split.stratify_by:
            sides = table["side"].to_pylist()
        else:
            sides = sides_of(self.sheet_id, table["item_ref"].to_pylist(), self.split)
        stays = [at for at, side in enumerate(sides) if side == self.options.split]
        undecided, wanted = sides.count(None), self.options.split
        self.undecided += pc.sum(table[FORESEEN]).as_py() or 0 if self.foresee else undecided
        other = "validation" if wanted == "train" else "train"
        self.ledger.add(
            Exclusion(f"held back for {other}: {self.split}", "split", "split of the sheet"),
            len(sides) - len(stays) - undecided,
        )
        self.ledger.add(
            Exclusion(f"its side is decided when it is exported: {self.split}", "split", "split of the sheet"),
            undecided,
        )
        return table.take(pa.array(stays, pa.int64()))

    def _since(self, table: pa.Table, known: Mapping[str, tuple[int, int | None]]) -> pa.Table:
        assert self.base is not None  # noqa: S101 - for the types: the caller asks
        rows = zip(*(table[name].to_pylist() for name in ("id", "version", "canonical_label_version")), strict=True)
        new = [at for at, (pair, *versions) in enumerate(rows) if known.get(pair) != tuple(versions)]
        self._leaving.update(
            set(table["id"].to_pylist()).difference(table["id"].take(pa.array(new, pa.int64())).to_pylist())
        )
        unchanged = Exclusion(f"unchanged since the export {self.base.export_id}", "since", "earlier export")
        self.ledger.add(unchanged, table.num_rows - len(new))
        return table.take(pa.array(new, pa.int64()))

    def _kept(self, table: pa.Table, edits: Mapping[str, Edits]) -> Kept | None:
        """Return the records of the pairs that are lines to train on, and count the others."""
        records: list[Record] = []
        at: list[int] = []
        compares = self.format.compares
        ids = table["id"].to_pylist() if compares else ()
        for number, stored in enumerate(_bytes(table["messages"])):
            record = self._record(stored, edits.get(ids[number]) if compares else None)
            if isinstance(record, Exclusion):
                self._stays(record, table, number)
            else:
                records.append(record)
                at.append(number)
        return self._those(table, at, records=records)

    def _written(self, table: pa.Table) -> Kept | None:
        """Return the lines that are written already, and write those of the other pairs that are lines to train on."""
        lines: list[bytes | None] = _bytes(table["line"])
        if not table["line"].null_count:
            return self._those(table, range(len(lines)), lines=cast(list[bytes], lines))
        for number, stored in enumerate(_bytes(table["messages"])):
            if lines[number] is not None:
                continue
            record = self._record(stored, None)
            if isinstance(record, Exclusion):
                self._stays(record, table, number)
            else:
                lines[number] = line_of(record)
        at = [number for number, line in enumerate(lines) if line is not None]
        return self._those(table, at, lines=[line for line in lines if line is not None])

    def _those(
        self, table: pa.Table, at: Sequence[int], *, records: Sequence[Record] = (), lines: Sequence[bytes] = ()
    ) -> Kept | None:
        """Return what was made of the rows of a table, and their other columns."""
        if not at:
            return None
        pairs = table.drop_columns([name for name in ("messages", "line") if name in table.column_names])
        pairs = pairs if len(at) == table.num_rows else pairs.take(pa.array(at, pa.int64()))
        if self.base:
            self._leaving.update(pairs["id"].to_pylist())
        return Kept(records, pairs, lines)

    def _stays(self, flaw: Exclusion, table: pa.Table, row: int) -> None:
        """Count a pair, and name it: what is wrong is in the pair itself, where somebody has to look."""
        self.ledger.add(flaw, example=table["id"][row].as_py())

    def _record(self, stored: bytes, edits: Edits | None) -> Record | Exclusion:
        """Return the record of a pair, or why it makes none."""
        messages = self._messages(stored)
        if isinstance(messages, Exclusion):
            return messages
        draft = draft_of(messages, edits, self._fits) if self.format.compares else ""
        return draft if isinstance(draft, Exclusion) else self.format.shape(messages, draft)

    def _messages(self, stored: bytes) -> Messages | Exclusion:
        """Return the messages, or why they are no line to train on.

        The chat rules are asked in full once for each sequence of roles, as contents are looked at anyway.
        """
        try:
            messages = orjson.loads(stored)
        except orjson.JSONDecodeError:
            return NOT_JSON
        roles = roles_of(messages)
        if roles is None or roles not in self._sound:
            if flaw := flaw_of(messages):
                return flaw
            self._sound.add(roles)
        return messages  # type: ignore[no-any-return]  # what was judged sound


def run_of(training_sheet: TrainingSheet, options: Options | None = None, **more: Any) -> ExportRun:
    """Return a pass over the pairs under the tags of their sources as they are now: a tag set today stops it today."""
    options = options or Options()
    constants = {
        "training_sheet_id": training_sheet.pk,
        "sheet_id": training_sheet.sheet_id,
        "template": training_sheet.template.name,
        "template_version": training_sheet.template.version,
        "use": options.asked_use,
        "split": options.split,
    }
    uses, items = source_uses.uses_of(training_sheet.sheet), limits_of_items(training_sheet.sheet)
    more |= {"tagged": uses.tagged, "constants": constants}
    return ExportRun(training_sheet.pk, training_sheet.sheet_id, options, uses.limits, items, **more)


def groups_of(table: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the group of each row, and the first row of each group: rows are of one where all columns are alike."""
    numbered = table.append_column("row", pa.array(np.arange(table.num_rows)))
    grouped = numbered.group_by(table.column_names, use_threads=False).aggregate([("row", "list")])
    found = grouped["row_list"].combine_chunks()
    rows, starts = found.flatten().to_numpy(), found.offsets.to_numpy()
    groups = np.empty(table.num_rows, np.int64)
    groups[rows] = np.repeat(np.arange(len(found)), np.diff(starts))
    return groups, rows[starts[:-1]]


def _bytes(texts: pa.ChunkedArray) -> list[Any]:
    return texts.cast(pa.binary()).to_pylist()  # type: ignore[no-any-return]


def roles_of(messages: Any) -> tuple[str, ...] | None:
    """Return the roles of messages that each are exactly a role and a text that is not blank, else None."""
    try:
        roles = tuple([str(m["role"]) for m in messages if len(m) == 2 and m["content"].strip()])
    except (AttributeError, KeyError, TypeError):
        return None
    return roles if len(roles) == len(messages) else None
