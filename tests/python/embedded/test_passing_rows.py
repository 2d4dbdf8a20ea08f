# SPDX-License-Identifier: Apache-2.0
"""The first step of an aggregate lets rows pass when its groups hardly repeat: the same groups come out as without steps."""

import pytest

from nbaspark.sql import functions as F

N = 300_000
KEYS = {
    "each row its own": F.col("id") * 7919 % 1_000_003,
    "few, then many": F.when(F.col("id") < N // 2, F.col("id") % 10).otherwise(F.col("id")),
    "text": F.concat(F.lit("key "), (F.col("id") * 7919 % 250_007).cast("string")),
    "with nulls": F.when(F.col("id") % 3 != 0, F.col("id") * 31 % 270_001),
}
AGGREGATES = [
    F.count("*").alias("rows"),
    F.count("v").alias("values"),
    F.sum("v").alias("sum"),
    F.avg("v").alias("avg"),
    F.min("t").alias("min"),
    F.max("t").alias("max"),
    F.sum(F.col("v") + 1).alias("more"),
    F.stddev("v").alias("stddev"),
    F.bit_xor("id").alias("xor"),
]


@pytest.fixture
def under(session):
    """A function that makes sessions under such settings; they end with the test."""
    made = []

    def make(**conf):
        made.append(session.newSession())
        for key, value in conf.items():
            made[-1].conf.set(f"nbaspark.debug.{key}", value)
        return made[-1]

    yield make
    for each in made:
        each.stop()


def grouped(spark, key, n, aggregates):
    rows = spark.range(0, n, 1, 3).select(
        "id",
        key.alias("k"),
        F.when(F.col("id") % 5 != 0, F.col("id") % 1000).alias("v"),
        F.col("id").cast("string").alias("t"),
    )
    groups = rows.groupBy("k").agg(*aggregates) if aggregates else rows.select("k").distinct()
    return sorted(map(tuple, groups.collect()), key=repr)


@pytest.mark.parametrize("name", KEYS)
def test_groups(under, name):
    whole = grouped(under(), KEYS[name], N, AGGREGATES)
    assert grouped(under(stages="3"), KEYS[name], N, AGGREGATES) == whole


@pytest.mark.parametrize("name", KEYS)
def test_from_the_first_batch_and_with_spilling(under, name):
    whole = grouped(under(), KEYS[name], 5000, AGGREGATES)
    small = under(stages="3", forceSpill="true", batchRows="100")
    assert grouped(small, KEYS[name], 5000, AGGREGATES) == whole


def test_distinct_rows(under):
    key = KEYS["with nulls"]
    assert grouped(under(stages="3"), key, N, []) == grouped(under(), key, N, [])


def test_filters_and_order_stay_with_groups(under):
    key = KEYS["each row its own"]
    aggregates = [
        F.expr("sum(v) filter (where v > 500)").alias("a"),
        F.first("t").alias("b"),
    ]
    assert grouped(under(stages="3"), key, N, aggregates) == grouped(under(), key, N, aggregates)
