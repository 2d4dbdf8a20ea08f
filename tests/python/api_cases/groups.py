# SPDX-License-Identifier: Apache-2.0
"""Aggregates, groups, rollups, pivots, joins and windows."""


def sales(s):
    return s.createDataFrame(
        [
            ("north", "a", 1, 10.0),
            ("north", "b", 2, 20.0),
            ("south", "a", 3, None),
            ("south", "a", 4, 5.5),
            ("south", None, None, 1.5),
            (None, "b", 6, 2.0),
        ],
        "region string, item string, n int, price double",
    )


def left(s):
    return s.createDataFrame([(1, "a"), (2, "b"), (2, "B"), (None, "n")], "k int, l string")


def right(s):
    return s.createDataFrame([(2, 20), (2, 22), (3, 30), (None, 0)], "k int, r int")


def ranked(s, F, W, *cols):
    return sales(s).select("region", "n", *cols).orderBy("region", "n")


def joined(how):
    return lambda s, F, W: left(s).join(right(s), "k", how)


def joined_on(how):
    def case(s, F, W):
        a, b = left(s), right(s)
        return a.join(b, a.k == b.k, how)

    return case


CASES = {
    "agg_all": lambda s, F, W: sales(s).agg(
        F.count("*"), F.count("n"), F.sum("n"), F.avg("n"), F.min("price"), F.max("item")
    ),
    "agg_of_nothing": lambda s, F, W: (
        sales(s)
        .filter("false")
        .agg(F.count("*"), F.sum("n"), F.avg("price"), F.max("item"), F.collect_list("n"))
    ),
    "agg_dict": lambda s, F, W: sales(s).agg({"n": "sum", "price": "max"}),
    "agg_names": lambda s, F, W: (
        sales(s)
        .agg(
            F.sum(F.col("n") + 1), F.countDistinct("item", "region"), F.count(F.lit(1)), F.mean("n")
        )
        .columns
    ),
    "agg_distinct": lambda s, F, W: sales(s).agg(
        F.count_distinct("item"), F.sum_distinct("n"), F.count_distinct("region", "item")
    ),
    "agg_statistics": lambda s, F, W: sales(s).agg(
        F.round(F.stddev("n"), 9),
        F.round(F.variance("n"), 9),
        F.round(F.stddev_pop("n"), 9),
        F.round(F.var_pop("n"), 9),
        F.round(F.skewness("n"), 9),
        F.round(F.kurtosis("n"), 9),
        F.round(F.corr("n", "price"), 9),
        F.round(F.covar_samp("n", "price"), 9),
        F.round(F.covar_pop("n", "price"), 9),
    ),
    "agg_statistics_of_one": lambda s, F, W: (
        sales(s)
        .filter("n = 1")
        .agg(F.stddev("n"), F.variance("n"), F.stddev_pop("n"), F.skewness("n"))
    ),
    "agg_quantiles": lambda s, F, W: sales(s).agg(
        F.median("n"),
        F.percentile("n", 0.25),
        F.percentile_approx("n", 0.5),
        F.percentile("n", [0.1, 0.9]),
    ),
    "agg_boolean": lambda s, F, W: sales(s).agg(
        F.bool_and(F.col("n") > 0),
        F.bool_or(F.col("n") > 5),
        F.count_if(F.col("n") > 2),
        F.every(F.col("n") > 1),
    ),
    "agg_bits": lambda s, F, W: sales(s).agg(F.bit_and("n"), F.bit_or("n"), F.bit_xor("n")),
    "agg_lists": lambda s, F, W: sales(s).agg(
        F.sort_array(F.collect_list("item")), F.sort_array(F.collect_set("item"))
    ),
    "agg_max_by": lambda s, F, W: sales(s).agg(F.max_by("item", "n"), F.min_by("item", "n")),
    "agg_first_last": lambda s, F, W: (
        sales(s)
        .coalesce(1)
        .agg(F.first("region"), F.last("region"), F.last("region", True), F.first("item"))
    ),
    "agg_product": lambda s, F, W: sales(s).agg(F.product("n")),
    "agg_mode": lambda s, F, W: sales(s).agg(F.mode("region")),
    "agg_approx_distinct": lambda s, F, W: s.range(1000).agg(F.approx_count_distinct("id") > 900),
    "agg_text_number": lambda s, F, W: sales(s).agg(F.sum("item")).schema,
    "agg_sum_text": lambda s, F, W: sales(s).agg(F.sum("item")),
    "agg_sum_overflow": lambda s, F, W: s.createDataFrame(
        [(9223372036854775807,), (1,)], "x bigint"
    ).agg(F.sum("x")),
    "agg_sum_decimal": lambda s, F, W: s.sql(
        "select sum(cast(id as decimal(10,2))) as x from range(5)"
    ),
    "agg_avg_decimal": lambda s, F, W: s.sql(
        "select avg(cast(id as decimal(10,2))) as x from range(4)"
    ),
    "agg_nested": lambda s, F, W: sales(s).agg(F.sum(F.max("n"))).schema,
    "group_count": lambda s, F, W: sales(s).groupBy("region").count(),
    "group_two_keys": lambda s, F, W: sales(s).groupBy("region", "item").agg(F.sum("n").alias("n")),
    "group_expression": lambda s, F, W: s.range(10).groupBy(F.col("id") % 3).count(),
    "group_aliased": lambda s, F, W: (
        s.range(10).groupBy((F.col("id") % 3).alias("m")).agg(F.max("id"))
    ),
    "group_ordinal": lambda s, F, W: sales(s).groupBy(1).count(),
    "group_sum_all": lambda s, F, W: sales(s).groupBy("region").sum(),
    "group_avg_some": lambda s, F, W: sales(s).groupBy("region").avg("price"),
    "group_min_max": lambda s, F, W: sales(s).groupBy("item").max("n", "price"),
    "group_not_numeric": lambda s, F, W: sales(s).groupBy("region").sum("item"),
    "group_dict": lambda s, F, W: sales(s).groupBy("region").agg({"n": "avg", "*": "count"}),
    "group_having": lambda s, F, W: sales(s).groupBy("region").count().filter("count > 1"),
    "group_unknown": lambda s, F, W: sales(s).groupBy("nothing").count().schema,
    "group_missing_key": lambda s, F, W: sales(s).groupBy("region").agg(F.col("item")).schema,
    "group_nan_and_zero": lambda s, F, W: (
        s.createDataFrame([(float("nan"),), (float("nan"),), (0.0,), (-0.0,), (None,)], "x double")
        .groupBy("x")
        .count()
    ),
    "group_many": lambda s, F, W: (
        s.range(5000)
        .groupBy(F.col("id") % 1000)
        .count()
        .agg(F.count("*"), F.min("count"), F.max("count"))
    ),
    "group_distinct_each": lambda s, F, W: (
        sales(s).groupBy("region").agg(F.countDistinct("item"), F.sum("n"), F.countDistinct("n"))
    ),
    "rollup": lambda s, F, W: sales(s).rollup("region", "item").agg(F.sum("n"), F.grouping_id()),
    "cube": lambda s, F, W: sales(s).cube("region", "item").agg(F.count("*"), F.grouping("item")),
    "grouping_sets": lambda s, F, W: (
        sales(s).groupingSets([["region"], ["item"], []], "region", "item").agg(F.sum("n"))
    ),
    "pivot_values": lambda s, F, W: sales(s).groupBy("region").pivot("item", ["a", "b"]).sum("n"),
    "pivot_unknown": lambda s, F, W: sales(s).groupBy("region").pivot("item").count(),
    "pivot_two_aggregates": lambda s, F, W: (
        sales(s)
        .groupBy("region")
        .pivot("item", ["a"])
        .agg(F.sum("n").alias("s"), F.max("price").alias("m"))
    ),
    "join_inner": joined("inner"),
    "join_left": joined("left"),
    "join_right": joined("right"),
    "join_full": joined("outer"),
    "join_semi": joined("left_semi"),
    "join_anti": joined("left_anti"),
    "join_cross_using": joined("cross"),
    "join_on_inner": joined_on("inner"),
    "join_on_left": joined_on("left"),
    "join_on_right": joined_on("right"),
    "join_on_full": joined_on("full"),
    "join_on_semi": joined_on("semi"),
    "join_on_anti": joined_on("anti"),
    "join_wrong_kind": lambda s, F, W: left(s).join(right(s), "k", "sideways"),
    "join_no_column": lambda s, F, W: left(s).join(right(s), "nothing").schema,
    "join_cross": lambda s, F, W: s.range(2).crossJoin(s.range(2).toDF("b")),
    "join_none": lambda s, F, W: s.range(2).join(s.range(2).toDF("b")),
    "join_two_keys": lambda s, F, W: sales(s).join(
        sales(s).groupBy("region", "item").count(), ["region", "item"]
    ),
    "join_not_equal": lambda s, F, W: (
        lambda a, b: a.join(b, a.k < b.k).select(a.k.alias("x"), b.k.alias("y"), "l", "r")
    )(left(s), right(s)),
    "join_not_equal_left": lambda s, F, W: (
        lambda a, b: a.join(b, a.k > b.k, "left").select("l", "r")
    )(left(s), right(s)),
    "join_and_filter": lambda s, F, W: (
        lambda a, b: a.join(b, (a.k == b.k) & (b.r > 20), "left").select("l", "r")
    )(left(s), right(s)),
    "join_null_safe": lambda s, F, W: (
        lambda a, b: a.join(b, a.k.eqNullSafe(b.k)).select("l", "r")
    )(left(s), right(s)),
    "join_self": lambda s, F, W: (
        left(s).alias("a").join(left(s).alias("b"), F.expr("a.k = b.k")).select("a.l", "b.l")
    ),
    "join_self_same": lambda s, F, W: (lambda a: a.join(a, "k").count())(left(s)),
    "join_broadcast": lambda s, F, W: left(s).join(F.broadcast(right(s)), "k"),
    "join_after_group": lambda s, F, W: left(s).join(
        right(s).groupBy("k").agg(F.sum("r").alias("total")), "k", "left"
    ),
    "join_types_widened": lambda s, F, W: s.range(3).join(left(s), F.col("id") == F.col("k")),
    "join_star_of_alias": lambda s, F, W: (
        left(s).alias("a").join(right(s).alias("b"), "k").select("a.*", "b.r")
    ),
    "join_ambiguous": lambda s, F, W: (lambda a, b: a.join(b, a.k == b.k).select("k").schema)(
        left(s), right(s)
    ),
    "join_drop_one": lambda s, F, W: (lambda a, b: a.join(b, a.k == b.k).drop(b.k))(
        left(s), right(s)
    ),
    "window_row_number_order": lambda s, F, W: ranked(
        s, F, W, F.row_number().over(W.partitionBy("region").orderBy("n")).alias("i")
    ),
    "window_ranks_order": lambda s, F, W: (
        s.createDataFrame([("a", 1), ("a", 1), ("a", 2), ("b", 5)], "k string, v int")
        .select(
            "k",
            "v",
            F.rank().over(W.partitionBy("k").orderBy("v")).alias("r"),
            F.dense_rank().over(W.partitionBy("k").orderBy("v")).alias("d"),
            F.percent_rank().over(W.partitionBy("k").orderBy("v")).alias("p"),
            F.cume_dist().over(W.partitionBy("k").orderBy("v")).alias("c"),
        )
        .orderBy("k", "v")
    ),
    "window_ntile_order": lambda s, F, W: (
        s.range(7).select("id", F.ntile(3).over(W.orderBy("id")).alias("t")).orderBy("id")
    ),
    "window_lag_lead_order": lambda s, F, W: ranked(
        s,
        F,
        W,
        F.lag("n").over(W.partitionBy("region").orderBy("n")).alias("before"),
        F.lead("n", 1, -1).over(W.partitionBy("region").orderBy("n")).alias("after"),
    ),
    "window_running_sum_order": lambda s, F, W: ranked(
        s, F, W, F.sum("n").over(W.partitionBy("region").orderBy("n")).alias("so_far")
    ),
    "window_whole_order": lambda s, F, W: ranked(
        s,
        F,
        W,
        F.avg("n").over(W.partitionBy("region")).alias("mean"),
        F.count("*").over(W.partitionBy("region")),
    ),
    "window_rows_frame_order": lambda s, F, W: (
        s.range(6)
        .select("id", F.sum("id").over(W.orderBy("id").rowsBetween(-1, 1)).alias("s"))
        .orderBy("id")
    ),
    "window_range_frame_order": lambda s, F, W: (
        s.createDataFrame([(1,), (2,), (4,), (7,)], "x int")
        .select("x", F.count("*").over(W.orderBy("x").rangeBetween(-2, 0)).alias("c"))
        .orderBy("x")
    ),
    "window_first_last_order": lambda s, F, W: (
        s.range(4)
        .select(
            "id",
            F.first("id").over(W.orderBy("id")).alias("f"),
            F.last("id").over(W.orderBy("id").rowsBetween(0, W.unboundedFollowing)).alias("l"),
            F.nth_value("id", 2).over(W.orderBy("id")).alias("n"),
        )
        .orderBy("id")
    ),
    "window_descending_order": lambda s, F, W: (
        s.range(4)
        .select("id", F.row_number().over(W.orderBy(F.desc("id"))).alias("i"))
        .orderBy("id")
    ),
    "window_after_group": lambda s, F, W: (
        sales(s)
        .groupBy("region")
        .agg(F.sum("n").alias("t"))
        .withColumn("share", F.col("t") / F.sum("t").over(W.partitionBy()))
    ),
    "window_filtered": lambda s, F, W: (
        sales(s)
        .withColumn("i", F.row_number().over(W.partitionBy("region").orderBy(F.desc("n"))))
        .filter("i = 1")
        .drop("i")
    ),
    "window_in_filter": lambda s, F, W: (
        sales(s).filter(F.row_number().over(W.orderBy("n")) == 1).schema
    ),
    "window_rank_without_order": lambda s, F, W: (
        sales(s).select(F.rank().over(W.partitionBy("n"))).schema
    ),
}
