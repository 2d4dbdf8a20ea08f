# SPDX-License-Identifier: Apache-2.0
"""Metrics of the rows that go by: df.observe() and Observation."""


def seen(frame, *metrics, act=lambda df: df.collect(), name=None):
    """What an observation has after an action."""
    from nbaspark.sql import Observation

    observation = Observation(name)
    act(frame.observe(observation, *metrics))
    return observation.get


def count(F):
    return F.count(F.lit(1)).alias("n")


def written(path, act):
    def run(df):
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            act(df, f"{folder}/{path}")

    return run


def two(s, F):
    from nbaspark.sql import Observation

    first, second = Observation("first"), Observation("second")
    frame = s.range(10).observe(first, count(F)).filter("id > 5")
    frame.observe(second, count(F), F.avg("id").alias("mean")).count()
    return first.get, second.get


def by_two_frames(s, F):
    from nbaspark.sql import Observation

    observation = Observation("o")
    s.range(10).observe(observation, count(F))
    return s.range(3).observe(observation, count(F))


def before(s, F):
    from nbaspark.sql import Observation

    observation = Observation("o")
    s.range(10).observe(observation, count(F))
    return observation.get


def unused(s):
    from nbaspark.sql import Observation

    return Observation("o").get


def made(*args):
    from nbaspark.sql import Observation

    return Observation(*args)


def again(s, F):
    from nbaspark.sql import Observation

    observation = Observation("o")
    frame = s.range(10).observe(observation, count(F))
    frame.collect()
    first = dict(observation.get)
    frame.filter("id > 3").collect()
    return first, observation.get


def same_name(s, F):
    from nbaspark.sql import Observation

    left, right = Observation("o"), Observation("o")
    s.range(3).observe(left, count(F)).collect()
    s.range(5).observe(right, count(F)).collect()
    return left.get, right.get


def through_view(s, F):
    def act(df):
        df.createOrReplaceTempView("observed_view")
        s.sql("SELECT * FROM observed_view").collect()
        s.catalog.dropTempView("observed_view")

    return seen(s.range(10), count(F), act=act)


def refusal(df):
    from nbaspark.errors import PySparkException

    try:
        return df.collect()
    except PySparkException as error:
        return type(error).__name__


def joined(df):
    from nbaspark.sql import functions as F

    df.join(df.withColumnRenamed("id", "x"), F.expr("id = x")).count()


VALUES = """SELECT 1Y a, 2S b, 3 c, 4L d, 1.5F e, 2.5D f, CAST(1.25 AS DECIMAL(5,2)) g, DATE'2020-01-02' h,
    TIMESTAMP'2020-01-02 03:04:05.678901' i, 'x' j, true k, X'01' l, array(1, NULL) m, map('a', 1.5D) n,
    struct(1 AS p, 'z' AS q) o, NULL r, TIMESTAMP_NTZ'2020-01-02 03:04:05' t, INTERVAL '1' DAY u,
    CAST(12345678901234567890.12 AS DECIMAL(30,3)) v, array(struct(DATE'2020-01-02' AS z)) w, -5000L x"""

CASES = {
    "counts": lambda s, F, W: seen(s.range(10), count(F), F.max("id").alias("most"), F.sum("id")),
    "named": lambda s, F, W: seen(s.range(10), count(F), name="o"),
    "no_rows": lambda s, F, W: seen(s.range(0), count(F), F.max("id").alias("most")),
    "no_columns": lambda s, F, W: seen(s.range(4).select(), count(F)),
    "literals": lambda s, F, W: seen(s.range(10), F.lit(42).alias("l"), F.lit(None).alias("none")),
    "expression_over_aggregates": lambda s, F, W: seen(
        s.range(10),
        (F.sum("id") / F.count("id") + F.lit(1)).alias("z"),
        F.expr("max(id) - min(id)"),
    ),
    "values": lambda s, F, W: seen(
        s.sql(VALUES), *[F.first(c).alias(c) for c in "abcdefghijklmnortuvwx"]
    ),
    "collected_lists": lambda s, F, W: seen(
        s.range(3).coalesce(1),
        F.collect_list("id").alias("ids"),
        F.percentile("id", 0.5).alias("p"),
    ),
    "filter_below": lambda s, F, W: seen(s.range(10).filter("id > 6"), count(F)),
    "filter_above": lambda s, F, W: seen(
        s.range(10), count(F), act=lambda df: df.filter("id > 6").collect()
    ),
    "sorted_above": lambda s, F, W: seen(
        s.range(10), count(F), act=lambda df: df.sort("id").collect()
    ),
    "aggregate_above": lambda s, F, W: seen(
        s.range(10), count(F), act=lambda df: df.groupBy(F.expr("id % 2")).count().collect()
    ),
    "aggregate_below": lambda s, F, W: seen(
        s.range(10).groupBy(F.expr("id % 3 as k")).count(), F.sum("count").alias("t"), count(F)
    ),
    "union": lambda s, F, W: seen(
        s.range(10), count(F), act=lambda df: df.union(s.range(5)).collect()
    ),
    "self_join": lambda s, F, W: seen(s.range(10), count(F), act=joined),
    "two": lambda s, F, W: two(s, F),
    "same_name_apart": lambda s, F, W: same_name(s, F),
    "counted": lambda s, F, W: seen(s.range(10), count(F), act=lambda df: df.count()),
    "to_pandas": lambda s, F, W: seen(s.range(10), count(F), act=lambda df: df.toPandas()),
    "to_arrow": lambda s, F, W: seen(s.range(10), count(F), act=lambda df: df.toArrow()),
    "iterated": lambda s, F, W: seen(
        s.range(10), count(F), act=lambda df: list(df.toLocalIterator())
    ),
    "parquet": lambda s, F, W: seen(
        s.range(10), count(F), act=written("p", lambda df, path: df.write.parquet(path))
    ),
    "csv": lambda s, F, W: seen(
        s.range(10), count(F), act=written("c", lambda df, path: df.write.csv(path))
    ),
    "cached_above": lambda s, F, W: seen(s.range(10), count(F), act=lambda df: df.cache().count()),
    "view": lambda s, F, W: through_view(s, F),
    "again": lambda s, F, W: again(s, F),
    "before": lambda s, F, W: before(s, F),
    "rows_unchanged": lambda s, F, W: s.range(3).observe("o", count(F)),
    "schema": lambda s, F, W: s.range(3).observe("o", count(F)).schema.simpleString(),
    "columns_unchanged": lambda s, F, W: (
        s.range(3).withColumn("b", F.col("id") * 2).observe("o", count(F)).select("b", "id")
    ),
    "qualified_above": lambda s, F, W: s.range(2).alias("r").observe("o", count(F)).select("r.id"),
    "unused": lambda s, F, W: unused(s),
    "by_two_frames": lambda s, F, W: by_two_frames(s, F),
    "empty_name": lambda s, F, W: made(""),
    "name_of_other_type": lambda s, F, W: made(3),
    "empty_text": lambda s, F, W: refusal(s.range(3).observe("", count(F))),
    "no_metrics": lambda s, F, W: s.range(3).observe("o"),
    "metric_as_text": lambda s, F, W: s.range(3).observe("o", "count(id)"),
    "observation_of_other_type": lambda s, F, W: s.range(3).observe(5, count(F)),
    "column_alone": lambda s, F, W: s.range(3).observe("o", F.col("id")).collect(),
    "column_beside": lambda s, F, W: (
        s.range(3).observe("o", (F.sum("id") + F.col("id")).alias("x")).collect()
    ),
    "column_absent": lambda s, F, W: s.range(3).observe("o", F.sum("nope")).collect(),
    "aggregates_nested": lambda s, F, W: s.range(3).observe("o", F.sum(F.sum("id"))).collect(),
    "distinct": lambda s, F, W: (
        s.range(3).observe("o", F.count_distinct("id").alias("d")).collect()
    ),
    "window": lambda s, F, W: (
        s.range(3).observe("o", F.sum("id").over(W.partitionBy("id")).alias("d")).collect()
    ),
    "name_twice": lambda s, F, W: (
        s.range(3).observe("o", count(F)).observe("o", F.max("id").alias("m")).collect()
    ),
    "fault_of_rows": lambda s, F, W: seen(
        s.range(3).selectExpr("1 / (id - 1) AS z"), F.sum("z").alias("t")
    ),
    "fault_of_metric": lambda s, F, W: seen(
        s.range(3), F.sum(F.lit(1) / (F.col("id") - 1)).alias("t")
    ),
}
