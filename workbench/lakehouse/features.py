"""Databricks SQL on Delta tables, described as Django's questions. Above each False stands its reason."""

from __future__ import annotations

from django.db.backends.base.features import BaseDatabaseFeatures


class DatabaseFeatures(BaseDatabaseFeatures):
    minimum_database_version = (1,)

    # A statement is one Delta commit to one table; there is no transaction over several and no savepoint.
    supports_transactions = False
    uses_savepoints = False
    can_release_savepoints = False
    can_rollback_ddl = False
    atomic_transactions = False
    supports_atomic_references_rename = False

    # Delta has no row locks; guard with a version column and check the row count.
    has_select_for_update = False
    has_select_for_update_nowait = False
    has_select_for_update_skip_locked = False
    has_select_for_update_of = False

    # Keys are made in Python, so an insert can report them although Delta returns nothing.
    can_return_columns_from_insert = True
    can_return_rows_from_bulk_insert = True
    has_bulk_insert = True
    # `MERGE` inserts, ignores or updates by key.
    supports_ignore_conflicts = True
    supports_update_conflicts = True
    supports_update_conflicts_with_target = True
    # Defaults of the database are computed by a query before the insert.
    supports_default_keyword_in_insert = False
    supports_default_keyword_in_bulk_insert = False
    # Delta knows expression defaults only with a table feature that delta-rs refuses to write.
    supports_expression_defaults = False
    requires_literal_defaults = True
    schema_editor_uses_clientside_param_binding = True

    # Foreign keys are recorded for readers and tools; nothing enforces them.
    supports_foreign_keys = False
    can_create_inline_fk = False
    can_introspect_foreign_keys = True
    indexes_foreign_keys = False
    # There are no indexes: file statistics and clustering take their place.
    supports_partial_indexes = False
    supports_expression_indexes = False
    supports_covering_indexes = False
    supports_index_column_ordering = False
    supports_index_on_text_field = False
    can_rename_index = False
    allows_multiple_constraints_on_same_fields = False
    # The guarded insert treats NULLs as distinct, and nothing is deferred to the end of a transaction.
    supports_deferrable_unique_constraints = False
    supports_nulls_distinct_unique_constraints = False
    # A CHECK is added by ALTER TABLE, never inside a column's definition.
    supports_column_check_constraints = False
    supports_table_check_constraints = True
    can_introspect_check_constraints = True

    # The delta log does not say which integer key comes next; keys follow the largest one present.
    supports_sequence_reset = False
    allows_auto_pk_0 = True

    can_distinct_on_fields = False
    supports_order_by_nulls_modifier = True
    nulls_order_largest = False
    # Databricks' analyzer refuses subqueries as grouping expressions.
    supports_subqueries_in_group_by = False
    # `^` is bitwise in Databricks SQL.
    supports_logical_xor = False
    supports_tuple_lookups = False
    # RE2, which the local engine uses, has no back-references.
    supports_regex_backreferencing = False
    supports_over_clause = True
    supports_frame_range_fixed_distance = True
    supports_frame_exclusion = False
    supports_aggregate_filter_clause = True
    supports_slicing_ordering_in_compound = True
    supports_parentheses_in_compound = True
    supports_boolean_expr_in_select_clause = True
    supports_comparing_boolean_expr = True
    greatest_least_ignores_nulls = True
    requires_casted_case_in_updates = True
    # Statements with subqueries become MERGE on the key.
    update_can_self_select = True
    delete_can_self_reference_subquery = True

    supports_temporal_subtraction = True
    has_native_duration_field = False
    has_native_uuid_field = True
    # JSON is canonical text, which every Delta reader opens; VARIANT would lock most of them out.
    has_native_json_field = False
    has_json_operators = False
    supports_json_field_contains = False
    has_json_object_function = False
    supports_primitives_in_json_field = True
    supports_timezones = True
    supports_microsecond_precision = True
    # Collations are a table feature that few readers know.
    supports_collation_on_charfield = False
    supports_collation_on_textfield = False
    supports_unlimited_charfield = True
    supports_comments = True
    supports_comments_inline = True
    supports_stored_generated_columns = False
    supports_virtual_generated_columns = False
    # Unity Catalog lowercases names.
    ignores_table_name_case = True
    can_clone_databases = True
    supports_paramstyle_pyformat = True
    has_case_insensitive_like = False
    # Reading goes on from the snapshot that was opened, whatever is written meanwhile.
    can_use_chunked_reads = True
    test_now_utc_template = "CURRENT_TIMESTAMP()"

    # Django's own tests that ask for what Delta tables cannot be, each under its reason.
    django_test_skips = {
        "atomic() is no transaction here, so an error inside does not break the block.": {
            "basic.tests.SelectOnSaveTests.test_select_on_save_lying_update",
        },
        "An alias is not quoted by Django, and a bare name has no dollar sign in Databricks SQL.": {
            "annotations.tests.AliasTests.test_alias_filtered_relation_sql_injection_dollar_sign",
        },
        "Keys and defaults are known before the insert, so the statement has no RETURNING.": {
            "queries.test_db_returning.ReturningValuesTests.test_insert_returning",
            "queries.test_db_returning.ReturningValuesTests.test_insert_returning_multiple",
        },
    }
