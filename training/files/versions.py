"""What a training file held in the versions that were replaced, so that a recall finds what was downloaded then."""

from __future__ import annotations

from collections.abc import Sequence

from training.files.building import Member
from training.models import TrainingFile, TrainingFileVersion
from workbench.lakehouse.ids import uuid5_of

# Conversations of a row: below what a statement on a warehouse may carry.
PIECE = 5_000


def keep_version(row: TrainingFile, members: Sequence[Member]) -> None:
    """Write down what the file holds, before it is changed or deleted; the same version again adds nothing."""
    pieces = [members[start : start + PIECE] for start in range(0, len(members), PIECE)]
    TrainingFileVersion.objects.bulk_create(
        [_piece(row, number, piece) for number, piece in enumerate(pieces)], ignore_conflicts=True
    )


def _piece(row: TrainingFile, number: int, members: Sequence[Member]) -> TrainingFileVersion:
    return TrainingFileVersion(
        id=uuid5_of("training_file_version", row.build, str(number)),
        training_file_id=row.pk,
        build=row.build,
        number=number,
        name=row.name,
        version=row.version,
        json_sha256=row.json_sha256,
        jsonl_sha256=row.jsonl_sha256,
        conversation_ids=[member.row["id"] for member in members],
        pair_ids=[member.row["qa_pair_id"] for member in members],
        updated_by=row.updated_by,
        updated_at=row.updated_at,
    )
