"""The Training Dataset Workbench: settings, and what its apps share."""

from __future__ import annotations

import os
import sys

if sys.platform == "linux":
    # Arrow's own choice, made when it is imported, keeps what was freed: some 50 MB in a pass over millions of rows.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
