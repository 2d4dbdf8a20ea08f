# SPDX-License-Identifier: Apache-2.0
"""Digits that do not fit, minus zero, and codes of bytes."""

MOST = "9" * 38


def sql(text):
    return lambda s, F, W: s.sql(text)


CASES = {
    text: sql(f"SELECT {text} AS x")
    for text in (
        f"coalesce(CAST(1.25 AS DECIMAL(38,20)), CAST({MOST} AS DECIMAL(38,0)))",
        "if(true, CAST(1.255 AS DECIMAL(38,20)), CAST(2 AS DECIMAL(38,2)))",
        f"CAST({MOST} AS DECIMAL(38,0)) > 1.5",
        f"CAST({MOST} AS DECIMAL(38,0)) = 1.5",
        f"CAST({MOST} AS DECIMAL(38,0)) <=> 1.5",
        f"CAST({MOST} AS DECIMAL(38,0)) IN (1.5, 2.5)",
        "greatest(CAST(1.255 AS DECIMAL(38,20)), CAST(1.5 AS DECIMAL(38,2)))",
        "round(-0.0D)",
        "bround(-0.0D)",
        "round(-0.0D, 2)",
        "round(CAST(-0.0 AS FLOAT))",
        "round(-0.4D)",
        "reverse(X'C3A9')",
        "reverse(X'')",
        "reverse('é')",
        "unbase64('YWJj-YWJj')",
        "unbase64('YWJj_YWJj')",
        "unbase64('YW+/')",
        "hex(DATE'2020-01-02')",
        "hex(TIMESTAMP'2020-01-02 03:04:05')",
        "hex(TIMESTAMP_NTZ'2020-01-02 03:04:05')",
        "hex(true)",
    )
}
CASES["union of decimals"] = sql(
    "SELECT CAST(1.255 AS DECIMAL(38,20)) AS x UNION ALL SELECT CAST(2 AS DECIMAL(38,2))"
)
