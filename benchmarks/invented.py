"""Invented pairs and labels: the same ones for the same numbers, about 600 bytes of messages each, half labeled."""

from __future__ import annotations

import duckdb
import pyarrow as pa

LABEL_EVERY = 10
PROHIBITED_EVERY = 50
SYSTEM = "You inspect printed circuit boards. Answer with one JSON object with defect_type, severity and location."
PAIRS = """
SELECT
    CAST(CAST(md5(concat('pair', $sheet, '/', i)) AS UUID) AS VARCHAR) AS id,
    printf('%08x-0000-7000-8000-%012x', $sheet, i // $per_sheet) AS training_sheet_id,
    printf('item-%08d', i) AS item_ref,
    i % $per_sheet AS position,
    sha256(i::VARCHAR) AS item_hash,
    concat(
        '[{"content":"', $system, '","role":"system"},{"content":"Board 9001-', i, ' from line SMT-', i % 7,
        '.\\n\\nSensor readings of its run:\\n- Reflow peak temperature: ', 200 + hash(i) % 600 / 10.0,
        ' °C (nominal 245)\\n- Time above liquidus: ', hash(i + 1) % 900 / 10.0, ' s (nominal 62)\\n- Serial: ',
        sha256(concat('serial', i)), '\\n- Solder paste volume: ', hash(i + 2) % 1000 / 10.0,
        ' % of nominal\\n\\nWhich defect does the board show, how severe is it and where?","role":"user"},',
        '{"content":"{\\"defect_type\\":\\"', ['scratch', 'solder_bridge', 'cold_joint'][(1 + hash(i) % 3)::INT],
        '\\",\\"location\\":{\\"x\\":', hash(i + 3) % 1920, ',\\"y\\":', hash(i + 4) % 1080,
        '},\\"severity\\":\\"', ['low', 'high'][(1 + hash(i) % 2)::INT], '\\"}","role":"assistant"}]'
    ) AS messages,
    CASE WHEN i % $label_every = 0 THEN printf('%08x-0000-7000-9000-%012x', $sheet, i) END AS canonical_label_id,
    CASE WHEN i % $label_every = 0 THEN 1::INT END AS canonical_label_version,
    CASE WHEN i % 2 = 0 THEN 'labeled' ELSE 'unlabeled' END AS status,
    'ai_generated' AS labeling_mode,
    'offline' AS model,
    hash(i) % 100 / 100.0::DOUBLE AS ai_confidence,
    NULL::DOUBLE AS quality_score,
    []::VARCHAR[] AS misfits,
    []::VARCHAR[] AS based_on,
    0::INT AS files_shown,
    '' AS error,
    '' AS reviewed_by,
    NULL::TIMESTAMPTZ AS reviewed_at,
    '' AS review_notes,
    1::INT AS version,
    'internal' AS data_classification,
    ['training', 'validation', 'evaluation', 'few_shot', 'testing'] AS allowed_uses,
    CASE WHEN i % $prohibited_every = 2 THEN ['training'] ELSE []::VARCHAR[] END AS prohibited_uses,
    []::VARCHAR[] AS tag_prohibited_uses,
    CASE WHEN i % $prohibited_every = 2 THEN 'Client NDA' ELSE '' END AS usage_reason,
    TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_microseconds(i) AS created_at,
    TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_microseconds(i) AS updated_at
FROM range($first, $first + $rows) AS numbers(i)
"""
LABELS = """
SELECT
    canonical_label_id AS id,
    training_sheet_id AS sheet_id,
    item_ref,
    'classification' AS label_type,
    '{"defect_type":"scratch"}' AS label_data,
    'omar' AS labeled_by,
    created_at AS labeled_at,
    'omar' AS last_modified_by,
    created_at AS last_modified_at,
    created_at,
    CASE WHEN hash(item_ref) % 20 = 0 THEN ['training'] ELSE []::VARCHAR[] END AS prohibited_uses,
    CASE WHEN hash(item_ref) % 20 = 0 THEN 'Contains PHI - HIPAA' ELSE '' END AS usage_reason
FROM pairs WHERE canonical_label_id IS NOT NULL
"""


def pairs(rows: int, *, per_sheet: int, sheet: int = 0, first: int = 0) -> pa.Table:
    """Return pairs with every column in training sheets of `per_sheet`; `sheet` numbers the set, so that no id comes twice; `first` is where a later piece of a set begins."""
    values = {
        "rows": rows, "first": first, "per_sheet": per_sheet, "sheet": sheet, "system": SYSTEM,
        "label_every": LABEL_EVERY, "prohibited_every": PROHIBITED_EVERY,
    }  # fmt: skip
    return _arrow(duckdb.connect(), PAIRS, values)


def labels(pairs: pa.Table) -> pa.Table:
    """Return the canonical labels that the pairs link to; one in twenty prohibits training."""
    connection = duckdb.connect()
    connection.register("pairs", pairs)
    return _arrow(connection, LABELS, {})


def sheet_id(number: int, sheet: int = 0) -> str:
    """Return the id of the training sheet at `number` of a set."""
    return f"{sheet:08x}-0000-7000-8000-{number:012x}"


def _arrow(connection: duckdb.DuckDBPyConnection, sql: str, values: dict[str, object]) -> pa.Table:
    connection.execute("SET TimeZone = 'UTC'")
    return (connection.sql(sql, params=values) if values else connection.sql(sql)).to_arrow_table()
