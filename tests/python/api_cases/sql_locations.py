# SPDX-License-Identifier: Apache-2.0
"""Locations that are relative, and databases that may not be."""


def run(*statements):
    def case(s, F, W):
        answer = None
        try:
            for text in statements:
                answer = s.sql(text).collect()
            return answer
        finally:
            s.sql("DROP TABLE IF EXISTS lt")
            s.sql("DROP DATABASE IF EXISTS ldb CASCADE")

    return case


def listed(s, F, W):
    s.udf.register("plus_One", lambda x: x + 1, "int")
    shown = s.sql("SHOW USER FUNCTIONS LIKE 'plus*'").collect()
    found = [(f.name, f.namespace, f.isTemporary) for f in s.catalog.listFunctions(pattern="plus*")]
    names = ("plus_one", "PLUS_ONE", "default.plus_one", "plus_two")
    return shown, found, [s.catalog.functionExists(name) for name in names]


CASES = {
    "database": run(
        "CREATE DATABASE ldb LOCATION 'below'",
        "CREATE TABLE ldb.t (a INT) USING parquet",
        "INSERT INTO ldb.t VALUES (2)",
        "SELECT a, _metadata.file_path LIKE '%/below/t/part%' FROM ldb.t",
    ),
    "table": run(
        "CREATE TABLE lt (a INT) USING parquet LOCATION 'here'",
        "INSERT INTO lt VALUES (1)",
        "SELECT count(*) > 0, max(_metadata.file_path LIKE '%/here/part%') FROM lt",
    ),
    "table in database": run(
        "CREATE DATABASE ldb LOCATION 'below'",
        "CREATE TABLE ldb.t (a INT) USING parquet LOCATION 'here'",
        "INSERT INTO ldb.t VALUES (2)",
        "SELECT max(_metadata.file_path LIKE '%/below/here/part%') FROM ldb.t",
    ),
    "global_temp": run("CREATE DATABASE global_temp"),
    "global_temp, if not exists": run("CREATE SCHEMA IF NOT EXISTS global_temp"),
    "registered functions": listed,
}
