# SPDX-License-Identifier: Apache-2.0
"""sequence of dates and timestamps; structs of a union by name that have other fields."""


def sql(text, zone="UTC"):
    def case(s, F, W):
        s.conf.set("spark.sql.session.timeZone", zone)
        try:
            df = s.sql(f"SELECT {text} AS x")
            return df.schema.simpleString(), [str(row) for row in df.collect()]
        finally:
            s.conf.set("spark.sql.session.timeZone", "UTC")

    return case


def union(left, right, **options):
    return lambda s, F, W: s.sql(left).unionByName(s.sql(right), **options)


EXPRESSIONS = (
    "sequence(DATE'2024-02-27', DATE'2024-03-02')",
    "sequence(DATE'2024-03-02', DATE'2024-02-27')",
    "sequence(DATE'2024-02-27', DATE'2024-03-02', INTERVAL 1 DAY)",
    "sequence(DATE'2024-02-27', DATE'2024-03-02', INTERVAL 2 DAYS)",
    "sequence(DATE'2024-03-02', DATE'2024-02-27', INTERVAL -2 DAYS)",
    "sequence(DATE'2024-01-31', DATE'2024-06-30', INTERVAL 1 MONTH)",
    "sequence(DATE'2024-01-31', DATE'2026-06-30', INTERVAL '1' YEAR)",
    "sequence(DATE'2024-06-30', DATE'2024-01-31', INTERVAL -1 MONTH)",
    "sequence(DATE'2024-01-01', DATE'2024-01-20', INTERVAL 1 WEEK)",
    "sequence(DATE'2024-01-01', DATE'2024-01-01')",
    "sequence(DATE'2024-01-01', DATE'2024-01-03', INTERVAL 12 HOURS)",
    "sequence(DATE'2024-01-01', DATE'2024-01-03', INTERVAL -1 DAY)",
    "sequence(DATE'2024-01-01', DATE'2024-01-03', INTERVAL 0 DAYS)",
    "sequence(DATE'2024-01-01', CAST(null AS DATE))",
    "sequence(DATE'2024-01-01', TIMESTAMP'2024-01-03 12:00:00')",
    "sequence(TIMESTAMP'2024-01-01 00:00:00', TIMESTAMP'2024-01-03 12:00:00')",
    "sequence(TIMESTAMP'2024-01-01 00:00:00', TIMESTAMP'2024-01-01 02:00:00', INTERVAL 30 MINUTES)",
    "sequence(TIMESTAMP'2024-01-01 02:00:00', TIMESTAMP'2024-01-01 00:00:00', INTERVAL -1 HOUR)",
    "sequence(TIMESTAMP'2024-01-31 10:00:00', TIMESTAMP'2024-05-31 10:00:00', INTERVAL 1 MONTH)",
    "sequence(TIMESTAMP'2024-01-01 00:00:00', TIMESTAMP'2024-01-04 00:00:00', INTERVAL '1 12' DAY TO HOUR)",
    "sequence(TIMESTAMP_NTZ'2024-01-01 00:00:00', TIMESTAMP_NTZ'2024-01-03 00:00:00', INTERVAL 1 DAY)",
    "sequence(TIMESTAMP'2024-01-01 00:00:00', TIMESTAMP'2023-01-01 00:00:00', INTERVAL 1 DAY)",
    "sequence(DATE'2024-01-01', 5)",
    "sequence(1, DATE'2024-01-01')",
    "sequence(DATE'2024-01-01', DATE'2024-01-05', 2)",
    "size(sequence(DATE'2000-01-01', DATE'2024-12-31'))",
)

CASES = {text: sql(text) for text in EXPRESSIONS}
CASES["over the end of summer time"] = sql(
    "sequence(TIMESTAMP'2018-11-03 00:00:00', TIMESTAMP'2018-11-06 00:00:00', INTERVAL 1 DAY)",
    "America/New_York",
)
CASES["hours over it"] = sql(
    "sequence(TIMESTAMP'2018-11-04 00:00:00', TIMESTAMP'2018-11-04 03:00:00', INTERVAL 1 HOUR)",
    "America/New_York",
)
CASES["days of a column"] = lambda s, F, W: s.sql(
    "SELECT explode(sequence(a, b, INTERVAL 1 DAY)) AS d FROM VALUES (DATE'2024-02-28', DATE'2024-03-01'), "
    "(DATE'2024-05-01', DATE'2024-05-01'), (null, DATE'2024-05-01') AS t(a, b)"
)
CASES["union, one field more"] = union(
    "SELECT struct(1 AS x) AS s", "SELECT struct(3 AS x, 4 AS y) AS s", allowMissingColumns=True
)
CASES["union, fields of both"] = union(
    "SELECT 1 AS i, struct(1 AS a, 'x' AS b) AS s",
    "SELECT struct(5 AS a, 2.5D AS c) AS s, 2 AS i",
    allowMissingColumns=True,
)
CASES["union, nested"] = union(
    "SELECT struct(struct(1 AS a) AS p, 2 AS q) AS s",
    "SELECT struct(struct(7 AS b, 8 AS a) AS p) AS s",
    allowMissingColumns=True,
)
CASES["union, null structs"] = union(
    "SELECT CAST(null AS STRUCT<a: INT>) AS s",
    "SELECT if(false, struct(1 AS b), null) AS s",
    allowMissingColumns=True,
)
