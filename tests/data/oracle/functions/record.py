# SPDX-License-Identifier: Apache-2.0
"""Records what Apache Spark answers to the expressions in *.txt, into *.tsv beside them.

Usage: python record.py [sc://host:port] [family ...]

A line of a .tsv: expression, type, value cast to string; or "!" and the error condition. The session's zone is UTC, ANSI mode is on.
"""

import pathlib
import sys

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession


def escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def answer(spark: SparkSession, expression: str) -> str:
    try:
        kind, value = spark.sql(
            f"SELECT typeof(x), CAST(x AS STRING) FROM (SELECT {expression} AS x)"
        ).collect()[0]
    except PySparkException as error:
        return f"{escape(expression)}\t!{error.getCondition()}"
    return f"{escape(expression)}\t{kind}\t{'NULL' if value is None else escape(value)}"


def main() -> None:
    arguments = sys.argv[1:]
    url = (
        arguments.pop(0)
        if arguments and arguments[0].startswith("sc://")
        else "sc://localhost:15002"
    )
    spark = SparkSession.builder.remote(url).getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    for path in sorted(pathlib.Path(__file__).parent.glob("*.txt")):
        if arguments and path.stem not in arguments:
            continue
        lines = [
            line
            for line in path.read_text(encoding="utf-8").splitlines()
            if line and not line.startswith("#")
        ]
        rows = [answer(spark, line) for line in lines]
        path.with_suffix(".tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
