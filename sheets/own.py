"""What the workbench keeps in the lakehouse for itself: its tables and volumes are no source, and no place to browse."""

from __future__ import annotations

from django.db import connections

from workbench.problems import Forbidden
from workbench.router import LAKEHOUSE


def own_schema() -> tuple[str, str]:
    """Return catalog and schema of the workbench's own tables, in lower case."""
    options = connections[LAKEHOUSE].settings_dict["OPTIONS"]
    return options["catalog"].lower(), options["schema"].lower()


def refuse_own(catalog: str, schema: str) -> None:
    """Raise Forbidden for that schema: as plain rows, what rights and gates keep back would be there for everybody."""
    if (catalog.lower(), schema.lower()) == own_schema():
        raise Forbidden(
            f"{catalog}.{schema} is the workbench's own schema, whose rows leave through its pages, API and exports only: "
            "choose a table or volume of another schema."
        )
