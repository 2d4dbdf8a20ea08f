# SPDX-License-Identifier: Apache-2.0
"""min, max and count that are read from Parquet's footers: the same as from the rows, or not read there at all."""

import datetime
import decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

NONE = [None, None, None, None]
COLUMNS = {
    "int8": pa.array([3, -128, None, 127], pa.int8()),
    "int16": pa.array([3, -32768, None, 32767], pa.int16()),
    "int32": pa.array([3, -(2**31), None, 2**31 - 1], pa.int32()),
    "int64": pa.array([3, -(2**63), None, 2**63 - 1], pa.int64()),
    "uint32": pa.array([3, 0, None, 2**32 - 1], pa.uint32()),
    "date": pa.array([datetime.date(1582, 10, 4), None, datetime.date(9999, 12, 31), datetime.date(1, 1, 1)]),
    "time_us": pa.array([-1, 5, None, 10**15], pa.timestamp("us", "UTC")),
    "local_us": pa.array([-1, 5, None, 10**15], pa.timestamp("us")),
    "time_ms": pa.array([-1, 5, None, 10**12], pa.timestamp("ms", "UTC")),
    "small": pa.array([decimal.Decimal("-1.23"), None, decimal.Decimal("99.99")] + NONE[:1], pa.decimal128(4, 2)),
    "wide": pa.array([decimal.Decimal("-1.23"), None, decimal.Decimal("1e20")] + NONE[:1], pa.decimal128(30, 2)),
    "nothing": pa.array(NONE, pa.int32()),
    "real": pa.array([1.5, float("nan"), None, -0.0]),
    "text": pa.array(["b" * 300, "", None, "é" * 100]),
    "truth": pa.array([True, False, None, True]),
}  # fmt: skip
READ_THERE = ["int8", "int16", "int32", "int64", "small", "date", "time_us", "local_us", "nothing"]
QUERY = "select min({0}) as a, max({0}) as b, count({0}) as c, count(*) as d from parquet.`{1}`"


def both(spark, text):
    """The rows, which must be those without the optimizer, and whether a file is scanned for them."""
    rows = [tuple(r) for r in spark.sql(text).collect()]
    names = spark.sql(text).schema
    spark.conf.set("nbaspark.debug.optimizer", "false")
    try:
        assert repr(rows) == repr([tuple(r) for r in spark.sql(text).collect()])
        assert names == spark.sql(text).schema
    finally:
        spark.conf.unset("nbaspark.debug.optimizer")
    return rows[0], "FileScan" in spark.sql("explain " + text).collect()[0][0]


@pytest.fixture(scope="module")
def spark(session):
    own = session.newSession()
    own.conf.set("spark.sql.session.timeZone", "UTC")
    return own


@pytest.mark.parametrize("as_integer", [True, False])
@pytest.mark.parametrize("column", COLUMNS)
def test_types(spark, tmp_path, column, as_integer):
    path = str(tmp_path / "t.parquet")
    table = pa.table({"c": COLUMNS[column]})
    pq.write_table(table, path, row_group_size=2, store_decimal_as_integer=as_integer)
    row, scanned = both(spark, QUERY.format("c", path))
    assert row[3] == 4
    assert scanned == (column not in READ_THERE)


def test_several_files_and_none(spark, tmp_path):
    for i, rows in enumerate(([5, 7], [], [None], [-3])):
        pq.write_table(pa.table({"c": pa.array(rows, pa.int64())}), tmp_path / f"{i}.parquet")
    assert both(spark, QUERY.format("c", tmp_path)) == ((-3, 7, 3, 4), False)
    pq.write_table(pa.table({"c": pa.array([], pa.int64())}), tmp_path / "none")
    assert both(spark, QUERY.format("c", tmp_path / "none")) == ((None, None, 0, 0), False)


def test_missing_statistics(spark, tmp_path):
    pq.write_table(pa.table({"c": [1, 2]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"c": [9, 0]}), tmp_path / "b.parquet", write_statistics=False)
    assert both(spark, QUERY.format("c", tmp_path)) == ((0, 9, 4, 4), True)


def test_partition_columns_and_other_schemas(spark, tmp_path):
    spark.range(10).selectExpr("id", "id % 3 as p").write.partitionBy("p").parquet(
        str(tmp_path / "p")
    )
    assert both(spark, QUERY.format("p", tmp_path / "p")) == ((0, 2, 10, 10), True)
    assert both(spark, QUERY.format("id", tmp_path / "p")) == ((0, 9, 10, 10), False)
    pq.write_table(pa.table({"d": [1]}), tmp_path / "other.parquet")
    pq.write_table(pa.table({"c": [4, 5]}), tmp_path / "c.parquet")
    frame = spark.read.schema("c bigint, d bigint").parquet(
        str(tmp_path / "c.parquet"), str(tmp_path / "other.parquet")
    )
    frame.createOrReplaceTempView("two")
    assert both(spark, "select min(c), max(c), count(c), count(*), min(d) from two") == (
        (4, 5, 2, 3, 1),
        True,
    )


def test_written_by_the_engine(spark, tmp_path):
    spark.range(1000).selectExpr(
        "cast(id % 77 as int) as a",
        "date_add(date'2020-01-01', cast(id as int)) as d",
        "if(id % 5 = 0, null, cast(id as decimal(9, 2))) as m",
    ).write.parquet(str(tmp_path / "w"))
    text = f"select min(a), max(d), min(m), max(m), count(m), count(*) from parquet.`{tmp_path}/w`"
    assert both(spark, text)[1] is False
