"""What the workbench finds and needs inside Databricks Apps."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from django.core.exceptions import ImproperlyConfigured

Environment = Mapping[str, str]

# An app's disk is empty at every start, so nothing may be made there that should be found again.
REQUIRED = {
    "WORKBENCH_PUBLIC_URL": "the app's address, https://NAME-ID.REGION.databricksapps.com",
    "WORKBENCH_SECRET_KEY": "a random text of 50 characters or more, from a secret resource",
    "WORKBENCH_LAKEHOUSE_URL": "databricks://HOST/sql/1.0/warehouses/ID?catalog=C&schema=S",
}


def inside(environ: Environment) -> bool:
    """Return whether Databricks Apps started this process: it gives every app a name and a port."""
    return bool(environ.get("DATABRICKS_APP_NAME") and environ.get("DATABRICKS_APP_PORT"))


def require(environ: Environment) -> None:
    """Raise ImproperlyConfigured, which names every setting that an app must have and this one has not."""
    missing = [f"{name} ({what})" for name, what in REQUIRED.items() if not environ.get(name, "").strip()]
    if not (environ.get("WORKBENCH_DATABASE_URL", "").strip() or environ.get("PGHOST")):
        missing.append("a Lakebase database resource, or WORKBENCH_DATABASE_URL")
    if missing:
        raise ImproperlyConfigured(
            f"In Databricks Apps the disk is lost at every start, so set in app.yaml: {'; '.join(missing)}."
        )


def database_url(environ: Environment) -> str:
    """Return the app's Lakebase database as a URL, from the PG* variables of its resource; "" without a resource."""
    if not environ.get("PGHOST"):
        return ""
    missing = [name for name in ("PGUSER", "PGDATABASE", "LAKEBASE_ENDPOINT") if not environ.get(name)]
    if missing:
        raise ImproperlyConfigured(
            f"PGHOST is set without {', '.join(missing)}: Databricks Apps sets PGUSER and PGDATABASE, and LAKEBASE_ENDPOINT is "
            "projects/P/branches/B/endpoints/E in app.yaml; or set WORKBENCH_DATABASE_URL."
        )
    options = {"endpoint": environ["LAKEBASE_ENDPOINT"]}
    if mode := environ.get("PGSSLMODE"):
        options["sslmode"] = mode
    user, name = (quote(environ[variable], safe="") for variable in ("PGUSER", "PGDATABASE"))
    return f"lakebase://{user}@{environ['PGHOST']}:{environ.get('PGPORT') or 5432}/{name}?{urlencode(options)}"
