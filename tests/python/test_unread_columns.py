# SPDX-License-Identifier: Apache-2.0
"""Columns that nothing above them reads change nothing, whatever made them."""

import pytest

from nbaspark.sql import Window
from nbaspark.sql import functions as F

ROWS = [(i % 3, i) for i in range(10)]


@pytest.fixture
def table(spark):
    return spark.createDataFrame(ROWS, "k int, id bigint")


def test_windows(table):
    window = Window.partitionBy("k").orderBy("id")
    numbered = table.withColumn("r", F.row_number().over(window))
    assert numbered.agg(F.sum("id")).collect()[0][0] == 45
    assert numbered.count() == 10
    assert sorted(r.id for r in numbered.select("id").collect()) == list(range(10))
    two = numbered.withColumn("s", F.sum("id").over(Window.partitionBy("k")))
    assert two.agg(F.max("r")).collect()[0][0] == 4
    assert two.filter("id < 5").agg(F.count("*")).collect()[0][0] == 5


def test_generators_and_joins(table):
    exploded = table.select("id", F.explode(F.array("k", "id")).alias("e"))
    assert exploded.agg(F.sum("id")).collect()[0][0] == 90
    joined = table.join(table.withColumnRenamed("id", "other"), "k")
    assert joined.count() == 34
