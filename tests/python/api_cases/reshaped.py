# SPDX-License-Identifier: Apache-2.0
"""transpose, zipWithIndex, checkpoints, and watermarks of a batch."""


def marks(s):
    return s.createDataFrame(
        [("b", 1, 2.5), ("a", None, 3.0)], "name string, first int, second double"
    )


def day(s):
    return s.sql("SELECT TIMESTAMP'2020-01-01 00:00:00' AS t, 1 AS x")


def checkpoint(s, df, eager=True, **level):
    kept = df.localCheckpoint(eager, **level)
    return kept, kept.filter("id > 1").collect(), kept.schema.simpleString()


def in_a_view(s):
    kept = s.range(4).localCheckpoint()
    kept.createOrReplaceTempView("kept_rows")
    total = s.sql("SELECT sum(id) FROM kept_rows").collect()
    s.catalog.dropTempView("kept_rows")
    return total, kept.select(kept.id + 1).count(), kept.join(kept, "id").count()


def wrong_numbers(s):
    """How many of many rows are not numbered in their order."""
    return s.range(0, 300_000, 1, 5).zipWithIndex("n").filter("id != n").count()


CASES = {
    "first_column": lambda s, F, W: marks(s).transpose(),
    "named_column": lambda s, F, W: marks(s).transpose("name"),
    "column_of_numbers": lambda s, F, W: marks(s).select("first", "second").transpose("second"),
    "column_object": lambda s, F, W: marks(s).transpose(F.col("name")),
    "one_column": lambda s, F, W: s.range(3).transpose(),
    "no_rows": lambda s, F, W: s.range(0).selectExpr("id", "id * 2 AS b").transpose(),
    "no_columns": lambda s, F, W: s.range(2).select().transpose().collect(),
    "same_values": lambda s, F, W: s.createDataFrame(
        [("b", 1), ("b", 2)], "n string, x int"
    ).transpose(),
    "null_index": lambda s, F, W: s.sql(
        "SELECT * FROM VALUES (NULL, 1), ('a', 2) AS t(k, v)"
    ).transpose(),
    "dates": lambda s, F, W: s.sql(
        "SELECT DATE'2020-01-02' d, 1 x, 2L y UNION ALL SELECT DATE'2020-01-01', 3, 4L"
    ).transpose(),
    "decimals": lambda s, F, W: s.sql("SELECT 1.5 d, 1 x, 2.5D y").transpose(),
    "texts": lambda s, F, W: s.sql(
        "SELECT 'k' k, 'a text longer than twelve bytes' x, 'b' y UNION ALL SELECT 'j', '', NULL"
    ).transpose(),
    "nested": lambda s, F, W: s.sql(
        "SELECT 1 d, array('one', 'a text longer than twelve') x, array(NULL, 'b') y"
    ).transpose(),
    "again": lambda s, F, W: marks(s).transpose().transpose("key").sort("key"),
    "filtered_after": lambda s, F, W: marks(s).transpose().filter("a IS NULL"),
    "no_common_type": lambda s, F, W: marks(s).transpose("first"),
    "arrays_and_numbers": lambda s, F, W: s.sql("SELECT 1 d, array(1) x, 2 y").transpose(),
    "absent_column": lambda s, F, W: marks(s).transpose("nope"),
    "expression": lambda s, F, W: marks(s).transpose(F.col("first") + 1),
    "too_many_rows": lambda s, F, W: s.range(501).transpose(),
    "as_many_rows": lambda s, F, W: len(s.range(500).transpose().columns),
    "index_sorted": lambda s, F, W: s.range(10, 13).coalesce(1).zipWithIndex(),
    "index_name": lambda s, F, W: s.range(3).zipWithIndex("number").schema.simpleString(),
    "index_twice": lambda s, F, W: (
        s.createDataFrame([("a",)], "index string").zipWithIndex().columns
    ),
    "index_after_sort": lambda s, F, W: s.range(5).sort(F.desc("id")).zipWithIndex(),
    "index_of_many": lambda s, F, W: wrong_numbers(s),
    "index_of_none": lambda s, F, W: s.range(0).zipWithIndex(),
    "watermark": lambda s, F, W: day(s).withWatermark("t", "1 minute"),
    "watermark_month": lambda s, F, W: day(s).withWatermark("t", "1 month"),
    "watermark_absent": lambda s, F, W: day(s).withWatermark("nope", "1 minute"),
    "watermark_number": lambda s, F, W: day(s).withWatermark("x", "1 minute"),
    "watermark_grouped": lambda s, F, W: day(s).withWatermark("t", "1 day").groupBy("t").count(),
    "watermark_wrong": lambda s, F, W: day(s).withWatermark("t", "soon").collect(),
    "watermark_empty": lambda s, F, W: day(s).withWatermark("t", ""),
    "within_watermark": lambda s, F, W: (
        day(s).withWatermark("t", "1 minute").dropDuplicatesWithinWatermark(["t"]).collect()
    ),
    "local_checkpoint": lambda s, F, W: checkpoint(s, s.range(4).selectExpr("id", "id * 2 AS b"))[
        1:
    ],
    "lazy_checkpoint": lambda s, F, W: checkpoint(s, s.range(4), False)[1:],
    "checkpoint_rows": lambda s, F, W: marks(s).localCheckpoint(),
    "checkpoint_view": lambda s, F, W: in_a_view(s),
    "checkpoint_no_columns": lambda s, F, W: s.range(3).select().localCheckpoint().count(),
    "checkpoint_fault": lambda s, F, W: s.sql("SELECT 1 / 0").localCheckpoint(),
    "checkpoint_twice": lambda s, F, W: s.range(3).localCheckpoint().localCheckpoint(),
    "checkpoint_without_folder": lambda s, F, W: s.range(3).checkpoint(),
}
