# SPDX-License-Identifier: Apache-2.0
"""spark.catalog about functions and tables, and df.writeTo."""


def with_tables(s, *actions):
    """What actions on the tables written_1 and written_2 give, which are there for them only."""
    names = ("written_1", "written_2")
    for name in names:
        s.sql(f"DROP TABLE IF EXISTS {name}")
    try:
        return [action() for action in actions][-1]
    finally:
        for name in names:
            s.sql(f"DROP TABLE IF EXISTS {name}")


def rows(s):
    return s.createDataFrame([("b", 1), ("a", 2)], "n string, x int")


def create(s, name="written_1"):
    return lambda: rows(s).writeTo(name).using("parquet").create()


def made(s, **arguments):
    return lambda: s.catalog.createTable("written_1", **arguments)


def about(function):
    return function.name, function.catalog, function.namespace, function.isTemporary


FUNCTIONS = ["sum", "abs", "explode", "count", "rand", "date_add", "range_of_nothing", "a.b"]

CASES = {
    "functions_exist": lambda s, F, W: [s.catalog.functionExists(name) for name in FUNCTIONS],
    "function_names": lambda s, F, W: [
        s.catalog.functionExists(n) for n in ("SUM", "default.sum", "system.builtin.sum", "a.b.c")
    ],
    "function_of_database": lambda s, F, W: s.catalog.functionExists("sum", "default"),
    "function_name_long": lambda s, F, W: s.catalog.functionExists("a.b.c.d"),
    "function": lambda s, F, W: about(s.catalog.getFunction("sum")),
    "function_upper": lambda s, F, W: about(s.catalog.getFunction("ABS")),
    "function_absent": lambda s, F, W: s.catalog.getFunction("nope"),
    "function_absent_in": lambda s, F, W: s.catalog.getFunction("default.nope"),
    "functions_listed": lambda s, F, W: [
        about(f) for f in s.catalog.listFunctions(pattern="abs|exp|count_i*")
    ],
    "functions_known": lambda s, F, W: (
        {"sum", "upper", "explode", "+", "<=>"} <= {f.name for f in s.catalog.listFunctions()}
    ),
    "functions shown, bars": lambda s, F, W: (
        {"|", "explode", "explode_outer", "inline"}
        <= {r[0] for r in s.sql("SHOW FUNCTIONS").collect()}
    ),
    "functions shown, generators": lambda s, F, W: s.sql("SHOW FUNCTIONS LIKE 'explo*|posexp*'"),
    "functions shown, of users": lambda s, F, W: s.sql("SHOW USER FUNCTIONS LIKE 'explo*'"),
    "functions_of_absent": lambda s, F, W: s.catalog.listFunctions("nope"),
    "table": lambda s, F, W: with_tables(
        s,
        lambda: s.catalog.createTable("written_1", schema=rows(s).schema, source="parquet").schema,
    ),
    "table_found": lambda s, F, W: with_tables(
        s,
        lambda: s.catalog.createTable(
            "written_1", schema=rows(s).schema, source="parquet", description="about it"
        ),
        lambda: s.catalog.getTable("written_1"),
    ),
    "table_twice": lambda s, F, W: with_tables(
        s, *[made(s, schema=rows(s).schema, source="parquet")] * 2
    ),
    "table_without_columns": lambda s, F, W: with_tables(s, made(s, source="parquet")),
    "recover_absent": lambda s, F, W: s.catalog.recoverPartitions("nope"),
    "recover_plain": lambda s, F, W: with_tables(
        s, create(s), lambda: s.catalog.recoverPartitions("written_1")
    ),
    "recover_view": lambda s, F, W: (
        s.range(1).createOrReplaceTempView("a_view"),
        s.catalog.recoverPartitions("a_view"),
    ),
    "recover": lambda s, F, W: with_tables(
        s,
        lambda: rows(s).write.partitionBy("n").saveAsTable("written_1"),
        lambda: s.catalog.recoverPartitions("written_1"),
        lambda: s.table("written_1").count(),
    ),
    "create": lambda s, F, W: with_tables(
        s, create(s), lambda: s.table("written_1").sort("x").collect()
    ),
    "create_twice": lambda s, F, W: with_tables(s, create(s), create(s)),
    "create_partitioned": lambda s, F, W: with_tables(
        s,
        lambda: (
            rows(s)
            .writeTo("written_1")
            .using("parquet")
            .partitionedBy("n")
            .tableProperty("a", "b")
            .option("compression", "gzip")
            .create()
        ),
        lambda: (s.table("written_1").columns, s.table("written_1").sort("x").collect()),
    ),
    "append": lambda s, F, W: with_tables(
        s, create(s), lambda: rows(s).writeTo("written_1").append()
    ),
    "append_absent": lambda s, F, W: with_tables(s, lambda: rows(s).writeTo("written_1").append()),
    "overwrite": lambda s, F, W: with_tables(
        s, create(s), lambda: rows(s).writeTo("written_1").overwrite(F.lit(True))
    ),
    "overwrite_partitions": lambda s, F, W: with_tables(
        s, create(s), lambda: rows(s).writeTo("written_1").overwritePartitions()
    ),
    "replace": lambda s, F, W: with_tables(
        s, create(s), lambda: rows(s).writeTo("written_1").using("parquet").replace()
    ),
    "create_or_replace": lambda s, F, W: with_tables(
        s, lambda: rows(s).writeTo("written_1").using("parquet").createOrReplace()
    ),
}
