"""A Django database backend for Databricks SQL and Delta tables, in Django's own file names.

The compiler emits Databricks SQL; an engine (`engines/`) runs it: `local` on real Delta tables in a directory, or `databricks` on a SQL warehouse.
"""
