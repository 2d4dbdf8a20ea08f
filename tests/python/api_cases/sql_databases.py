# SPDX-License-Identifier: Apache-2.0
"""Databases: CREATE, DROP, USE, DESCRIBE and ALTER DATABASE, names of two and three parts, and spark.catalog about them."""

import re

DB = "CREATE DATABASE IF NOT EXISTS dbs_a COMMENT 'first' WITH DBPROPERTIES (k = 'v', a = '1')"
TABLE = "CREATE TABLE dbs_a.t USING parquet AS SELECT id FROM range(3)"
HERE = "CREATE TABLE t USING parquet AS SELECT 7 AS seven"

PROGRAMS = {
    "show": (DB, "SHOW DATABASES LIKE 'dbs_*'"),
    "show schemas": (DB, "SHOW SCHEMAS IN spark_catalog LIKE 'dbs_*|nothing'"),
    "show, no pattern": (DB, "SHOW NAMESPACES 'DBS_A'"),
    "create twice": (DB, "CREATE DATABASE dbs_a"),
    "create twice, if not": (DB, "CREATE SCHEMA IF NOT EXISTS dbs_a"),
    "create in other letters": (DB, "CREATE DATABASE DBS_A"),
    "create with catalog": ("CREATE DATABASE spark_catalog.dbs_b", "SHOW DATABASES LIKE 'dbs_*'"),
    "create with two parts": ("CREATE DATABASE x.dbs_b",),
    "create with a bad name": ("CREATE DATABASE `dbs b`",),
    "create default": ("CREATE DATABASE default",),
    "create at": (
        "CREATE DATABASE dbs_b LOCATION '/tmp/nbaspark-dbs-b'",
        "CREATE TABLE dbs_b.t USING parquet AS SELECT 1 AS a",
        "DESCRIBE DATABASE dbs_b",
    ),
    "describe": (DB, "DESCRIBE DATABASE dbs_a"),
    "describe extended": (DB, "DESCRIBE SCHEMA EXTENDED dbs_a"),
    "describe missing": ("DESCRIBE DATABASE dbs_nosuch",),
    "describe no comment": ("CREATE DATABASE dbs_b", "DESC NAMESPACE EXTENDED dbs_b"),
    "alter properties": (
        DB,
        "ALTER DATABASE dbs_a SET DBPROPERTIES (a = '2', b = '3')",
        "DESC DATABASE EXTENDED dbs_a",
    ),
    "alter missing": ("ALTER DATABASE dbs_nosuch SET DBPROPERTIES (a = '2')",),
    "alter location": (DB, "ALTER DATABASE dbs_a SET LOCATION 'file:/tmp/dbs-other'"),
    "comment": (DB, "COMMENT ON DATABASE dbs_a IS 'second'", "DESCRIBE DATABASE dbs_a"),
    "drop": (DB, "DROP DATABASE dbs_a", "SHOW DATABASES LIKE 'dbs_*'"),
    "drop full": (DB, TABLE, "DROP DATABASE dbs_a"),
    "drop restrict": (DB, TABLE, "DROP DATABASE dbs_a RESTRICT"),
    "drop cascade": (DB, TABLE, "DROP DATABASE dbs_a CASCADE", "SHOW DATABASES LIKE 'dbs_*'"),
    "drop with a view": (DB, "CREATE VIEW dbs_a.v AS SELECT 1", "DROP SCHEMA dbs_a"),
    "drop missing": ("DROP DATABASE dbs_nosuch",),
    "drop missing, if": ("DROP DATABASE IF EXISTS dbs_nosuch",),
    "drop default": ("DROP DATABASE default",),
    "use": (DB, "USE dbs_a", "SELECT current_database(), current_schema()"),
    "use database": (DB, "USE DATABASE dbs_a", "SHOW CURRENT NAMESPACE"),
    "use with catalog": (
        DB,
        "USE spark_catalog.dbs_a",
        "SELECT current_catalog(), current_database()",
    ),
    "use catalog": (DB, "USE dbs_a", "USE spark_catalog", "SELECT current_database()"),
    "use missing": ("USE dbs_nosuch",),
    "use in other letters": (DB, "USE DBS_A", "SELECT current_database()"),
    "name of two parts": (DB, TABLE, "SELECT * FROM dbs_a.t ORDER BY id"),
    "name of three parts": (
        DB,
        TABLE,
        "SELECT dbs_a.t.id, spark_catalog.dbs_a.t.id FROM spark_catalog.dbs_a.t ORDER BY 1",
    ),
    "name of four parts": (DB, TABLE, "SELECT * FROM x.spark_catalog.dbs_a.t"),
    "two tables of one name": (DB, TABLE, HERE, "SELECT * FROM t, dbs_a.t x ORDER BY id"),
    "name of one part": (DB, TABLE, "USE dbs_a", "SELECT * FROM t ORDER BY id"),
    "default by name": (DB, HERE, "USE dbs_a", "SELECT * FROM default.t"),
    "missing in the current": (DB, HERE, "USE dbs_a", "SELECT * FROM t"),
    "missing by name": (DB, "SELECT * FROM dbs_a.nosuch"),
    "missing database by name": ("SELECT * FROM dbs_nosuch.t",),
    "create in the current": (DB, "USE dbs_a", HERE, "SELECT * FROM dbs_a.t"),
    "create in a missing one": ("CREATE TABLE dbs_nosuch.t (a INT) USING parquet",),
    "create in the current, twice": (DB, "USE dbs_a", HERE, HERE),
    "insert": (DB, TABLE, "INSERT INTO dbs_a.t VALUES (10)", "SELECT * FROM dbs_a.t ORDER BY id"),
    "insert, types": (DB, TABLE, "INSERT INTO dbs_a.t VALUES ('x')"),
    "insert, number of columns": (DB, TABLE, "INSERT INTO dbs_a.t VALUES (1, 2)"),
    "rename": (
        DB,
        TABLE,
        "ALTER TABLE dbs_a.t RENAME TO dbs_a.u",
        "SELECT * FROM dbs_a.u ORDER BY id",
    ),
    "drop a table": (DB, TABLE, HERE, "DROP TABLE dbs_a.t", "SELECT * FROM t"),
    "drop a missing table": (DB, "DROP TABLE dbs_a.t"),
    "drop a table of a missing one": ("DROP TABLE dbs_nosuch.t",),
    "drop a table of a missing one, if": ("DROP TABLE IF EXISTS dbs_nosuch.t",),
    "drop a missing view": (DB, "DROP VIEW dbs_a.v"),
    "views": (
        DB,
        "CREATE VIEW dbs_a.v AS SELECT 5 AS five",
        "SELECT v.five, dbs_a.v.five FROM dbs_a.v",
    ),
    "view finds its own tables": (
        DB,
        TABLE,
        HERE,
        "USE dbs_a",
        "CREATE VIEW v AS SELECT count(*) AS n FROM t",
        "USE default",
        "SELECT * FROM dbs_a.v",
    ),
    "temporary view finds its own tables": (
        DB,
        TABLE,
        "USE dbs_a",
        "CREATE TEMP VIEW dbs_v AS SELECT count(*) AS n FROM t",
        "USE default",
        "SELECT * FROM dbs_v",
    ),
    "temporary view comes first": (
        DB,
        TABLE,
        "USE dbs_a",
        "CREATE TEMP VIEW t AS SELECT 'temporary' AS x",
        "SELECT * FROM t",
    ),
    "temporary view has no database": (
        DB,
        "CREATE TEMP VIEW dbs_v AS SELECT 1",
        "SELECT * FROM dbs_a.dbs_v",
    ),
    "show tables": (DB, TABLE, "SHOW TABLES IN dbs_a"),
    "show tables of the current": (DB, TABLE, "USE dbs_a", "SHOW TABLES"),
    "show tables, pattern": (DB, TABLE, "SHOW TABLES FROM spark_catalog.dbs_a LIKE 'x*|t'"),
    "show tables of a missing one": ("SHOW TABLES IN dbs_nosuch",),
    "show views": (DB, "CREATE VIEW dbs_a.v AS SELECT 1", "SHOW VIEWS IN dbs_a"),
    "show columns": (DB, TABLE, "SHOW COLUMNS IN t IN dbs_a"),
    "show create": (DB, "CREATE TABLE dbs_a.u (a INT) USING parquet", "SHOW CREATE TABLE dbs_a.u"),
    "describe a table": (DB, TABLE, "DESCRIBE dbs_a.t"),
    "properties": (DB, TABLE, "SHOW TBLPROPERTIES dbs_a.t ('x')"),
    "ctas refused twice": (DB, TABLE, TABLE),
    "truncate": (DB, TABLE, "TRUNCATE TABLE dbs_a.t", "SELECT count(*) FROM dbs_a.t"),
    "cache": (DB, TABLE, "CACHE TABLE dbs_a.t", "SELECT count(*) FROM dbs_a.t"),
    "functions": (DB, "USE dbs_a", "SELECT nosuch(1)"),
}


def clean(s):
    s.sql("USE default")
    for name in ("dbs_a", "dbs_b"):
        s.sql(f"DROP DATABASE IF EXISTS {name} CASCADE")
    for name in ("dbs_v", "t"):
        s.catalog.dropTempView(name)
    s.sql("DROP TABLE IF EXISTS t")
    return s


def shown(result):
    """Rows and columns, without the warehouse and the user."""
    text = str((result.dtypes, result.collect()))
    text = re.sub(r"file:[^' ]*?(/dbs_|/nbaspark-)", r"file:\1", text)
    return re.sub(r"(info_name='Owner', info_value=)'\w*'", r"\1...", text)


def within(s, use):
    clean(s)
    try:
        return use(s)
    finally:
        clean(s)


def program(statements):
    def run(s):
        for statement in statements[:-1]:
            s.sql(statement)
        return shown(s.sql(statements[-1]))

    return lambda s, F, W: within(s, run)


def catalog(use):
    def run(s):
        s.sql(DB)
        s.sql(TABLE)
        return use(s, s.catalog)

    return lambda s, F, W: within(s, run)


def about(database):
    return (
        database.name,
        database.catalog,
        database.description,
        database.locationUri.split("/")[-1],
    )


def table(t):
    return t.name, t.catalog, t.namespace, t.tableType, t.isTemporary


CASES = {
    **{name: program(statements) for name, statements in PROGRAMS.items()},
    "catalog: current": catalog(
        lambda s, c: (c.currentDatabase(), c.setCurrentDatabase("dbs_a"), c.currentDatabase())
    ),
    "catalog: set a missing one": catalog(lambda s, c: c.setCurrentDatabase("dbs_nosuch")),
    "catalog: list": catalog(lambda s, c: [about(d) for d in c.listDatabases("dbs_*")]),
    "catalog: get": catalog(lambda s, c: about(c.getDatabase("dbs_a"))),
    "catalog: get with catalog": catalog(lambda s, c: about(c.getDatabase("spark_catalog.dbs_a"))),
    "catalog: get a missing one": catalog(lambda s, c: c.getDatabase("dbs_nosuch")),
    "catalog: exists": catalog(
        lambda s, c: [
            c.databaseExists(n)
            for n in ("dbs_a", "dbs_nosuch", "default", "spark_catalog.dbs_a", "x.dbs_a")
        ]
    ),
    "catalog: tables": catalog(lambda s, c: [table(t) for t in c.listTables("dbs_a")]),
    "catalog: tables of the current": catalog(
        lambda s, c: (c.setCurrentDatabase("dbs_a"), [table(t) for t in c.listTables()])
    ),
    "catalog: tables of a missing one": catalog(lambda s, c: c.listTables("dbs_nosuch")),
    "catalog: table exists": catalog(
        lambda s, c: [
            c.tableExists("dbs_a.t"),
            c.tableExists("t"),
            c.tableExists("t", "dbs_a"),
            c.tableExists("spark_catalog.dbs_a.t"),
            c.tableExists("dbs_nosuch.t"),
        ]
    ),
    "catalog: get a table": catalog(lambda s, c: table(c.getTable("dbs_a.t"))),
    "catalog: columns": catalog(
        lambda s, c: [(x.name, x.dataType) for x in c.listColumns("dbs_a.t")]
    ),
    "catalog: create a table": catalog(
        lambda s, c: (
            c.createTable("dbs_a.u", schema=s.range(1).schema, source="parquet").columns,
            [table(t) for t in c.listTables("dbs_a")],
        )
    ),
    "catalog: saveAsTable": catalog(
        lambda s, c: (
            s.range(2).write.saveAsTable("dbs_a.u"),
            s.range(2).write.mode("append").insertInto("dbs_a.u"),
            s.table("dbs_a.u").count(),
        )
    ),
    "catalog: saveAsTable in the current": catalog(
        lambda s, c: (
            c.setCurrentDatabase("dbs_a"),
            s.range(2).write.saveAsTable("u"),
            [table(t) for t in c.listTables()],
        )
    ),
    "catalog: saveAsTable in a missing one": catalog(
        lambda s, c: s.range(2).write.saveAsTable("dbs_nosuch.u")
    ),
}
