# SPDX-License-Identifier: Apache-2.0
"""Cases of test_api_cases in which nbaspark is known not to answer as Apache Spark, and why.

They must fail: whoever closes a gap takes its row out.
"""

MORE_CHARSETS = "on purpose: nbaspark reads more charsets than Spark, by more of their names"

KNOWN_GAPS: dict[str, dict[str, str]] = {
    "csv_options": {
        "charsets: encoding='latin1'": MORE_CHARSETS,
        "charsets: encoding='windows-1252'": MORE_CHARSETS,
        "charsets: charset='latin1'": MORE_CHARSETS,
        "charsets: charset='windows-1252'": MORE_CHARSETS,
        "write: encoding='latin1'": MORE_CHARSETS,
    },
    "file_facts": {"behind distinct": "_metadata is not seen through distinct()"},
    "sort_names": {
        "select a, -b as a from t union all select 1, 2 order by a": "proposals after UNION",
        "select a x, b x, a * b from t order by x, a": "proposals of columns left out",
    },
    "sql_partitions": {
        "overwrite one from itself": "on purpose: new rows are complete before the old ones go"
    },
    "sql_pipes": {
        **{
            f"FROM VALUES (1, 2), (3, 4) t(a, b) |> {rest}": what
            for rest, what in (
                ("AGGREGATE sum(a) AS s GROUP BY b WITH CUBE |> ORDER BY s", "WITH is an alias"),
                ("AGGREGATE count(*) HAVING count(*) > 1", "hint of a syntax error"),
                ("WHERE sum(a) > 1", "a message without the table's name"),
            )
        },
        "FROM range(3) |> GROUP BY id": "hint of a syntax error",
        "FROM range(3) |> HAVING id > 1": "hint of a syntax error",
    },
    "sql_alter": {"change a name": "Spark's parser refuses it already"},
    "sql_variables": {
        "two; SET va = 3": "SET of a variable's name is a setting",
        "two; SELECT upper(vb)": "names of columns made from variables",
    },
    "time_windows": {
        "SELECT v FROM TIMES WHERE window(ts, '10 minutes').start "
        "> timestamp'2024-01-01 00:05:00'": "windows of time in WHERE",
    },
}
