"""Names as Delta takes them."""

from __future__ import annotations

import re

# Parquet's old readers choke on these, so Delta refuses them unless a table maps its columns, which few readers know.
REFUSED = re.compile(r"[ ,;{}()\n\t=]")


def stored_name(name: str) -> str:
    """Return the name of a column or table as it is stored: `Entry ID` becomes `Entry_ID`."""
    return REFUSED.sub("_", name)
