# SPDX-License-Identifier: Apache-2.0
"""ALTER, COMMENT ON, ANALYZE, REFRESH, INSERT … PARTITION and what SHOW and DESCRIBE tell afterwards."""

MADE = (
    "DROP TABLE IF EXISTS alt_t",
    "DROP TABLE IF EXISTS alt_u",
    "CREATE TABLE alt_t (a INT COMMENT 'first', b STRING) USING parquet",
    "INSERT INTO alt_t VALUES (1, 'x'), (2, 'y')",
)
PARTED = (
    "DROP TABLE IF EXISTS alt_p",
    "CREATE TABLE alt_p (a INT, p STRING, q INT) USING parquet PARTITIONED BY (p, q)",
)
VIEWS = (
    "CREATE OR REPLACE TEMP VIEW alt_v AS SELECT id + 1 AS b FROM range(2)",
    "DROP VIEW IF EXISTS alt_w",
)

PROGRAMS = {
    "rename": (*MADE, "ALTER TABLE alt_t RENAME TO alt_u", "SELECT * FROM alt_u ORDER BY a"),
    "rename, old name": (*MADE, "ALTER TABLE alt_t RENAME TO alt_u", "SELECT * FROM alt_t"),
    "rename, made again": (
        *MADE,
        "ALTER TABLE alt_t RENAME TO alt_u",
        "CREATE TABLE alt_t USING parquet AS SELECT 5 AS five",
        "SELECT * FROM alt_t, alt_u ORDER BY a",
    ),
    "rename to itself": (*MADE, "ALTER TABLE alt_t RENAME TO alt_t"),
    "add columns": (
        *MADE,
        "ALTER TABLE alt_t ADD COLUMNS (c INT COMMENT 'more', d STRING)",
        "INSERT INTO alt_t VALUES (3, 'z', 4, 'w')",
        "SELECT * FROM alt_t ORDER BY a",
    ),
    "add a column": (*MADE, "ALTER TABLE alt_t ADD COLUMN c INT", "DESCRIBE alt_t"),
    "add a column again": (*MADE, "ALTER TABLE alt_t ADD COLUMNS (a INT)"),
    "add before partitions": (
        *PARTED,
        "INSERT INTO alt_p PARTITION (p = 'x', q = 1) VALUES (7)",
        "ALTER TABLE alt_p ADD COLUMNS (c INT)",
        "INSERT INTO alt_p VALUES (8, 9, 'y', 2)",
        "SELECT * FROM alt_p ORDER BY a",
    ),
    "insert into a partition": (
        *PARTED,
        "INSERT INTO alt_p PARTITION (q = 1, p = 'x') SELECT 7",
        "SELECT * FROM alt_p ORDER BY a",
    ),
    "comment of a column": (
        *MADE,
        "ALTER TABLE alt_t ALTER COLUMN b COMMENT 'it\\'s \"b\"'",
        "DESCRIBE alt_t",
    ),
    "change a comment": (
        *MADE,
        "ALTER TABLE alt_t CHANGE COLUMN a a INT COMMENT 'changed'",
        "DESC TABLE alt_t",
    ),
    "change a type": (*MADE, "ALTER TABLE alt_t ALTER COLUMN a TYPE BIGINT"),
    "change a name": (*MADE, "ALTER TABLE alt_t CHANGE a z INT"),
    "rename a column": (*MADE, "ALTER TABLE alt_t RENAME COLUMN a TO z"),
    "drop a column": (*MADE, "ALTER TABLE alt_t DROP COLUMN a"),
    "properties": (
        *MADE,
        "ALTER TABLE alt_t SET TBLPROPERTIES ('k' = 'v', x.y = 2)",
        "ALTER TABLE alt_t SET TBLPROPERTIES ('k' = 'w', 'b' = 'c')",
        "ALTER TABLE alt_t UNSET TBLPROPERTIES ('b')",
        "ALTER TABLE alt_t UNSET TBLPROPERTIES IF EXISTS ('nothere')",
        "SHOW TBLPROPERTIES alt_t",
    ),
    "a property": (
        *MADE,
        "ALTER TABLE alt_t SET TBLPROPERTIES ('k' = 'v', 'l' = 'm')",
        "SHOW TBLPROPERTIES alt_t ('k')",
    ),
    "no property": (*MADE, "SHOW TBLPROPERTIES alt_t ('k')"),
    "properties at birth": (
        "DROP TABLE IF EXISTS alt_t",
        "CREATE TABLE alt_t (a INT) USING parquet TBLPROPERTIES ('z' = '1', 'k' = 'v')",
        "SHOW TBLPROPERTIES alt_t",
    ),
    "comment on": (*MADE, "COMMENT ON TABLE alt_t IS 'words'", "SHOW CREATE TABLE alt_t"),
    "no table": ("ALTER TABLE alt_nothere ADD COLUMNS (c INT)",),
    "analyze": (*MADE, "ANALYZE TABLE alt_t COMPUTE STATISTICS NOSCAN"),
    "analyze columns": (*MADE, "ANALYZE TABLE alt_t COMPUTE STATISTICS FOR COLUMNS a, b"),
    "analyze all": (*MADE, "ANALYZE TABLE alt_t COMPUTE STATISTICS FOR ALL COLUMNS"),
    "refresh": (*MADE, "REFRESH TABLE alt_t"),
    "refresh by name": (*MADE, "REFRESH alt_t"),
    "refresh a path": ("REFRESH '/no/such/path'",),
    "view as": (*VIEWS, "ALTER VIEW alt_v AS SELECT 2 AS c", "SELECT * FROM alt_v"),
    "rename a view": (*VIEWS, "ALTER VIEW alt_v RENAME TO alt_w", "SELECT * FROM alt_w"),
    "rename a view, old name": (
        *VIEWS,
        "ALTER VIEW alt_v RENAME TO alt_w",
        "SELECT * FROM alt_v",
    ),
    "no view": ("ALTER VIEW alt_nothere AS SELECT 1",),
    "functions": ("SHOW FUNCTIONS LIKE 'substr*'",),
    "functions by name": ("SHOW SYSTEM FUNCTIONS LIKE 'upp*|low*'",),
    "own functions": ("SHOW USER FUNCTIONS LIKE 'none*'",),
    "no function": ("DESCRIBE FUNCTION nofunc",),
}


def _run(statements):
    def case(s, F, W):
        for text in statements[:-1]:
            s.sql(text)
        try:
            frame = s.sql(statements[-1])
            if statements[-1].startswith("SHOW"):
                return [tuple(row) for row in frame.collect()]
            return s.createDataFrame(frame.collect(), frame.schema) if frame.columns else frame
        finally:
            for name in ("alt_t", "alt_u", "alt_p"):
                s.sql(f"DROP TABLE IF EXISTS {name}")

    return case


CASES = {name: _run(statements) for name, statements in PROGRAMS.items()}
