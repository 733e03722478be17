"""Import enriched conversations, or make them from an approved training sheet."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
from django.utils import timezone
from django.utils.text import slugify

from governance import audit
from governance.uses import USES, Limit, gate, highest, validate_uses
from sheets import source_uses
from sheets.item_limits import limits_of_items
from sheets.names import split_path
from sheets.volume import Volume
from sheets.volumes import open_path
from training.actions.conversation_changes import limits_changed
from training.files.gate import answer_sha256
from training.files.importing import conversations_in, key_of, problems_of, row_of
from training.files.storage import draft, path_of, send, storing
from training.files.sweeping import hold, note, sweep_conversations
from training.ledger import Ledger, bucket, flaw_of
from training.models import Conversation, QAPair, TrainingSheet
from training.pairs import limited
from training.review.applying import settle_alike
from workbench.canonical import read_json
from workbench.concepts import Classification
from workbench.lakehouse.ids import uuid5_of, uuid7
from workbench.near import listed
from workbench.problems import Conflict, Invalid

CHUNK = 80
# Well below an hour of writing.
HOLD_EVERY = 25 * CHUNK
# What faults are said of where conversations came without a file.
INLINE = "conversations"
LIMITING = ("allowed_uses", "prohibited_uses", "usage_reason", "data_classification")
OVERWRITTEN = [
    field.attname
    for field in Conversation._meta.concrete_fields
    if field.attname not in ("id", "created_by", "created_at")
]


Stored = tuple[dict[str, Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Limits:
    """What the conversations of an import may be used for."""

    prohibited_uses: Sequence[str] = ()
    usage_reason: str = ""
    data_classification: str = Classification.INTERNAL

    def columns(self) -> dict[str, Any]:
        """Return the columns; Invalid for a use or classification that does not exist, or a limit without a reason."""
        allowed = [use for use in USES if use not in self.prohibited_uses]
        try:
            validate_uses(allowed, self.prohibited_uses)
        except ValueError as error:
            raise Invalid.of_fields("Nothing was imported.", {"prohibited_uses": [str(error)]}) from error
        if self.prohibited_uses and not self.usage_reason.strip():
            raise Invalid.of_fields("Nothing was imported.", {"usage_reason": ["Say why a use is prohibited."]})
        if self.data_classification not in Classification.values:
            words = f"Found {self.data_classification!r}: use {listed(Classification.values)}."
            raise Invalid.of_fields("Nothing was imported.", {"data_classification": [words]})
        return {
            "allowed_uses": allowed,
            "prohibited_uses": list(self.prohibited_uses),
            "usage_reason": self.usage_reason.strip(),
            "data_classification": self.data_classification,
        }


def import_conversations(
    files: Iterable[tuple[str, bytes]],
    *,
    actor: str,
    batch_id: str = "",
    limits: Limits | None = None,
    rules: Sequence[Limit] = (),
) -> tuple[str, list[str]]:
    """Return the batch and the ids of the conversations in the files, which are given as (name, JSON).

    A file holds one conversation, a list, or a full training file. All are checked before the first is written: Invalid,
    with the problems by file and place, imports none. One that is there already is replaced. `rules` limit all of them
    beside `limits`.
    """
    columns = (limits or Limits()).columns()
    columns |= {name: value for name, value in limited(columns, rules).items() if name in LIMITING}
    documents = _documents(files)
    ids = [document["conversation_metadata"]["conversation_id"] for _, document in documents]
    before = _rows_of(ids)
    changed = _limited_anew(before.values(), columns)
    batch = batch_id or uuid7()
    today = timezone.now().date()
    # The audit comes first: what it says and what then was not done is better than the reverse.
    reason = f"Imported again in the batch {batch}: {columns['usage_reason'] or 'without a reason'}"
    audit.append([limits_changed(row, columns, reason, actor) for row in changed])
    read = zip(ids, documents, strict=True)
    rows = ((row_of(document, name, today, before.get(key)) | columns, document) for key, (name, document) in read)
    # Asked again at the end, because somebody may limit a conversation while the files are written.
    _store(rows, batch, actor, before_commit=lambda: _limited_anew(_rows_of(ids).values(), columns))
    return batch, ids


def import_from_volume(
    paths: Sequence[str], *, actor: str, batch_id: str = "", limits: Limits | None = None
) -> tuple[str, list[str]]:
    """Import the files of these volume paths, as `import_conversations` does, under the tags of their volumes.

    NotFound for one that is not there.
    """

    def read(path: str) -> bytes:
        found, name = open_path(path)
        with found.open(name) as file:
            return file.read()

    files = [(path.rpartition("/")[2], read(path)) for path in paths]
    volumes = dict.fromkeys(split_path(path)[0] for path in paths)
    rules = [limit for name in volumes for limit in source_uses.uses_of_volume(name).limits]
    return import_conversations(files, actor=actor, batch_id=batch_id, limits=limits, rules=rules)


def conversations_from(
    training_sheet: TrainingSheet, *, actor: str, scaffolding: Mapping[str, str] | None = None
) -> tuple[str, Ledger]:
    """Make a conversation of each approved pair that may be trained on; return the batch and the counts.

    `scaffolding` takes the place of the sheet's own; a key without its name has the key in words as its name. Made again, they
    are replaced. Conflict for a training sheet that is not approved, or where no pair may leave.
    """
    settle_alike(training_sheet)
    # The last decisions may have waited, and approve it.
    training_sheet.refresh_from_db(fields=["status"])
    if training_sheet.status not in (TrainingSheet.Status.APPROVED, TrainingSheet.Status.TRAINED):
        raise Conflict(
            f"The training sheet is {training_sheet.status}: review all its pairs first, so that it is approved."
        )
    batch, ledger = uuid7(), Ledger()
    named = _scaffolding_of(training_sheet, scaffolding or {})
    _store((_made(pair, training_sheet, named) for pair in _passed(training_sheet, ledger)), batch, actor)
    if not ledger.exported:
        reasons = "; ".join(f"{entry['count']}: {entry['reason']}" for entry in ledger.summary()["exclusions"])
        raise Conflict(f"No pair may be trained on: {reasons or 'the training sheet has no pairs'}.")
    return batch, ledger


def _documents(files: Iterable[tuple[str, bytes]]) -> list[tuple[str, Any]]:
    """Return the conversations with the name of their file; Invalid with all that is wrong."""
    found: list[tuple[str, Any]] = []
    faults: dict[str, list[str]] = {}
    for name, content in files:
        try:
            documents = conversations_in(read_json(content))
        except orjson.JSONDecodeError as error:
            faults[name] = [f"not valid JSON: {error}"]
            continue
        except ValueError as error:
            faults[name] = [str(error)]
            continue
        for at, document in enumerate(documents):
            place = f"{name or INLINE}[{at}]" if len(documents) > 1 or not name else name
            if problems := problems_of(document):
                faults[place] = problems
            found.append((name if len(documents) == 1 else "", document))
    if not found and not faults:
        faults[""] = ["There is no conversation in it."]
    if not faults:
        ids = [document["conversation_metadata"]["conversation_id"] for _, document in found]
        if twice := sorted(each for each, count in Counter(ids).items() if count > 1):
            faults["conversation_id"] = [f"Given more than once: {listed(twice)}. Give each conversation once."]
    if faults:
        raise Invalid.of_fields("Nothing was imported.", faults)
    return found


def _rows_of(ids: Sequence[str]) -> dict[str, Conversation]:
    return {row.pk: row for row in Conversation.objects.filter(pk__among=list(ids))}


def _limited_anew(rows: Collection[Conversation], columns: Mapping[str, Any]) -> list[Conversation]:
    """Return the conversations whose limits an import changes; Invalid where it would loosen those of one."""
    faults = {row.pk: [fault] for row in rows if (fault := _loosened(row, columns))}
    if faults:
        raise Invalid.of_fields("Nothing was imported.", faults)
    return [row for row in rows if any(getattr(row, name) != columns[name] for name in LIMITING)]


def _loosened(row: Conversation, columns: Mapping[str, Any]) -> str:
    if row.qa_pair_id:
        return "It was made from a pair: make it again from its training sheet."
    if loosened := sorted(set(row.prohibited_uses) - set(columns["prohibited_uses"])):
        return f"It is prohibited for {listed(loosened)}: prohibit that again, an import cannot allow it."
    if highest([row.data_classification, columns["data_classification"]]) != columns["data_classification"]:
        return f"It is {row.data_classification}: classify it so again, an import cannot lower it."
    return ""


def _store(rows: Iterable[Stored], batch: str, actor: str, before_commit: Callable[[], object] = lambda: None) -> None:
    """Write all files, under new names, then all rows in one commit: all count or none.

    The files that no row names afterwards, new or old, are swept an hour later.
    """
    sweep_conversations()
    key, made, chunks = uuid7(), list[Conversation](), iter(rows)
    with storing() as volume:
        while chunk := list(islice(chunks, CHUNK)):
            stored = [
                (Conversation(**columns, batch_id=batch, created_by=actor), document) for columns, document in chunk
            ]
            _write_files(stored, key, volume)
            made += (row for row, _ in stored)
            if len(made) % HOLD_EVERY == 0:
                hold(key)
    replaced = Conversation.objects.filter(pk__among=[row.pk for row in made], enriched_file_path__isnull=False)
    note({str(path): row for path, row in replaced.values_list("enriched_file_path", "pk")})
    if hold(key) != sum(row.enriched_file_path is not None for row in made):
        raise Conflict("Nothing was imported: it stood still for an hour, and files of it were swept. Import again.")
    before_commit()
    Conversation.objects.bulk_create(made, update_conflicts=True, update_fields=OVERWRITTEN, unique_fields=["id"])


def _write_files(stored: Sequence[tuple[Conversation, Mapping[str, Any]]], key: str, volume: Volume) -> None:
    """Write the files of the completed ones; they are known before the first is there."""
    completed = [each for each in stored if each[0].enrichment_status == Conversation.Enrichment.COMPLETED]
    names = {row.pk: f"conversation.{row.pk}.{key}.json" for row, _ in completed}
    note({path_of(name): pk for pk, name in names.items()}, written_by=key)
    for row, document in completed:
        content = orjson.dumps(document, option=orjson.OPT_INDENT_2)
        row.file_sha256 = hashlib.sha256(content).hexdigest()
        row.enriched_file_path = path_of(names[row.pk])
        with draft() as file:
            file.write(content)
            send(volume, names[row.pk], file)


def _passed(training_sheet: TrainingSheet, ledger: Ledger) -> Iterator[QAPair]:
    """Yield the pairs that pass both gates, in the order of their items, and count the others."""
    tags, items = source_uses.limits_of(training_sheet.sheet), limits_of_items(training_sheet.sheet)
    for pair in QAPair.objects.of(training_sheet.pk).select_related("canonical_label").iterator(chunk_size=500):
        decision = gate([*tags, *items.get(pair.item_ref, ())], label=pair.canonical_label, pair=pair)
        reason = bucket(pair.status, decision, "training", answer="looked at next") or flaw_of(pair.messages)
        ledger.add(reason)
        if reason is None:
            yield pair


def _scaffolding_of(training_sheet: TrainingSheet, given: Mapping[str, str]) -> dict[str, str]:
    """Return what stands in the place of a persona, an arc and a topic: as given, else the sheet, none, and the task.

    The sheet's own name does not stand beside a key that is given.
    """
    task = training_sheet.template.label_type
    own = {
        "persona_key": slugify(training_sheet.sheet.name)[:128].replace("-", "_") or "sheet",
        "persona_name": training_sheet.sheet.name,
        "emotional_arc_key": "none",
        "emotional_arc": "None",
        "training_topic_key": task,
        "training_topic": task.replace("_", " "),
    }
    return {name: value for name, value in own.items() if key_of(name) not in given} | dict(given)


def _made(pair: QAPair, training_sheet: TrainingSheet, scaffolding: Mapping[str, str]) -> Stored:
    """Return the columns and the document of the conversation with one pair; few-shot examples are its history."""
    system = pair.messages[0]["content"] if pair.messages[0]["role"] == "system" else ""
    turns = pair.messages[1:] if pair.messages[0]["role"] == "system" else pair.messages
    key = uuid5_of("conversation", pair.pk)
    # Of pairs it is 0 to 1, of conversations 0 to 10.
    score = None if pair.quality_score is None else round(10 * pair.quality_score, 2)
    made = {
        "id": f"{key}_turn1",
        "conversation_id": key,
        "turn_number": 1,
        "system_prompt": system,
        "conversation_history": list(turns[:-2]),
        "current_user_input": turns[-2]["content"],
        "emotional_context": {},
        "target_response": turns[-1]["content"],
        "training_metadata": {
            "human_reviewed": bool(pair.reviewed_by),
            "quality_score": score,
            "reviewed_by": pair.reviewed_by,
            "qa_pair_id": pair.pk,
        },
    }
    metadata = {"conversation_id": key, "source_file": f"{training_sheet.name} {pair.item_ref}"[:255]}
    # Approved, or taken from where answers are trusted, so it is fit for production where nobody measured more.
    tier = {} if score is not None else {"quality_tier": "production"}
    document = {"conversation_metadata": metadata | tier | {"scaffolding": scaffolding}, "training_pairs": [made]}
    if problems := problems_of(document):
        raise Conflict(f"The pair {pair.item_ref!r} makes no conversation: {problems[0]}.")
    origin = {
        "training_sheet_id": training_sheet.pk,
        "qa_pair_id": pair.pk,
        "answer_sha256": answer_sha256(pair.messages),
    }
    limits = {name: getattr(pair, name) for name in LIMITING}
    return row_of(document, "", pair.created_at.date()) | limits | origin, document
