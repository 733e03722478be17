"""A Django database backend for Databricks SQL and Delta tables, in Django's own file names.

The compiler emits Databricks SQL; an engine (`engines/`) runs it: embedded on real Delta tables, or on a SQL warehouse.
"""
