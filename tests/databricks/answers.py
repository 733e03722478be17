"""Statements as the loopback warehouse runs them: typed parameters in, Arrow batches and server errors out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import ttypes as t

from workbench.lakehouse.engines import local
from workbench.lakehouse.engines.local import Connection
from workbench.lakehouse.rows import ARROW_TYPES

OK = t.TStatus(statusCode=t.TStatusCode.SUCCESS_STATUS)
State, Id = t.TOperationState, t.TTypeId

VALUES: dict[str, Callable[[str], Any]] = {
    "STRING": str,
    "INT": int,
    "BIGINT": int,
    "DOUBLE": float,
    "BOOLEAN": lambda text: {"True": True, "False": False}[text],
    "DATE": dt.date.fromisoformat,
    "TIMESTAMP": dt.datetime.fromisoformat,
}
TYPES: tuple[tuple[Callable[[pa.DataType], bool], int], ...] = (
    (pa.types.is_boolean, Id.BOOLEAN_TYPE),
    (pa.types.is_int8, Id.TINYINT_TYPE),
    (pa.types.is_int16, Id.SMALLINT_TYPE),
    (pa.types.is_int32, Id.INT_TYPE),
    (pa.types.is_int64, Id.BIGINT_TYPE),
    (pa.types.is_float32, Id.FLOAT_TYPE),
    (pa.types.is_float64, Id.DOUBLE_TYPE),
    (pa.types.is_date, Id.DATE_TYPE),
    (pa.types.is_timestamp, Id.TIMESTAMP_TYPE),
    (pa.types.is_binary, Id.BINARY_TYPE),
    (pa.types.is_decimal, Id.DECIMAL_TYPE),
    (pa.types.is_null, Id.NULL_TYPE),
    (pa.types.is_list, Id.ARRAY_TYPE),
    (pa.types.is_map, Id.MAP_TYPE),
    (pa.types.is_struct, Id.STRUCT_TYPE),
)


class RefusedError(Exception):
    """The warehouse refuses the statement with this text."""


@dataclass
class Result:
    """A finished statement; `sent` rows of its table have gone to the client."""

    table: pa.Table
    modified: int | None
    sent: int = 0
    staging: bool = False

    def status(self) -> t.TGetOperationStatusResp:
        return in_state(State.FINISHED_STATE, self.modified)

    def metadata(self) -> t.TGetResultSetMetadataResp:
        return t.TGetResultSetMetadataResp(
            status=OK,
            schema=t.TTableSchema(columns=[_column(place, f) for place, f in enumerate(self.table.schema)]),
            resultFormat=t.TSparkRowSetType.ARROW_BASED_SET,
            arrowSchema=self.table.schema.serialize().to_pybytes(),
            lz4Compressed=False,
            isStagingOperation=self.staging,
        )

    def fetch(self, most: int) -> t.TFetchResultsResp:
        part = self.table.slice(self.sent, most)
        batches = [
            t.TSparkArrowBatch(batch=batch.serialize().to_pybytes(), rowCount=batch.num_rows)
            for batch in part.to_batches()
        ]
        start, self.sent = self.sent, self.sent + part.num_rows
        return t.TFetchResultsResp(
            status=OK,
            hasMoreRows=self.sent < self.table.num_rows,
            results=t.TRowSet(startRowOffset=start, rows=[], arrowBatches=batches),
            resultSetMetadata=self.metadata(),
        )

    def direct(self, most: int) -> t.TSparkDirectResults:
        """The whole answer in one, if it fits."""
        rows = self.fetch(most)
        return t.TSparkDirectResults(
            operationStatus=self.status(),
            resultSetMetadata=self.metadata(),
            resultSet=rows,
            closeOperation=None if rows.hasMoreRows else t.TCloseOperationResp(status=OK),
        )


def in_state(state: int, modified: int | None = None) -> t.TGetOperationStatusResp:
    return t.TGetOperationStatusResp(status=OK, operationState=state, hasResultSet=True, numModifiedRows=modified)


def run(connection: Connection, sql: str, given: Sequence[t.TSparkParameter]) -> Result:
    """Execute on the local engine; its errors, or `RefusedError` for parameters that a warehouse does not take."""
    size = sum(len(p.value.stringValue.encode()) for p in given if p.value)
    if len(given) > 255 or size > 1_000_000:
        raise RefusedError(f"[TOO_MANY_PARAMETERS] {len(given)} markers, {size} bytes SQLSTATE: 54000")
    with connection.cursor() as cursor:
        cursor.execute(sql, [_value(p) for p in given])
        if cursor.description is None:
            count = cursor.rowcount if cursor.rowcount >= 0 else None
            return Result(pa.table({"num_affected_rows": [count]} if count is not None else {}), count)
        try:
            batches = list(cursor.fetch_arrow_batches())
        except local.NotSupportedError:
            names = [name for name, *_ in cursor.description]
            return Result(pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in cursor.fetchall()]), None)
        table = pa.Table.from_batches(batches) if batches else _empty(cursor.description)
    return Result(_in_utc(table), None)


def _value(given: t.TSparkParameter) -> Any:
    if given.arguments:
        raise RefusedError(f"[LOOPBACK] A parameter of type {given.type} is not known here.")
    if given.type == "VOID":
        return None
    text = given.value.stringValue
    if found := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", given.type):
        digits, places = int(found[1]), int(found[2])
        value = Decimal(text)
        if not digits <= 38 or value != round(value, places):
            raise RefusedError(f"[CAST_INVALID_INPUT] {text} is no {given.type} SQLSTATE: 22018")
        return value
    if given.type not in VALUES:
        raise RefusedError(f"[LOOPBACK] A parameter of type {given.type} is not known here.")
    return VALUES[given.type](text)


def _empty(description: Any) -> pa.Table:
    kinds = [
        pa.decimal128(digits, places) if kind == "DECIMAL" else ARROW_TYPES.get(kind, pa.string())
        for _, kind, _, _, digits, places, _ in description
    ]
    names = [name for name, *_ in description]
    return pa.Table.from_arrays([pa.array([], kind) for kind in kinds], names=names)


def _in_utc(table: pa.Table) -> pa.Table:
    """Instants labelled as a warehouse labels them."""
    kinds = [
        pa.timestamp("us", "Etc/UTC") if pa.types.is_timestamp(f.type) and f.type.tz else f.type for f in table.schema
    ]
    columns = [column.cast(kind) for column, kind in zip(table.columns, kinds, strict=True)]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _column(place: int, column: pa.Field) -> t.TColumnDesc:
    kind = next((code for fits, code in TYPES if fits(column.type)), Id.STRING_TYPE)
    entry = t.TPrimitiveTypeEntry(type=kind)
    if kind == Id.DECIMAL_TYPE:
        digits = {"precision": column.type.precision, "scale": column.type.scale}
        entry.typeQualifiers = t.TTypeQualifiers({k: t.TTypeQualifierValue(i32Value=v) for k, v in digits.items()})
    described = t.TTypeDesc(types=[t.TTypeEntry(primitiveEntry=entry)])
    return t.TColumnDesc(columnName=column.name, typeDesc=described, position=place + 1)


def failed(error: Exception) -> t.TGetOperationStatusResp:
    """The operation's end in an error, with the class and state that a warehouse would give."""
    text = server_text(error)
    return t.TGetOperationStatusResp(
        status=OK, operationState=State.ERROR_STATE, errorMessage=text, displayMessage=text, diagnosticInfo=text
    )


TEXTS: tuple[tuple[type[Exception], str, str], ...] = (
    (local.IntegrityError, "NOT_NULL", "[DELTA_NOT_NULL_CONSTRAINT_VIOLATED] {} SQLSTATE: 23502"),
    (local.IntegrityError, "duplicate", "[USER_RAISED_EXCEPTION] {} SQLSTATE: P0001"),
    (local.IntegrityError, "", "[DELTA_VIOLATE_CONSTRAINT_WITH_VALUES] {} SQLSTATE: 23001"),
    (local.ProgrammingError, "TABLE_OR_VIEW_NOT_FOUND", "{} SQLSTATE: 42P01"),
    (local.ProgrammingError, "[", "{} SQLSTATE: 42601"),
    (local.ProgrammingError, "", "[UNRESOLVED_COLUMN.WITHOUT_SUGGESTION] {} SQLSTATE: 42703"),
    (local.DataError, "", "[CAST_INVALID_INPUT] {} SQLSTATE: 22018"),
    (local.NotSupportedError, "", "[UNSUPPORTED_FEATURE.LOOPBACK] {} SQLSTATE: 0A000"),
    (local.OperationalError, "committed first", "[DELTA_CONCURRENT_WRITE] {} SQLSTATE: 2D521"),
    (local.OperationalError, "", "[IO] {} SQLSTATE: 58030"),
)


def server_text(error: Exception) -> str:
    if isinstance(error, RefusedError):
        return str(error)
    for kind, words, text in TEXTS:
        if isinstance(error, kind) and words in str(error):
            return text.format(error)
    return f"[INTERNAL_ERROR] {error} SQLSTATE: XX000"
