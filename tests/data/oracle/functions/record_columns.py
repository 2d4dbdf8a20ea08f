# SPDX-License-Identifier: Apache-2.0
"""Records what Apache Spark answers to the expressions in columns.list over the rows of a small table, into columns.json;
and to those in legacy.list, with ANSI mode off, into legacy.json.

Usage: python record_columns.py sc://host:port

Constants are folded, so that expressions of constants show one row at a time only; here whole vectors pass, with nulls among them. An entry:
expression, type, values cast to string (null where null), or the error condition alone. The session's zone is UTC.
"""

import json
import pathlib
import sys

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

TABLE = """
SELECT * FROM VALUES
  (1, 1Y, 1, 10L, 1.5D, float(0.5), 1.25BD, 'a', true, date'2024-01-31', timestamp'2024-01-31 10:11:12.5', array(1, 2, 3), map('a', 1)),
  (2, -5Y, -2, 20L, -2.5D, float(-1.5), -2.50BD, 'b', false, date'2023-02-28', timestamp'2023-02-28 00:00:00', array(4), map('b', 2)),
  (3, 0Y, 0, 0L, 0.0D, float(0), 0.00BD, '', true, date'1970-01-01', timestamp'1970-01-01 00:00:00', array(), map()),
  (4, null, null, null, null, null, null, null, null, null, null, null, null),
  (5, 127Y, 2147483647, 9223372036854775807L, 1e300D, float(1e30), 99999999.99BD, 'longer than twelve bytes', false,
   date'9999-12-31', timestamp'9999-12-31 23:59:59.999999', array(1, null, 3), map('x', null)),
  (6, -128Y, -2147483648, -9223372036854775807L, double('NaN'), float('NaN'), -99999999.99BD, 'ção', null,
   date'0001-01-01', timestamp'0001-01-01 00:00:00', array(null), map('a', 5, 'b', 6)),
  (7, 3Y, 3, 30L, double('-Infinity'), float('Infinity'), 3.33BD, '12', true, date'2024-02-29', timestamp'2024-02-29 12:00:00',
   array(3, 2, 1, 2), map('12', 12)),
  (8, null, 7, null, 2.5D, null, null, '3.5', null, null, timestamp'2024-12-31 23:00:00', null, map('z', 26))
AS t(id, b, i, l, d, f, dec, s, p, dt, ts, a, m)
"""


def answer(spark: SparkSession, expression: str) -> list:
    """One entry."""
    try:
        frame = spark.sql(f"SELECT id, {expression} AS x FROM t")
        kind = frame.schema["x"].dataType.simpleString()
        rows = frame.selectExpr("id", "CAST(x AS STRING) AS x").orderBy("id").collect()
    except PySparkException as error:
        return [expression, f"!{error.getCondition()}"]
    return [expression, kind, *[row.x for row in rows]]


def record(spark: SparkSession, name: str) -> None:
    """Rewrites one table of answers."""
    here = pathlib.Path(__file__).parent
    lines = (here / f"{name}.list").read_text(encoding="utf-8").splitlines()
    rows = [json.dumps(answer(spark, line), ensure_ascii=False) for line in lines if line]
    text = f'{{"table": {json.dumps(TABLE)},\n"rows": [\n' + ",\n".join(rows) + "\n]}\n"
    (here / f"{name}.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Records both modes."""
    spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.sql(TABLE).createOrReplaceTempView("t")
    record(spark, "columns")
    spark.conf.set("spark.sql.ansi.enabled", "false")
    record(spark, "legacy")


if __name__ == "__main__":
    main()
