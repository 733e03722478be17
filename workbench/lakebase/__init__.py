"""A Django database backend for Lakebase: PostgreSQL whose password is a token that lives for an hour."""
