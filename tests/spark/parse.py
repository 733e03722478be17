"""Parses statements with Apache Spark's parser; runs in an environment that holds pyspark and nothing of ours.

Reads a JSON list of statements from standard input. Writes `messages`, one of Spark's for each statement or null where it
accepts it, and `functions`, the names of all functions that Spark has. No statement is executed, no table looked up.
"""

from __future__ import annotations

import json
import sys

from pyspark.errors import ParseException
from pyspark.sql import SparkSession


def main() -> None:
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.log.level", "OFF").getOrCreate()
    parser = spark._jsparkSession.sessionState().sqlParser()

    def message(statement: str) -> str | None:
        try:
            parser.parsePlan(statement)
        except ParseException as error:
            return str(error).strip()
        return None

    messages = [message(statement) for statement in json.load(sys.stdin)]
    functions = [row[0] for row in spark.sql("SHOW SYSTEM FUNCTIONS").collect()]
    json.dump({"messages": messages, "functions": functions}, sys.stdout)


main()
