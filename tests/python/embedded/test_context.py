# SPDX-License-Identifier: Apache-2.0
"""spark.sparkContext, ends of sessions, and what is said to be missing."""

import pytest

from nbaspark import SparkConf, SparkContext
from nbaspark.errors import IllegalArgumentException, PySparkNotImplementedError
from nbaspark.sql import SparkSession
from nbaspark.sql import functions as F


def test_facts(spark):
    context = spark.sparkContext
    assert context.version == spark.version
    assert context.master == "local[2]" and context.defaultParallelism == 2
    assert context.appName == "tests"
    assert context.applicationId.startswith("local-")
    assert context.uiWebUrl is None
    assert isinstance(context.getConf(), SparkConf)
    assert "master=local[2]" in repr(context)


def test_log_level(spark):
    for level in ("ERROR", "warn"):
        spark.sparkContext.setLogLevel(level)
    with pytest.raises(IllegalArgumentException):
        spark.sparkContext.setLogLevel("LOUD")


def test_context_finds_the_session(spark):
    assert SparkContext.getOrCreate().version == spark.version


@pytest.mark.parametrize("name", ["parallelize", "textFile", "broadcast"])
def test_no_rdd(spark, name):
    with pytest.raises(PySparkNotImplementedError) as caught:
        getattr(spark.sparkContext, name)([1])
    assert caught.value.getCondition() == "NOT_IMPLEMENTED"
    assert name in caught.value.getMessageParameters()["feature"]


@pytest.mark.parametrize(
    "act",
    [
        lambda s: s.udtf.register("f", len),
        lambda s: s.readStream,
        lambda s: s.range(1).pandas_api(),
        lambda s: s.range(1).writeStream,
        lambda s: s.range(1).groupBy("id").applyInPandasWithState,
        lambda s: F.udtf(),
    ],
)
def test_absent_parts_say_so(spark, act):
    with pytest.raises(PySparkNotImplementedError):
        act(spark)


def test_sessions_are_apart(spark):
    other = spark.newSession()
    try:
        spark.range(1).createOrReplaceTempView("mine")
        assert not other.catalog.tableExists("mine")
        other.conf.set("my.key", "1")
        assert spark.conf.get("my.key", None) is None
        with pytest.raises(Exception, match="SESSION_NOT_SAME"):
            spark.range(1).union(other.range(1))
    finally:
        other.stop()


def test_stopped_session():
    session = SparkSession({"spark.master": "local[1]"})
    assert session.range(1).count() == 1
    session.stop()
    session.stop()
    assert session.is_stopped
    with pytest.raises(Exception):
        session.range(1).count()


def test_foreach(spark):
    seen = []
    spark.range(3).foreach(lambda row: seen.append(row.id))
    assert sorted(seen) == [0, 1, 2]


def test_foreach_partition(spark):
    seen = []
    spark.range(3).foreachPartition(lambda rows: seen.append([row.id for row in rows]))
    assert seen == [[0, 1, 2]]


def test_local_data_is_forgotten_with_its_frames(spark):
    df = spark.createDataFrame([(i,) for i in range(1000)], "a int")
    other = df.filter("a > 500")
    del df
    assert other.count() == 499


def test_master_elsewhere_is_not_built():
    with pytest.raises(PySparkNotImplementedError):
        SparkSession({"spark.master": "yarn"})
