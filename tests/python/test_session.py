# SPDX-License-Identifier: Apache-2.0
"""Sessions: life, configuration, views and catalog, interrupts, use from several threads."""

import threading

import pytest

from nbaspark.errors import AnalysisException, PySparkException, SparkNoSuchElementException
from nbaspark.sql import SparkSession
from nbaspark.sql import functions as F


def test_get_or_create_finds_the_session(spark):
    assert SparkSession.builder.getOrCreate().range(2).count() == 2
    assert SparkSession.getActiveSession() is not None
    assert SparkSession.active().version == spark.version


def test_version(spark):
    assert spark.version.startswith("4.")


def test_configuration(spark):
    spark.conf.set("spark.sql.shuffle.partitions", 7)
    assert spark.conf.get("spark.sql.shuffle.partitions") == "7"
    spark.conf.set("spark.sql.ansi.enabled", True)
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"
    spark.conf.unset("spark.sql.shuffle.partitions")
    assert spark.conf.get("spark.sql.shuffle.partitions") != "7"
    spark.conf.set("spark.sql.shuffle.partitions", "4")
    assert spark.conf.get("my.own", None) is None
    assert spark.conf.get("my.own", "x") == "x"
    spark.conf.set("my.own", "y")
    assert spark.conf.getAll["my.own"] == "y"
    spark.conf.unset("my.own")
    assert spark.conf.isModifiable("spark.sql.ansi.enabled")
    with pytest.raises(SparkNoSuchElementException):
        spark.conf.get("spark.sql.there.is.no.such.key")


@pytest.mark.parametrize(
    "key",
    [
        "spark.sql.warehouse.dir",
        "spark.connect.grpc.binding.port",
        "spark.connect.copyFromLocalToFs.allowDestLocal",
    ],
)
def test_keys_of_the_start_stay(spark, key):
    for change in (
        lambda: spark.conf.set(key, "1"),
        lambda: spark.conf.unset(key),
        lambda: spark.sql(f"SET {key}=1"),
    ):
        with pytest.raises(AnalysisException) as caught:
            change()
        assert caught.value.getCondition() == "CANNOT_MODIFY_STATIC_CONFIG"
        assert caught.value.getMessageParameters() == {"key": f'"{key}"'}
    spark.conf.set("spark.connect.progress.reportInterval", "2s")
    spark.conf.unset("spark.connect.progress.reportInterval")


def test_builder_configures_the_running_session(spark):
    SparkSession.builder.config("spark.sql.session.timeZone", "America/Bahia").getOrCreate()
    try:
        assert spark.conf.get("spark.sql.session.timeZone") == "America/Bahia"
        shown = spark.sql("select timestamp'2020-01-01 00:00:00Z' as t").select(
            F.col("t").cast("string")
        )
        assert shown.first()[0] == "2019-12-31 21:00:00"
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")


def test_ansi_off(spark):
    spark.conf.set("spark.sql.ansi.enabled", "false")
    try:
        row = spark.sql("select 1 / 0 as a, cast('x' as int) as b, 2147483647 + 1 as c").first()
        assert tuple(row) == (None, None, -2147483648)
    finally:
        spark.conf.set("spark.sql.ansi.enabled", "true")


def test_views(spark):
    spark.range(3).createOrReplaceTempView("numbers")
    assert spark.catalog.tableExists("numbers")
    assert [t.name for t in spark.catalog.listTables() if t.isTemporary] == ["numbers"]
    assert spark.table("numbers").count() == 3
    spark.range(5).createOrReplaceTempView("numbers")
    assert spark.sql("select count(*) from numbers").first()[0] == 5
    assert [(c.name, c.dataType) for c in spark.catalog.listColumns("numbers")] == [
        ("id", "bigint")
    ]
    assert spark.catalog.dropTempView("numbers")
    assert not spark.catalog.dropTempView("numbers")
    with pytest.raises(AnalysisException) as caught:
        spark.table("numbers").count()
    assert caught.value.getCondition() == "TABLE_OR_VIEW_NOT_FOUND"


def test_catalog_facts(spark):
    assert spark.catalog.currentCatalog() == "spark_catalog"
    assert spark.catalog.currentDatabase() == "default"
    assert spark.catalog.databaseExists("default")
    assert spark.catalog.functionExists("upper")
    assert not spark.catalog.functionExists("nothing_of_this_name")


def test_view_sees_later_views(spark):
    spark.range(3).createOrReplaceTempView("base")
    doubled = spark.sql("select id * 2 as x from base")
    assert sorted(r.x for r in doubled.collect()) == [0, 2, 4]


def test_parse_error_comes_at_once(spark):
    with pytest.raises(PySparkException) as caught:
        spark.sql("selekt 1")
    assert caught.value.getCondition() == "PARSE_SYNTAX_ERROR"
    assert caught.value.getSqlState() == "42601"


def test_analysis_error_comes_late(spark):
    df = spark.range(1).select("nothing")
    with pytest.raises(AnalysisException):
        df.collect()


def test_error_leaves_the_session_usable(spark):
    for _ in range(3):
        with pytest.raises(PySparkException):
            spark.range(10).select(F.raise_error("no")).collect()
        assert spark.range(10).count() == 10


def test_cache_is_used_until_unpersisted(spark):
    df = spark.range(10).withColumn("r", F.rand())
    df.cache()
    first = df.collect()
    assert df.collect() == first
    assert df.is_cached and df.storageLevel.useMemory
    df.unpersist()
    assert not df.is_cached


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (
            "SELECT id FROM c_n WHERE id > (SELECT avg(id) FROM c_n)",
            [(i,) for i in range(1000, 2000)],
        ),
        (
            "SELECT a.id FROM c_n a WHERE a.id IN (SELECT id * 500 FROM c_n)",
            [(0,), (500,), (1000,), (1500,)],
        ),
        # pairs of all rows would take minutes
        (
            "SELECT a.id FROM c_n a, c_n b, c_n c WHERE a.id = b.id AND c.id = b.id + 1998",
            [(0,), (1,)],
        ),
    ],
)
@pytest.mark.parametrize("how", ["cache", "statement"])
def test_the_first_query_over_what_is_cached_is_planned_as_any_other(spark, query, wanted, how):
    spark.range(2000).createOrReplaceTempView("c_n")
    if how == "cache":
        df = spark.sql(query).cache()
    else:
        spark.sql(query).createOrReplaceTempView("c_q")
        spark.sql("CACHE TABLE c_q")
        df = spark.table("c_q")
    assert sorted(tuple(r) for r in df.collect()) == wanted
    assert sorted(tuple(r) for r in df.collect()) == wanted
    spark.catalog.clearCache()


def test_threads_share_a_session(spark):
    totals, errors = {}, []

    def work(n):
        try:
            for _ in range(3):
                totals[n] = spark.range(n * 1000).agg(F.sum("id")).first()[0]
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert totals == {n: n * 1000 * (n * 1000 - 1) // 2 for n in range(1, 7)}


def test_eager_evaluation(spark):
    df = spark.range(2).coalesce(1)
    spark.conf.set("spark.sql.repl.eagerEval.enabled", "true")
    try:
        assert repr(df) == "+---+\n| id|\n+---+\n|  0|\n|  1|\n+---+\n"
        assert "<td>1</td>" in df._repr_html_()
        assert repr(df) == "DataFrame[id: bigint]"
    finally:
        spark.conf.unset("spark.sql.repl.eagerEval.enabled")
