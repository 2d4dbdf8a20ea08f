# SPDX-License-Identifier: Apache-2.0
"""What counts rows counts them in Spark's partitions: those of a union are numbered on from branch to branch, wherever the branches run.

The partitions below are those of Spark 4.2; plans whose partitions depend on the number of cores are left out.
"""

from __future__ import annotations

from collections import Counter

import pytest

from nbaspark.sql import functions as F


def numbers(df):
    """Of each row: id, partition, number in the partition, and what rand gives there."""
    rows = df.select(
        "id", F.spark_partition_id(), F.monotonically_increasing_id(), F.rand(5)
    ).collect()
    assert all(number >> 33 == partition for _, partition, number, _ in rows)
    return [(i, partition, number & ((1 << 33) - 1), rand) for i, partition, number, rand in rows]


@pytest.fixture
def a(spark):
    return spark.range(0, 6, 1, 3)


@pytest.fixture
def b(spark):
    return spark.range(10, 16, 1, 2)


@pytest.fixture
def check(spark):
    rands = {at: rand for _, *at, rand in numbers(spark.range(0, 120, 1, 10)) for at in [tuple(at)]}

    def check_numbers(df, *partitions):
        assert numbers(df) == [
            (i, partition, number, rands[partition, number])
            for partition, ids in enumerate(partitions)
            for number, i in enumerate(ids)
        ]

    return check_numbers


A, B = ([0, 1], [2, 3], [4, 5]), ([10, 11, 12], [13, 14, 15])


def test_unions(spark, check, a, b):
    check(a.union(b), *A, *B)
    check(a.union(b).union(a), *A, *B, *A)
    check(b.union(a.union(b)), *B, *A, *B)
    check(a.filter("id > 100").union(b), [], [], [], *B)
    check(spark.range(0).union(b), *B)
    check(spark.range(0, 2, 1, 7).union(b), [], [], [], [0], [], [], [1], *B)
    check(
        a.select(F.explode(F.array("id", "id")).alias("id")).union(b),
        *([i, i, k, k] for i, k in A),
        *B,
    )


def test_below_a_union(a, b):
    apart = [(x, p, n, r) for df in (a, b) for x, p, n, r in numbers(df)]
    made = [
        df.select("id", F.spark_partition_id(), F.monotonically_increasing_id(), F.rand(5))
        for df in (a, b)
    ]
    found = made[0].union(made[1]).collect()
    assert [(x, p, n & ((1 << 33) - 1), r) for x, p, n, r in found] == apart


def test_one_partition(check, a, b):
    """What gathers all rows gives one partition."""
    check(a.union(b).limit(7), [0, 1, 2, 3, 4, 5, 10])
    check(a.union(b).offset(3), [3, 4, 5, 10, 11, 12, 13, 14, 15])
    check(a.union(b).limit(3).union(b), [0, 1, 2], *B)
    check(a.orderBy(F.desc("id")).union(b), [5, 4, 3, 2, 1, 0], *B)
    check(a.orderBy(F.desc("id")).limit(3).union(b), [5, 4, 3], *B)
    check(a.select((F.col("id") * 0).alias("id")).distinct().union(b), [0], *B)


def test_repartitioned(spark, check, a, b):
    check(spark.range(0, 1, 1, 1).repartition(5).union(b), [], [], [], [], [0], *B)
    check(
        spark.range(0, 8, 1, 2).repartitionByRange(4, "id").union(b),
        [0, 1],
        [2, 3],
        [4, 5],
        [6, 7],
        *B,
    )
    check(spark.range(0, 8, 1, 4).coalesce(2).union(b), [0, 1, 2, 3], [4, 5, 6, 7], *B)
    check(spark.range(0, 8, 1, 4).filter("id < 4").coalesce(2).union(b), [0, 1, 2, 3], [], *B)
    check(a.union(b).coalesce(2), [0, 1, 2, 3], [4, 5, 10, 11, 12, 13, 14, 15])
    check(
        a.union(b).sortWithinPartitions(F.desc("id")),
        *(list(reversed(ids)) for ids in (*A, *B)),
    )


def test_rows_drawn(a, b):
    both = a.union(b)
    assert [i for (i,) in both.sample(fraction=0.5, seed=3).collect()] == [
        0,
        3,
        4,
        5,
        10,
        12,
        13,
        14,
    ]
    assert [i for (i,) in both.filter(F.rand(7) > 0.5).collect()] == [3, 4, 11, 12]


def test_numbers_are_unique(spark, a, b):
    """Where partitions are not known, at least no two rows have the same number."""
    left = spark.range(0, 3000, 1, 3).withColumn("k", F.col("id") % 900)
    right = spark.range(500, 1500, 1, 4).withColumnRenamed("id", "k")
    groups = left.groupBy("k").count().select("k")
    for df in (
        left.join(right, "k", "full").select("k"),
        left.join(right, "k").select("k").union(groups),
        groups.union(groups),
        left.select("k").union(groups).coalesce(2),
        left.join(right, "k", "left_anti").select("k").union(right),
    ):
        found = [i for (i,) in df.select(F.monotonically_increasing_id()).collect()]
        assert len(found) == df.count()
        assert max(Counter(found).values()) == 1


def test_files_of_a_union(spark, tmp_path, a, b):
    """No task's file takes another's place."""
    both = a.union(b).union(a.groupBy("id").count().select("id"))
    both.write.parquet(str(tmp_path / "rows"))
    found = spark.read.parquet(str(tmp_path / "rows")).collect()
    assert sorted(i for (i,) in found) == sorted([*range(6), *range(6), *range(10, 16)])
