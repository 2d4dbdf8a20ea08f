# SPDX-License-Identifier: Apache-2.0
"""explode and its kin wherever a column may be, several at once, and where they may not be."""


def rows(s):
    return s.createDataFrame(
        [(1, [1, 2], {"x": 1, "y": 2}), (2, [2], {}), (3, None, None)],
        "id int, a array<int>, m map<string, int>",
    )


def case(build):
    return lambda s, F, W: build(rows(s), F, W)


CASES = {
    "withColumn": case(lambda d, F, W: d.withColumn("b", F.explode("a"))),
    "withColumn of the same name": case(lambda d, F, W: d.withColumn("a", F.explode("a"))),
    "withColumn, grouped": case(
        lambda d, F, W: d.withColumn("a", F.explode("a")).groupBy("a").count()
    ),
    "withColumn, filtered": case(lambda d, F, W: d.withColumn("b", F.explode("a")).where("b > 1")),
    "withColumn, outer": case(lambda d, F, W: d.withColumn("b", F.explode_outer("a"))),
    "withColumn, text": case(lambda d, F, W: d.withColumn("b", F.expr("explode(a)"))),
    "withColumn, words": case(
        lambda d, F, W: (
            d.withColumn("w", F.explode(F.split(F.lit("a b a"), " "))).groupBy("w").count()
        )
    ),
    "withColumn, twice": case(
        lambda d, F, W: d.withColumn("b", F.explode("a")).withColumn("c", F.explode("a"))
    ),
    "withColumns": case(
        lambda d, F, W: d.withColumns({"p": F.explode("a"), "q": F.explode("a"), "r": F.col("id")})
    ),
    "withColumn of a map": case(lambda d, F, W: d.withColumn("b", F.explode("m"))),
    "withColumn of positions": case(lambda d, F, W: d.withColumn("b", F.posexplode("a"))),
    "withColumn, nested": case(lambda d, F, W: d.withColumn("b", F.explode("a") + 1)),
    "withColumn, dropped": case(lambda d, F, W: d.withColumn("b", F.explode("a")).drop("a", "m")),
    "withColumn, counted": case(lambda d, F, W: d.withColumn("b", F.explode("a")).count()),
    "withColumn over a window": case(
        lambda d, F, W: d.withColumn("b", F.explode("a")).withColumn(
            "n", F.row_number().over(W.orderBy("id", "b"))
        )
    ),
    "all, text": case(lambda d, F, W: d.selectExpr("*", "explode(a) b")),
    "all, text, unnamed": case(lambda d, F, W: d.selectExpr("*", "posexplode(a)")),
    "nested windows": case(
        lambda d, F, W: d.select(
            "id",
            F.sum(F.row_number().over(W.orderBy("id"))).over(W.orderBy("id")).alias("s"),
            F.max(F.sum(F.rank().over(W.orderBy(F.desc("id")))).over(W.orderBy("id")))
            .over(W.partitionBy())
            .alias("t"),
        )
    ),
    "two": case(lambda d, F, W: d.select(F.explode("a"), F.explode("m"))),
    "two of one array": case(
        lambda d, F, W: d.select("id", F.explode("a").alias("x"), F.explode("a").alias("y"))
    ),
    "two, outer": case(
        lambda d, F, W: d.select("id", F.explode_outer("a"), F.posexplode_outer("m"))
    ),
    "two, text": case(lambda d, F, W: d.selectExpr("explode(a)", "explode(m)")),
    "two and all": case(lambda d, F, W: d.select("*", F.explode("a").alias("x"), F.explode("a"))),
    "three": case(
        lambda d, F, W: d.selectExpr(
            "explode(a) AS x", "explode(a) AS y", "explode(array(id, 5)) AS z"
        )
    ),
    "two aliases": case(lambda d, F, W: d.select(F.explode("m").alias("k", "v"), "id")),
    "one alias of two": case(lambda d, F, W: d.select(F.explode("m").alias("k"), "id")),
    "nested": case(lambda d, F, W: d.select(F.explode("a") + 1)),
    "of an aggregate": case(lambda d, F, W: d.select(F.explode(F.collect_list("id")))),
    "sorted": case(lambda d, F, W: d.select(F.explode("a").alias("x")).orderBy("x")),
}
