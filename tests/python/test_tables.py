# SPDX-License-Identifier: Apache-2.0
"""Tables in the session's catalog: made, filled, replaced, shown and dropped, by SQL and by DataFrame writers."""

import pytest

from nbaspark.errors import AnalysisException


@pytest.fixture
def table(spark):
    """A name for a table, dropped at the end."""
    names = [f"tables_{i}" for i in range(3)]
    for name in names:
        spark.sql(f"drop table if exists {name}")
    yield names
    for name in names:
        spark.sql(f"drop table if exists {name}")


def rows(frame):
    return sorted((tuple(row) for row in frame.collect()), key=repr)


@pytest.mark.parametrize("provider", ["parquet", "csv"])
def test_create_insert_select(spark, table, provider):
    name = table[0]
    spark.sql(f"create table {name} (a int, b string) using {provider}")
    assert rows(spark.table(name)) == []
    spark.sql(f"insert into {name} values (1, 'x'), (2, 'y')")
    spark.sql(f"insert into {name} (b) values ('k')")
    spark.sql(f"insert into {name} by name select 'z' as b, 4L as a")
    assert rows(spark.table(name)) == [(1, "x"), (2, "y"), (4, "z"), (None, "k")]
    spark.sql(f"insert overwrite {name} select * from values (11, 'x'), (12, 'y')")
    assert rows(spark.sql(f"select {name}.a, b from spark_catalog.default.{name}")) == [
        (11, "x"),
        (12, "y"),
    ]
    assert [tuple(row) for row in spark.sql(f"show tables like '{name}'").collect()] == [
        ("default", name, False)
    ]
    assert rows(spark.sql(f"describe {name}")) == [("a", "int", None), ("b", "string", None)]
    spark.sql(f"truncate table {name}")
    assert spark.table(name).count() == 0


def test_create_table_as_select_partitioned(spark, table):
    name = table[0]
    spark.sql(
        f"create table {name} using parquet partitioned by (k) as "
        "select id % 2 as k, id, cast(null as string) as s from range(4)"
    )
    assert spark.table(name).columns == ["id", "s", "k"]
    assert rows(spark.table(name)) == [(0, None, 0), (1, None, 1), (2, None, 0), (3, None, 1)]
    spark.sql(f"insert into {name} values (9, 'nine', 7)")
    assert rows(spark.sql(f"select * from {name} where k = 7")) == [(9, "nine", 7)]
    assert (
        spark.sql(f"show create table {name}").first()[0]
        == f"CREATE TABLE spark_catalog.default.{name} (\n  id BIGINT,\n  s STRING COLLATE "
        "UTF8_BINARY,\n  k BIGINT)\nUSING parquet\nPARTITIONED BY (k)\n"
    )


def test_writers(spark, table):
    name = table[0]
    frame = spark.range(3).withColumnRenamed("id", "k")
    frame.write.saveAsTable(name)
    frame.write.mode("append").saveAsTable(name)
    frame.write.mode("ignore").saveAsTable(name)
    assert spark.table(name).count() == 6
    with pytest.raises(AnalysisException) as raised:
        frame.write.saveAsTable(name)
    assert raised.value.getCondition() == "TABLE_OR_VIEW_ALREADY_EXISTS"
    frame.selectExpr("k * 10").write.insertInto(name)
    assert spark.table(name).count() == 9
    frame.selectExpr("k + 100").write.insertInto(name, overwrite=True)
    assert rows(spark.table(name)) == [(100,), (101,), (102,)]
    frame.selectExpr("k as other", "'x' as text").write.mode("overwrite").format("csv").saveAsTable(
        name
    )
    assert rows(spark.table(name)) == [(0, "x"), (1, "x"), (2, "x")]


def test_catalog(spark, table):
    name = table[0]
    assert not spark.catalog.tableExists(name)
    spark.sql(f"create table {name} (a int) using parquet comment 'about it'")
    assert spark.catalog.tableExists(name)
    found = spark.catalog.getTable(name)
    assert (found.name, found.catalog, found.namespace, found.description) == (
        name,
        "spark_catalog",
        ["default"],
        "about it",
    )
    assert (found.tableType, found.isTemporary) == ("MANAGED", False)
    assert name in [t.name for t in spark.catalog.listTables()]
    assert [c.name for c in spark.catalog.listColumns(name)] == ["a"]
    spark.range(1).createOrReplaceTempView(name)  # comes before the table
    assert spark.table(name).columns == ["id"]
    assert spark.table(f"default.{name}").columns == ["a"]
    spark.catalog.dropTempView(name)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("insert into {t} values ('q')", "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST"),
        ("insert into {t} values (1, 2)", "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"),
        ("create table {t} (a int) using csv", "TABLE_OR_VIEW_ALREADY_EXISTS"),
        ("insert into tables_missing values (1)", "TABLE_OR_VIEW_NOT_FOUND"),
        ("drop table tables_missing", "TABLE_OR_VIEW_NOT_FOUND"),
        ("create table no_such_db.t (a int) using csv", "SCHEMA_NOT_FOUND"),
    ],
)
def test_refused(spark, table, text, condition):
    spark.sql(f"create table {table[0]} (a int) using parquet")
    with pytest.raises(AnalysisException) as raised:
        spark.sql(text.format(t=table[0]))
    assert raised.value.getCondition() == condition


@pytest.mark.embedded
def test_failed_insert_leaves_rows(spark, table):
    name = table[0]
    spark.sql(f"create table {name} (a int) using parquet")
    spark.sql(f"insert into {name} values (1)")
    with pytest.raises(Exception, match="DIVIDE_BY_ZERO"):
        spark.sql(f"insert overwrite {name} select cast(1 div (id - 2) as int) from range(4)")
    assert rows(spark.table(name)) == [(1,)]


def test_explain_of_a_command_does_nothing(spark):
    spark.sql("drop table if exists explained")
    for text in ("create table explained using parquet as select 1 as a", "drop table explained"):
        plan = spark.sql("explain " + text).collect()[0][0]
        assert plan.startswith("== Physical Plan ==\n"), plan
    assert not spark.catalog.tableExists("explained")
