from __future__ import annotations

import hashlib
from typing import Literal

Split = Literal["train", "validation"]


def split_of(item_key: str, validation_fraction: float) -> Split:
    """The side an item is on, by a hash of its key: it never changes side, whatever else is in the training sheet.

    `item_key` names the item, not the pair, so that every pair of an item is on one side. A larger fraction (0 to 1)
    moves items to validation and none back. Raises ValueError for a fraction outside.
    """
    if not 0 <= validation_fraction <= 1:
        raise ValueError(f"Found the validation fraction {validation_fraction}; allowed are 0 to 1, as in 0.1.")
    # A salt of its own, or a sample by hash would fall wholly on one side.
    digest = hashlib.sha256(f"split:{item_key}".encode()).digest()
    return "validation" if int.from_bytes(digest[:8]) < validation_fraction * 2**64 else "train"
