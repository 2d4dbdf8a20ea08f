# SPDX-License-Identifier: Apache-2.0
"""explode and its kin wherever a column may be, several at once, and where they may not be."""


def rows(s):
    return s.createDataFrame(
        [(1, [1, 2], {"x": 1, "y": 2}), (2, [2], {}), (3, None, None)],
        "id int, a array<int>, m map<string, int>",
    )


def case(build):
    return lambda s, F, W: build(rows(s), F, W)


TEXTS = [
    "SELECT id % 2 k, explode(collect_list(id)) x FROM range(5) GROUP BY id % 2 HAVING x > 2",
    "SELECT id % 2 k, explode(collect_list(id)) x FROM range(5) GROUP BY 1 ORDER BY k DESC, x",
    "SELECT id % 2 k, explode(collect_list(id)) x FROM range(5) GROUP BY ALL",
    "SELECT id % 2 k, explode(collect_list(id)) x FROM range(5) GROUP BY 1 ORDER BY count(*), x",
    "SELECT explode(array(id)), sum(id) FROM range(3) GROUP BY id",
    "SELECT explode(array(id)), sum(id) FROM range(3)",
    "SELECT stack(2, 'a', min(id), 'b', max(id)) AS (n, v), count(*) c FROM range(3)",
    "SELECT explode_outer(collect_list(id)) FROM range(0)",
    "SELECT explode(collect_list(id)) FROM range(0)",
    "SELECT explode(array(max(id))) AS (a, b) FROM range(3)",
    "SELECT DISTINCT explode(collect_list(id % 2)) FROM range(5)",
    "SELECT explode(collect_list(id)) e, sum(count(*)) OVER () FROM range(3) GROUP BY id % 2",
    "SELECT * FROM range(2) WHERE id IN (SELECT explode(collect_list(id)) FROM range(2))",
    "SELECT * FROM range(3) LATERAL VIEW explode(collect_list(id)) t AS x",
    "SELECT explode(explode(array(array(max(id))))) FROM range(3)",
    "SELECT id FROM range(3) ORDER BY count(*)",
    "SELECT * FROM range(3) a JOIN range(3) b ON count(*) > 1",
    "SELECT id FROM range(3) DISTRIBUTE BY count(*)",
]

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
    "of an aggregate, beside others": case(
        lambda d, F, W: d.select(F.sum("id"), F.explode(F.collect_list("id")).alias("x"), F.lit(1))
    ),
    "of an aggregate and its position": case(
        lambda d, F, W: d.select(F.posexplode(F.collect_list("id")).alias("p", "q"), F.count("a"))
    ),
    "of an aggregate in withColumn": case(
        lambda d, F, W: d.withColumn("x", F.explode(F.collect_list("id")))
    ),
    "of an aggregate's aggregates": case(
        lambda d, F, W: d.select(
            F.explode(
                F.map_from_arrays(
                    F.array(F.lit("n"), F.lit("m")), F.array(F.min("id"), F.max("id"))
                )
            )
        )
    ),
    "of groups": case(
        lambda d, F, W: d.groupBy((F.col("id") % 2).alias("k")).agg(F.explode(F.collect_list("id")))
    ),
    "of groups, beside others": case(
        lambda d, F, W: d.groupBy("id").agg(
            F.count("a").alias("n"), F.explode(F.array("id", F.count("*"))).alias("x"), F.max("id")
        )
    ),
    "of groups, outer": case(lambda d, F, W: d.groupBy("id").agg(F.explode_outer(F.first("a")))),
    "of groups, structs": case(
        lambda d, F, W: d.groupBy("id").agg(F.inline(F.collect_list(F.struct("id", "a"))))
    ),
    "of groups, no group's column": case(lambda d, F, W: d.groupBy("id").agg(F.explode("a"))),
    "of groups, two": case(
        lambda d, F, W: d.groupBy("id").agg(
            F.explode(F.collect_list("a")), F.explode(F.collect_list("m")).alias("x")
        )
    ),
    "of groups, nested": case(lambda d, F, W: d.groupBy("id").agg(F.explode(F.first("a")) + 1)),
    "of groups, no array": case(lambda d, F, W: d.groupBy("id").agg(F.explode(F.max("id")))),
    "sorted by an aggregate": case(lambda d, F, W: d.orderBy(F.max("id"))),
    **{text: (lambda s, F, W, text=text: s.sql(text)) for text in TEXTS},
}
