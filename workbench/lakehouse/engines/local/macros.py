"""DuckDB macros for what Spark does otherwise. `typeof` folds to a constant, so a macro costs nothing at run time."""

from __future__ import annotations

_TZ = "'TIMESTAMP WITH TIME ZONE'"

_WHOLE = """{name}(x) AS CASE
    WHEN typeof(x) IN ('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'BOOLEAN', 'UTINYINT', 'USMALLINT',
        'UINTEGER', 'UBIGINT')
        THEN TRY_CAST(x AS HUGEINT)
    WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(trim(CAST(x AS VARCHAR)), '[+-]?[0-9]+') THEN {otherwise}
    WHEN typeof(x) IN ('FLOAT', 'DOUBLE') THEN {cast}(trunc(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE)) AS HUGEINT)
    WHEN typeof(x) LIKE 'DECIMAL%' THEN {cast}(regexp_replace(CAST(x AS VARCHAR), '\\.[0-9]*$', '') AS HUGEINT)
    ELSE {cast}(CAST(x AS VARCHAR) AS HUGEINT) END"""

MACROS = (
    # Spark cuts a fraction where DuckDB rounds, and refuses '1.7' as an integer where DuckDB rounds.
    _WHOLE.format(
        name="spark_whole",
        otherwise="error('[CAST_INVALID_INPUT] Found ' || CAST(x AS VARCHAR) || ', allowed: a whole number.')",
        cast="CAST",
    ),
    _WHOLE.format(name="spark_try_whole", otherwise="NULL", cast="TRY_CAST"),
    # Spark prints an instant without its zone (the session's is UTC).
    f"""spark_text(x) AS CASE WHEN typeof(x) = {_TZ} THEN regexp_replace(CAST(x AS VARCHAR), '\\+00$', '')
        ELSE CAST(x AS VARCHAR) END""",
    "spark_instant(x) AS CAST(x AS TIMESTAMPTZ)",
    # An instant's wall clock in a zone, and back, both as instants in the session's UTC.
    "spark_from_utc(x, zone) AS CAST(timezone(zone, CAST(x AS TIMESTAMPTZ)) AS TIMESTAMPTZ)",
    "spark_to_utc(x, zone) AS timezone(zone, CAST(CAST(x AS TIMESTAMPTZ) AS TIMESTAMP))",
    """spark_convert_zone(source, target, x) AS
        timezone(target, timezone(source, CAST(CAST(x AS TIMESTAMPTZ) AS TIMESTAMP)))""",
    "spark_json_text(x, path) AS CASE WHEN json_valid(x) THEN CAST(x AS JSON) ->> path END",
    "spark_element_at(x, i) AS CASE WHEN i = 0 THEN error('Out of Range Error: [INVALID_INDEX_OF_ZERO]') ELSE x[i] END",
    # Array membership with NULLs: Spark answers NULL, not false, where a NULL could have been the one.
    """spark_array_contains(x, y) AS CASE WHEN x IS NULL OR y IS NULL THEN NULL WHEN list_contains(x, y) THEN true
        WHEN list_count(x) < len(x) THEN NULL ELSE false END""",
    """spark_arrays_overlap(x, y) AS CASE WHEN x IS NULL OR y IS NULL THEN NULL WHEN list_has_any(x, y) THEN true
        WHEN len(x) > 0 AND len(y) > 0 AND (list_count(x) < len(x) OR list_count(y) < len(y)) THEN NULL
        ELSE false END""",
    """spark_array_except(x, y) AS CASE WHEN x IS NULL OR y IS NULL THEN NULL ELSE
        list_filter(x, LAMBDA e, i : NOT list_contains(y, e) AND list_position(x, e) = i) END""",
    """spark_locate(part, x, start) AS CASE WHEN start < 1 THEN 0 WHEN strpos(substring(x, start), part) = 0 THEN 0
        ELSE strpos(substring(x, start), part) + start - 1 END""",
    """spark_substring(x, start) AS CASE WHEN start > 0 THEN substring(x, start) WHEN start = 0 THEN x
        WHEN -start >= length(x) THEN x ELSE right(x, CAST(-start AS BIGINT)) END""",
    """spark_substring3(x, start, n) AS CASE WHEN n <= 0 THEN '' WHEN start > 0 THEN substring(x, start, n)
        WHEN start = 0 THEN left(x, n) WHEN -start > length(x)
            THEN left(x, greatest(CAST(0 AS BIGINT), n + start + length(x)))
        ELSE substring(x, length(x) + start + 1, n) END""",
    # DuckDB's // floors; Spark cuts towards zero.
    """spark_div(x, y) AS CASE WHEN (x < 0) <> (y < 0) AND x % y <> 0 THEN CAST(x // y AS BIGINT)
        ELSE CAST(x // y AS BIGINT) END""",
    "spark_divide(x, y) AS CASE WHEN y = 0 THEN error('[DIVIDE_BY_ZERO] Division by zero.') ELSE x / y END",
    "spark_left(x, n) AS CASE WHEN n <= 0 THEN '' ELSE left(x, CAST(n AS BIGINT)) END",
    "spark_right(x, n) AS CASE WHEN n <= 0 THEN '' ELSE right(x, CAST(n AS BIGINT)) END",
    """spark_initcap(x) AS array_to_string(
        list_transform(str_split(lower(x), ' '), LAMBDA w : upper(left(w, 1)) || substring(w, 2)), ' ')""",
    "spark_pmod(x, y) AS ((x % y) + y) % y",
    "spark_sha2(x) AS sha256(x)",
    """spark_date_trunc(part, x) AS CAST(date_trunc(part, CAST(x AS TIMESTAMPTZ)) AS TIMESTAMPTZ)""",
    # length, lpad and rpad as Spark: the empty pad keeps, length 0 or less is empty.
    "spark_lpad(x, n, pad) AS CASE WHEN n <= 0 THEN '' WHEN pad = '' THEN left(x, n) ELSE lpad(x, n, pad) END",
    "spark_rpad(x, n, pad) AS CASE WHEN n <= 0 THEN '' WHEN pad = '' THEN left(x, n) ELSE rpad(x, n, pad) END",
    "spark_chr(n) AS CASE WHEN n < 0 THEN '' ELSE chr(CAST(n % 256 AS INTEGER)) END",
    "spark_ascii(x) AS CASE WHEN x = '' THEN 0 ELSE unicode(x) END",
    "spark_unhex(x) AS CASE WHEN regexp_full_match(x, '[0-9A-Fa-f]*') THEN unhex(x) END",
    "spark_json(x) AS CASE WHEN json_valid(x) THEN CAST(x AS JSON) END",
    """spark_array_intersect(x, y) AS CASE WHEN x IS NULL OR y IS NULL THEN NULL ELSE
        list_filter(x, LAMBDA e, i : list_contains(y, e) AND list_position(x, e) = i) END""",
)
