# SPDX-License-Identifier: Apache-2.0
"""Partitions of tables: SHOW, ADD and DROP PARTITION, INSERT OVERWRITE of some; CREATE TABLE LIKE; FROM t INSERT."""

import re

MADE = "CREATE TABLE prt (a INT, p STRING, q INT) USING parquet PARTITIONED BY (p, q)"
ROWS = "INSERT INTO prt VALUES (1, 'x', 1), (2, 'x', 2), (3, 'y', 1), (4, 'a b/c', 3), (5, NULL, 1)"
ALL = "SELECT * FROM prt ORDER BY a"
SHOWN = "SHOW PARTITIONS prt"
PLAIN = "CREATE TABLE prt_u (a INT COMMENT 'first', b STRING) USING parquet COMMENT 'plain' TBLPROPERTIES ('k' = 'v')"
DYNAMIC = "SET spark.sql.sources.partitionOverwriteMode = dynamic"

PROGRAMS = {
    "show": (MADE, ROWS, SHOWN),
    "show none": (MADE, SHOWN),
    "show some": (MADE, ROWS, "SHOW PARTITIONS prt PARTITION (p = 'x')"),
    "show one": (MADE, ROWS, "SHOW PARTITIONS prt PARTITION (q = 1, p = 'y')"),
    "show by second": (MADE, ROWS, "SHOW PARTITIONS prt PARTITION (q = 1)"),
    "show none of these": (MADE, ROWS, "SHOW PARTITIONS prt PARTITION (p = 'nosuch')"),
    "show, wrong column": (MADE, ROWS, "SHOW PARTITIONS prt PARTITION (r = 1)"),
    "show of a plain table": (PLAIN, "SHOW PARTITIONS prt_u"),
    "show of no table": ("SHOW PARTITIONS prt_nosuch",),
    "show of a view": ("CREATE TEMP VIEW prt_v AS SELECT 1", "SHOW PARTITIONS prt_v"),
    "overwrite all": (MADE, ROWS, "INSERT OVERWRITE prt VALUES (9, 'z', 9)", ALL),
    "overwrite one": (MADE, ROWS, "INSERT OVERWRITE prt PARTITION (p = 'x', q = 1) VALUES (9)", ALL),
    "overwrite a new one": (MADE, ROWS, "INSERT OVERWRITE prt PARTITION (p = 'n', q = 1) VALUES (9)", ALL),
    "overwrite by first": (MADE, ROWS, "INSERT OVERWRITE prt PARTITION (p = 'x', q) VALUES (9, 5)", ALL),
    "overwrite by first, dynamic": (
        DYNAMIC, MADE, ROWS, "INSERT OVERWRITE prt PARTITION (p = 'x', q) VALUES (9, 1)", ALL
    ),
    "overwrite, all open": (MADE, ROWS, "INSERT OVERWRITE prt PARTITION (p, q) VALUES (9, 'x', 1)", ALL),
    "overwrite, all open, dynamic": (
        DYNAMIC, MADE, ROWS, "INSERT OVERWRITE prt PARTITION (p, q) VALUES (9, 'x', 1)", ALL
    ),
    "overwrite dynamic": (DYNAMIC, MADE, ROWS, "INSERT OVERWRITE prt VALUES (9, 'x', 1)", ALL),
    "overwrite nothing, dynamic": (
        DYNAMIC, MADE, ROWS, "INSERT OVERWRITE prt SELECT 1, 'x', 1 WHERE false", ALL
    ),
    "overwrite one by nothing": (
        MADE, ROWS, "INSERT OVERWRITE prt PARTITION (p = 'x', q = 1) SELECT 1 WHERE false", ALL
    ),
    "overwrite one from itself": (
        MADE, ROWS, "INSERT OVERWRITE prt PARTITION (p = 'x', q = 1) SELECT a + 10 FROM prt", ALL
    ),
    "into, open": (MADE, ROWS, "INSERT INTO prt PARTITION (p = 'x', q) SELECT 9, 7", ALL),
    "into, all open": (MADE, ROWS, "INSERT INTO prt PARTITION (p, q) SELECT 9, 'w', 7", ALL),
    "into, wrong order": (MADE, ROWS, "INSERT INTO prt PARTITION (p, q = 3) SELECT 9, 'w'", ALL),
    "into, wrong column": (MADE, "INSERT INTO prt PARTITION (r = 3) SELECT 9, 'w', 1"),
    "into, number of columns": (MADE, "INSERT INTO prt PARTITION (p = 'x', q = 1) SELECT 9, 'w'"),
    "into, converted": (MADE, "INSERT INTO prt PARTITION (p = 1, q = '2') SELECT 9", ALL),
    "into, not convertible": (MADE, "INSERT INTO prt PARTITION (p = 1, q = 'two') SELECT 9", ALL),
    "into, null": (MADE, "INSERT INTO prt PARTITION (p = NULL, q = 2) SELECT 9", ALL),
    "into, with columns": (MADE, "INSERT INTO prt PARTITION (p = 'x', q = 2) (a) SELECT 9", ALL),
    "into, by name": (MADE, "INSERT INTO prt PARTITION (p = 'x') BY NAME SELECT 1 AS q, 9 AS a", ALL),
    "by name": (MADE, "INSERT INTO prt BY NAME SELECT 1 AS q, 9 AS a, 'x' AS p", ALL),
    "by name, missing": (MADE, "INSERT INTO prt BY NAME SELECT 1 AS q, 9 AS a", ALL),
    "by name, unknown": (MADE, "INSERT INTO prt BY NAME SELECT 1 AS q, 9 AS a, 'x' AS p2", ALL),
    "drop": (MADE, ROWS, "ALTER TABLE prt DROP PARTITION (p = 'x', q = 1)", ALL),
    "drop by first": (MADE, ROWS, "ALTER TABLE prt DROP PARTITION (p = 'x')", ALL),
    "drop by second": (MADE, ROWS, "ALTER TABLE prt DROP PARTITION (q = 1)", SHOWN),
    "drop two": (MADE, ROWS, "ALTER TABLE prt DROP PARTITION (p = 'x'), PARTITION (p = 'y')", SHOWN),
    "drop missing": (MADE, ROWS, "ALTER TABLE prt DROP PARTITION (p = 'nosuch', q = 1)"),
    "drop missing, if": (MADE, ROWS, "ALTER TABLE prt DROP IF EXISTS PARTITION (p = 'nosuch', q = 1)", SHOWN),
    "drop, purge": (MADE, ROWS, "ALTER TABLE prt DROP IF EXISTS PARTITION (p = 'y', q = 1) PURGE", SHOWN),
    "drop, wrong column": (MADE, ROWS, "ALTER TABLE prt DROP PARTITION (r = 1)"),
    "drop of a plain table": (PLAIN, "ALTER TABLE prt_u DROP PARTITION (a = 1)"),
    "add": (MADE, ROWS, "ALTER TABLE prt ADD PARTITION (p = 'n', q = 8)", SHOWN),
    "add two": (MADE, "ALTER TABLE prt ADD PARTITION (p = 'n', q = 8) PARTITION (p = 'm', q = 8)", SHOWN),
    "add there": (MADE, ROWS, "ALTER TABLE prt ADD PARTITION (p = 'x', q = 1)"),
    "add there, if not": (MADE, ROWS, "ALTER TABLE prt ADD IF NOT EXISTS PARTITION (p = 'x', q = 1)", SHOWN),
    "add half": (MADE, "ALTER TABLE prt ADD PARTITION (p = 'x')"),
    "add, wrong column": (MADE, "ALTER TABLE prt ADD PARTITION (p = 'x', r = 1)"),
    "truncate one": (MADE, ROWS, "TRUNCATE TABLE prt PARTITION (p = 'x', q = 1)", ALL),
    "truncate by first": (MADE, ROWS, "TRUNCATE TABLE prt PARTITION (p = 'x')", ALL),
    "like": (PLAIN, "CREATE TABLE prt LIKE prt_u", "DESCRIBE prt"),
    "like, rows": (PLAIN, "INSERT INTO prt_u VALUES (1, 'x')", "CREATE TABLE prt LIKE prt_u", "SELECT * FROM prt"),
    "like, ddl": (PLAIN, "CREATE TABLE prt LIKE prt_u", "SHOW CREATE TABLE prt"),
    "like, properties": (PLAIN, "CREATE TABLE prt LIKE prt_u TBLPROPERTIES ('x' = 'y')", "SHOW TBLPROPERTIES prt ('x')"),
    "like, provider": (PLAIN, "CREATE TABLE prt LIKE prt_u USING json", "SHOW CREATE TABLE prt"),
    "like, partitioned": (MADE, "CREATE TABLE prt_u LIKE prt", "SHOW CREATE TABLE prt_u"),
    "like a view": ("CREATE TEMP VIEW prt_v AS SELECT 1 AS a, 'x' AS b", "CREATE TABLE prt LIKE prt_v", "DESCRIBE prt"),
    "like, there": (MADE, PLAIN, "CREATE TABLE prt LIKE prt_u"),
    "like, there, if not": (MADE, PLAIN, "CREATE TABLE IF NOT EXISTS prt LIKE prt_u", "DESCRIBE prt"),
    "like, missing": ("CREATE TABLE prt LIKE prt_nosuch",),
    "from insert": (PLAIN, "FROM VALUES (1, 'x'), (2, 'y') t(a, b) INSERT INTO prt_u SELECT a, b", "SELECT * FROM prt_u ORDER BY a"),
    "from insert two": (
        PLAIN,
        MADE,
        "FROM VALUES (1, 'x'), (2, 'y') t(a, b) INSERT INTO prt_u SELECT a, b WHERE a > 1 "
        "INSERT OVERWRITE prt PARTITION (p = 'x', q = 1) SELECT a * 10",
        "SELECT * FROM prt_u, prt ORDER BY prt.a",
    ),
    "from insert, joined": (
        PLAIN,
        "FROM range(3) x JOIN range(2) y ON x.id > y.id INSERT INTO prt_u SELECT count(*), max(y.id) GROUP BY x.id HAVING x.id > 0",
        "SELECT * FROM prt_u ORDER BY a, b",
    ),
    "from insert two, without clauses": (
        PLAIN,
        "FROM VALUES (1, 'x') t(a, b) INSERT INTO prt_u SELECT a, b INSERT INTO prt_u SELECT a + 1, b insert",
        "SELECT * FROM prt_u ORDER BY a",
    ),
    "with, insert": (PLAIN, "WITH s AS (SELECT 43 AS c) INSERT INTO prt_u SELECT c, 'x' FROM s", "SELECT * FROM prt_u"),
    "with, insert, with": (
        PLAIN,
        "WITH s AS (SELECT 7 AS c), r (d) AS (SELECT c FROM s) INSERT INTO prt_u WITH s AS (SELECT d + 1 AS c FROM r) SELECT c, 'x' FROM s",
        "SELECT * FROM prt_u",
    ),
    "with, from insert two": (
        PLAIN,
        "WITH s AS (SELECT 44 AS c), t(d) AS (SELECT c + 1 FROM s) FROM t INSERT INTO prt_u SELECT d, 'x' "
        "INSERT INTO prt_u SELECT d + 1, 'y' WHERE d IN (SELECT c + 1 FROM s)",
        "SELECT * FROM prt_u ORDER BY a",
    ),
    "with, insert, twice one name": (PLAIN, "WITH s AS (SELECT 1), s AS (SELECT 2) INSERT INTO prt_u SELECT * FROM s"),
}  # fmt: skip


def clean(s):
    for name in ("prt", "prt_u"):
        s.sql(f"DROP TABLE IF EXISTS {name}")
    s.catalog.dropTempView("prt_v")
    s.conf.unset("spark.sql.sources.partitionOverwriteMode")


def program(statements):
    def run(s, F, W):
        clean(s)
        try:
            for statement in statements[:-1]:
                s.sql(statement)
            result = s.sql(statements[-1])
            return re.sub(r"LOCATION '[^']*'", "LOCATION", str((result.dtypes, result.collect())))
        finally:
            clean(s)

    return run


CASES = {name: program(statements) for name, statements in PROGRAMS.items()}
