# SPDX-License-Identifier: Apache-2.0
"""Plans that are no plans: cut, random, bent and nested 100,000 deep. Each is an error or an answer, and the session goes on."""

import random

import pytest

from nbaspark import _core
from nbaspark.errors import PySparkException
from nbaspark.sql import functions as F


def execute(spark, data):
    """Run bytes as a plan; the condition of the error, or None."""
    try:
        spark._channel._session.execute(data)
    except PySparkException as error:
        assert str(error)
        return error.getCondition()
    return None


def works(spark):
    return spark.range(3).selectExpr("sum(id)").collect()[0][0] == 3


@pytest.fixture
def plan(spark):
    """The bytes of a query with a bit of everything."""
    df = (
        spark.range(20)
        .select("id", (F.col("id") % 3).alias("k"), F.lit("é").alias("s"))
        .filter("k > 0 and s like '%é'")
        .groupBy("k")
        .agg(F.sum("id").alias("n"), F.collect_list("s"))
        .orderBy(F.desc("n"))
    )
    return _core.message_pack("spark.connect.Plan", {"root": df._plan})


def test_plans_that_are_cut(spark, plan):
    conditions = {execute(spark, plan[:n]) for n in range(len(plan))}
    assert None not in conditions
    assert "CONNECT_INVALID_PLAN.CANNOT_PARSE" in conditions
    assert execute(spark, plan) is None and works(spark)


def test_plans_of_random_bytes(spark):
    chance = random.Random(7)
    for _ in range(3000):
        assert execute(spark, chance.randbytes(chance.randrange(1, 60))) is not None
    assert works(spark)


def test_plans_with_bytes_changed(spark, plan):
    chance = random.Random(8)
    for _ in range(1500):
        bent = bytearray(plan)
        for _ in range(chance.randrange(1, 4)):
            bent[chance.randrange(len(bent))] = chance.randrange(256)
        execute(spark, bytes(bent))
    assert works(spark)


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def nested(depth, fields, inner):
    """`inner` below `depth` messages, each in the fields of these numbers."""
    heads, size = [], len(inner)
    for _ in range(depth):
        for field in fields:
            head = varint(field << 3 | 2) + varint(size)
            heads.append(head)
            size += len(head)
    return b"".join([*reversed(heads), inner])


FIELDS = {
    # Relation.limit.input; Relation.subquery_alias.input; Plan.root is 1
    "relations": lambda depth: nested(1, [1], nested(depth, [1, 8], b"")),
    "aliases": lambda depth: nested(1, [1], nested(depth, [1, 16], b"")),
    # Relation.project.expressions of Expression.alias.expr
    "expressions": lambda depth: nested(1, [3, 3, 1], nested(depth, [1, 6], b"")),
}


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("depth", [10, 1000, 10_000, 100_000])
def test_plans_that_are_nested_deeply(spark, kind, depth):
    assert execute(spark, FIELDS[kind](depth)) is not None
    assert works(spark)
