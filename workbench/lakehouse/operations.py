"""How Databricks SQL spells what Django asks for."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.utils import split_tzname_delta
from django.db.models import Expression
from django.utils import timezone
from django.utils.duration import duration_microseconds

from workbench.canonical import canonical_bytes
from workbench.lakehouse.literals import literal
from workbench.lakehouse.names import stored_name
from workbench.lakehouse.rows import Rows

Sql = tuple[str, tuple[Any, ...]]

EXTRACT = {
    "year": "EXTRACT(YEAR FROM {})",
    "iso_year": "EXTRACT(YEAROFWEEK FROM {})",
    "quarter": "QUARTER({})",
    "month": "MONTH({})",
    "week": "WEEKOFYEAR({})",
    "week_day": "DAYOFWEEK({})",
    "iso_week_day": "(WEEKDAY({}) + 1)",
    "day": "DAY({})",
    "hour": "HOUR({})",
    "minute": "MINUTE({})",
    "second": "SECOND({})",
}
# Times of day are text of fixed width, `HH:MM:SS.ffffff`, so that they sort and compare as they should.
TIME_PART = {"hour": (1, 2), "minute": (4, 2), "second": (7, 2)}
TIME_TRUNC = {"hour": (2, ":00:00.000000"), "minute": (5, ":00.000000"), "second": (8, ".000000")}

UPDATED_TOGETHER = 1_000
"""The rows, times the columns, that one statement of `bulk_update` changes."""

TRUNC = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")


class DatabaseOperations(BaseDatabaseOperations):
    compiler_module = "workbench.lakehouse.compiler"
    cast_char_field_without_max_length = "STRING"
    cast_data_types = {"AutoField": "BIGINT", "BigAutoField": "BIGINT", "SmallAutoField": "BIGINT"}
    explain_prefix = "EXPLAIN"

    def quote_name(self, name: str) -> str:
        if name.startswith("`") and name.endswith("`"):
            return name
        return "`" + stored_name(name).replace("`", "``") + "`"

    def bulk_batch_size(self, fields: Sequence[Any], objs: Sequence[Any]) -> int:
        """Return all of them for inserts, whose rows travel as one parameter and are one commit; fewer for `bulk_update`."""
        # It asks with the key twice. Its statement has a CASE for each column, which every row walks through.
        is_update = len(fields) > 2 and fields[0] is fields[1]
        return max(1, UPDATED_TOGETHER // (len(fields) - 2)) if is_update else len(objs)

    def adapt_json_value(self, value: Any, encoder: type | None) -> str:
        """Return canonical JSON, so that equal values are equal text in any reader."""
        return canonical_bytes(value).decode()

    # Dates and times

    def date_extract_sql(self, lookup_type: str, sql: str, params: Iterable[Any]) -> Sql:
        return EXTRACT[known(lookup_type, EXTRACT)].format(sql), tuple(params)

    def datetime_extract_sql(self, lookup_type: str, sql: str, params: Iterable[Any], tzname: str | None) -> Sql:
        return self.date_extract_sql(lookup_type, self._local(sql, tzname), params)

    def time_extract_sql(self, lookup_type: str, sql: str, params: Iterable[Any]) -> Sql:
        start, length = TIME_PART[known(lookup_type, TIME_PART)]
        return f"CAST(SUBSTRING({sql}, {start}, {length}) AS INT)", tuple(params)

    def date_trunc_sql(self, lookup_type: str, sql: str, params: Iterable[Any], tzname: str | None = None) -> Sql:
        unit = known(lookup_type, TRUNC).upper()
        return f"CAST(DATE_TRUNC('{unit}', {self._local(sql, tzname)}) AS DATE)", tuple(params)

    def datetime_trunc_sql(self, lookup_type: str, sql: str, params: Iterable[Any], tzname: str | None) -> Sql:
        return f"DATE_TRUNC('{known(lookup_type, TRUNC).upper()}', {self._local(sql, tzname)})", tuple(params)

    def time_trunc_sql(self, lookup_type: str, sql: str, params: Iterable[Any], tzname: str | None = None) -> Sql:
        length, rest = TIME_TRUNC[known(lookup_type, TIME_TRUNC)]
        return f"CONCAT(SUBSTRING({sql}, 1, {length}), '{rest}')", tuple(params)

    def datetime_cast_date_sql(self, sql: str, params: Iterable[Any], tzname: str | None) -> Sql:
        return f"CAST({self._local(sql, tzname)} AS DATE)", tuple(params)

    def datetime_cast_time_sql(self, sql: str, params: Iterable[Any], tzname: str | None) -> Sql:
        return f"DATE_FORMAT({self._local(sql, tzname)}, 'HH:mm:ss.SSSSSS')", tuple(params)

    def _local(self, sql: str, tzname: str | None) -> str:
        if not settings.USE_TZ or tzname is None:
            return sql
        # A zone may be a name, an offset such as -05:30, or both.
        name, sign, offset = split_tzname_delta(tzname)
        if name not in ("", "UTC"):
            sql = f"FROM_UTC_TIMESTAMP({sql}, '{timezone_for_sql(name)}')"
        if not offset:
            return sql
        ahead = datetime.time.fromisoformat(offset)
        return f"TIMESTAMPADD(MINUTE, {sign}{ahead.hour * 60 + ahead.minute}, {sql})"

    def date_interval_sql(self, interval: datetime.timedelta) -> str:
        return str(duration_microseconds(interval))

    def format_for_duration_arithmetic(self, sql: str) -> str:
        return sql

    def subtract_temporals(self, internal_type: str, lhs: Any, rhs: Any) -> Sql:
        (left, left_params), (right, right_params) = lhs, rhs
        if internal_type == "TimeField":
            left, right = (f"CAST(CONCAT('1970-01-01 ', {side}) AS TIMESTAMP)" for side in (left, right))
        if internal_type == "DateField":
            return f"(DATEDIFF({left}, {right}) * 86400000000)", (*left_params, *right_params)
        return f"TIMESTAMPDIFF(MICROSECOND, {right}, {left})", (*right_params, *left_params)

    def convert_durationfield_value(self, value: Any, expression: Any, connection: Any) -> datetime.timedelta | None:
        """Return the duration of so many microseconds, a fraction of one rounded, as `timedelta` does."""
        return None if value is None else datetime.timedelta(microseconds=round(value))

    def adapt_datetimefield_value(self, value: Any) -> Any:
        if isinstance(value, datetime.datetime) and timezone.is_aware(value) and not settings.USE_TZ:
            raise ValueError("The lakehouse takes no timezone-aware datetimes when USE_TZ is False.")
        return value

    def adapt_timefield_value(self, value: Any) -> Any:
        if isinstance(value, datetime.time) and timezone.is_aware(value):
            raise ValueError("The lakehouse takes no timezone-aware times.")
        return value

    def adapt_datefield_value(self, value: Any) -> Any:
        return value

    def adapt_decimalfield_value(
        self, value: Any, max_digits: int | None = None, decimal_places: int | None = None
    ) -> Any:
        return value

    # Lookups and expressions

    def lookup_cast(self, lookup_type: str, internal_type: str | None = None) -> str:
        text_lookup = lookup_type.removeprefix("i") in ("exact", "contains", "startswith", "endswith", "regex")
        if text_lookup and lookup_type != "exact" and internal_type not in TEXT_FIELDS:
            return "CAST(%s AS STRING)"
        return "%s"

    def regex_lookup(self, lookup_type: str) -> str:
        return f"%s {self.connection.operators[lookup_type]}"

    def combine_expression(self, connector: str, sub_expressions: list[str]) -> str:
        left_right = ", ".join(sub_expressions)
        match connector:
            case "^":
                return f"POWER({left_right})"
            case "#":
                return "({} ^ {})".format(*sub_expressions)
            case "<<":
                return f"SHIFTLEFT({left_right})"
            case ">>":
                return f"SHIFTRIGHT({left_right})"
        return super().combine_expression(connector, sub_expressions)

    def integer_field_range(self, internal_type: str) -> tuple[int, int]:
        # Automatic keys are 64 bits wide whatever the field's name says.
        return super().integer_field_range("BigAutoField" if internal_type.endswith("AutoField") else internal_type)

    # Statements

    def limit_offset_sql(self, low_mark: int, high_mark: int | None) -> str:
        limit, offset = self._get_limit_offset_params(low_mark, high_mark)
        return " ".join(
            part
            for part in (f"LIMIT {limit}" if limit is not None else "", f"OFFSET {offset}" if offset else "")
            if part
        )

    def no_limit_value(self) -> None:
        return None

    def sql_flush(
        self, style: Any, tables: Iterable[str], *, reset_sequences: bool = False, allow_cascade: bool = False
    ) -> list[str]:
        return [f"DELETE FROM {self.quote_name(table)}" for table in tables]

    def prepare_sql_script(self, sql: str) -> list[str]:
        return [statement for part in sql.split(";\n") if (statement := part.strip().rstrip(";"))]

    def fetch_returned_insert_rows(self, cursor: Any) -> list[tuple[Any, ...]]:
        raise NotImplementedError("Inserted values are known before the insert; the compiler returns them.")

    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        """Return the statement with its values in place, for logs; rows of an insert show as their number."""
        if not isinstance(params, list | tuple):
            return super().last_executed_query(cursor, sql, params)
        return sql % tuple(repr(value) if isinstance(value, Rows) else literal(value) for value in params)

    # Values read

    def get_db_converters(self, expression: Expression) -> list[Callable[..., Any]]:
        converters = super().get_db_converters(expression)
        converter = CONVERTERS.get(expression.output_field.get_internal_type())
        return [*converters, converter] if converter else converters


TEXT_FIELDS = frozenset(
    {
        "CharField",
        "TextField",
        "SlugField",
        "FileField",
        "FilePathField",
        "GenericIPAddressField",
        "UUIDField",
        "TimeField",
    }
)


def known(kind: str, kinds: Collection[str]) -> str:
    """Return the part of a date that a query names; it may come from a request, and stands in the statement."""
    if kind not in kinds:
        raise OperationalError(f"Found {kind!r} as the part of a date or time; allowed: {', '.join(kinds)}.")
    return kind


def timezone_for_sql(name: str) -> str:
    """Return a zone name that may stand in a statement; `make_aware` has checked it, but not for quotes."""
    if not all(char.isalnum() or char in "_+-/:" for char in name):
        raise ValueError(f"{name!r} is not a time zone: use a name such as Europe/Berlin or an offset such as +02:00.")
    return name


def _datetime(value: Any, expression: Any, connection: Any) -> Any:
    if not isinstance(value, datetime.datetime):
        return value
    if not settings.USE_TZ:
        return (
            value.replace(tzinfo=None) if value.tzinfo is None else value.astimezone(datetime.UTC).replace(tzinfo=None)
        )
    return value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else value.astimezone(datetime.UTC)


def _date(value: Any, expression: Any, connection: Any) -> Any:
    return value.date() if isinstance(value, datetime.datetime) else value


def _time(value: Any, expression: Any, connection: Any) -> Any:
    return datetime.time.fromisoformat(value) if isinstance(value, str) else value


def _uuid(value: Any, expression: Any, connection: Any) -> Any:
    return uuid.UUID(value) if isinstance(value, str) else value


def _decimal(value: Any, expression: Any, connection: Any) -> Any:
    if isinstance(value, float):
        # Averages come as doubles; 15 digits are all that a double carries.
        value = decimal.Context(prec=15).create_decimal_from_float(value)
    if value is None or isinstance(value, decimal.Decimal):
        return value
    return decimal.Decimal(value)


def _float(value: Any, expression: Any, connection: Any) -> Any:
    return float(value) if isinstance(value, decimal.Decimal | int) and not isinstance(value, bool) else value


def _integer(value: Any, expression: Any, connection: Any) -> Any:
    return int(value) if isinstance(value, float | decimal.Decimal) and value == int(value) else value


def _boolean(value: Any, expression: Any, connection: Any) -> Any:
    return bool(value) if value in (0, 1) else value


CONVERTERS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "DateTimeField": _datetime,
    "DateField": _date,
    "TimeField": _time,
    "UUIDField": _uuid,
    "DecimalField": _decimal,
    "FloatField": _float,
    "IntegerField": _integer,
    "BigIntegerField": _integer,
    "BooleanField": _boolean,
}
