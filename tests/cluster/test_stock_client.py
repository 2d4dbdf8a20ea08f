# SPDX-License-Identifier: Apache-2.0
"""Spark's own client (pyspark-client) against nbasparkd master."""

import threading
import time

import numpy as np
import pandas as pd
import pytest
from pyspark.errors import (
    AnalysisException,
    ArithmeticException,
    ParseException,
    PySparkException,
    UnsupportedOperationException,
)
from pyspark.sql import Row
from pyspark.sql import functions as F


def test_rows_and_frames(spark):
    assert spark.version == "4.2.0"
    assert [row.id for row in spark.range(5).collect()] == [0, 1, 2, 3, 4]
    assert spark.range(0).collect() == [] and spark.range(0).toPandas().empty
    assert len(spark.range(3).select().collect()) == 3
    frame = spark.createDataFrame([(1, "a"), (2, None)], ["x", "y"])
    assert frame.toPandas()["y"].tolist()[0] == "a"
    assert frame.groupBy("x").agg(F.count("y").alias("n")).orderBy("x").collect() == [
        Row(x=1, n=1),
        Row(x=2, n=0),
    ]
    assert spark.range(1000).toArrow().num_rows == 1000
    assert sum(row.id for row in spark.range(20000).toLocalIterator()) == 199990000


def test_show(spark, capsys):
    spark.range(2).show()
    assert capsys.readouterr().out == "+---+\n| id|\n+---+\n|  0|\n|  1|\n+---+\n\n"


def test_large_results_in_order(spark):
    table = spark.range(3_000_000).select("id", (F.col("id") * 2).alias("twice")).toArrow()
    ids = table["id"].to_numpy()
    assert table.num_rows == 3_000_000 and (np.diff(ids) == 1).all() and ids[0] == 0
    assert (table["twice"].to_numpy() == 2 * ids).all()


def test_uploaded_data(spark):
    """More than the threshold goes as artifacts in chunks, and only once."""
    frame = pd.DataFrame({"a": np.arange(200_000), "b": np.random.default_rng(1).random(200_000)})
    ours = spark.createDataFrame(frame)
    assert ours.agg(F.sum("a"), F.count("*")).collect()[0][0] == frame.a.sum()
    back = ours.toPandas()
    assert (back.a == frame.a).all() and (back.b == frame.b).all()
    assert spark.createDataFrame(frame).count() == 200_000


def test_configuration(spark, new_session):
    spark.conf.set("spark.sql.ansi.enabled", "false")
    assert spark.sql("select 1 / 0").collect()[0][0] is None
    other = new_session()
    assert other.conf.get("spark.sql.ansi.enabled") == "true"
    spark.conf.unset("spark.sql.ansi.enabled")
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"
    with pytest.raises(AnalysisException, match="CANNOT_MODIFY"):
        spark.conf.set("spark.sql.warehouse.dir", "x")


def test_catalog_and_views(spark, new_session):
    spark.range(3).createOrReplaceTempView("of_one_session")
    assert spark.catalog.tableExists("of_one_session")
    assert spark.sql("select count(*) from of_one_session").collect()[0][0] == 3
    assert [t.name for t in spark.catalog.listTables()] == ["of_one_session"]
    with pytest.raises(AnalysisException) as caught:
        new_session().table("of_one_session").collect()
    assert caught.value.getCondition() == "TABLE_OR_VIEW_NOT_FOUND"
    assert spark.catalog.dropTempView("of_one_session")
    assert spark.catalog.currentDatabase() == "default"


def test_typed_errors(spark):
    with pytest.raises(AnalysisException) as caught:
        spark.sql("select nope from range(3)").collect()
    error = caught.value
    assert error.getCondition() == "UNRESOLVED_COLUMN.WITH_SUGGESTION"
    assert error.getSqlState() == "42703"
    assert error.getMessageParameters() == {"objectName": "`nope`", "proposal": "`id`"}
    assert error.getQueryContext()[0].fragment() == "nope"
    with pytest.raises(ArithmeticException, match="DIVIDE_BY_ZERO"):
        spark.sql("select 1 / 0").collect()
    with pytest.raises(ParseException, match="PARSE_SYNTAX_ERROR"):
        spark.sql("selec 1")
    with pytest.raises(UnsupportedOperationException, match="NOT_IMPLEMENTED"):
        spark.range(1).write.bucketBy(2, "id").saveAsTable("t")


def test_foreach_partition(spark, tmp_path):
    path = str(tmp_path / "seen")

    def see(rows):
        with open(path, "a", encoding="utf-8") as f:
            f.write(str(sorted(r.id for r in rows)))

    spark.range(3).foreachPartition(see)
    assert (tmp_path / "seen").read_text(encoding="utf-8") == "[0, 1, 2]"


@pytest.mark.parametrize(
    ("name", "call"),
    [
        (
            "merge_into_table_command",
            lambda d: d.mergeInto("t", F.lit(True)).whenMatched().delete().merge(),
        ),
        ("streaming_query_manager_command", lambda d: d.sparkSession.streams.active),
        (
            "common_inline_user_defined_table_function",
            lambda d: F.udtf(Table, returnType="x int")(F.lit(1)).collect(),
        ),
    ],
)
def test_what_is_not_there_is_named(spark, name, call):
    with pytest.raises(PySparkException, match=r"\[NOT_IMPLEMENTED\]") as caught:
        call(spark.range(3))
    assert name in str(caught.value)


class Table:
    def eval(self, x):
        yield (x,)


def test_errors_longer_than_a_trailer(spark):
    name = "c" * 20_000
    with pytest.raises(AnalysisException) as caught:
        spark.range(1).select(name).collect()
    assert name in str(caught.value)
    assert caught.value.getMessageParameters()["objectName"] == f"`{name}`"


def test_files(spark, tmp_path):
    path = str(tmp_path / "out")
    spark.range(100).withColumn("k", F.col("id") % 3).write.csv(path, header=True)
    read = spark.read.csv(path, header=True, inferSchema=True)
    assert read.groupBy("k").count().orderBy("k").collect()[0]["count"] == 34
    with pytest.raises(AnalysisException, match="PATH_ALREADY_EXISTS"):
        spark.range(1).write.csv(path)


def test_compressed_plans(spark, new_session):
    session = new_session()
    session.conf.set("spark.connect.session.planCompression.threshold", "1000")
    values = [f"value {i}" for i in range(3000)]
    assert session.range(1).select(F.lit("value 17").isin(values).alias("x")).collect()[0].x


def test_deep_plans(spark):
    frame = spark.range(10)
    for _ in range(150):
        frame = frame.filter("id >= 0")
    assert frame.count() == 10


ENDLESS = "select sum(a.id * b.id % 7) from range(30000000) a, range(30000) b"


def interrupt_while(session, how, tag=None):
    """Run a long query and interrupt it; return what it raised and after how long."""
    caught = []

    def run():
        if tag:
            session.addTag(tag)  # of this thread
        try:
            session.sql(ENDLESS).collect()
        except Exception as error:
            caught.append((error, time.monotonic()))

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 20
    ids = []
    while not ids and time.monotonic() < deadline:
        time.sleep(0.1)
        started = time.monotonic()
        ids = how()
    thread.join(30)
    assert ids and caught, (ids, caught)
    return caught[0][0], caught[0][1] - started


def test_interrupts(new_session):
    session = new_session()
    error, seconds = interrupt_while(session, session.interruptAll)
    assert "OPERATION_CANCELED" in str(error) and seconds < 2
    error, _ = interrupt_while(session, lambda: session.interruptTag("slow"), "slow")
    assert "OPERATION_CANCELED" in str(error)
    assert session.interruptTag("slow") == []
    assert session.range(3).count() == 3


def test_sessions_end(master, new_session):
    session = new_session()
    session.range(1).count()
    session.client.release_session()
    with pytest.raises(Exception, match="SESSION_CLOSED"):
        session.range(1).count()


def test_clone(new_session):
    session = new_session()
    session.conf.set("spark.sql.ansi.enabled", "false")
    session.range(4).createOrReplaceTempView("kept")
    clone = session.cloneSession()
    assert clone.conf.get("spark.sql.ansi.enabled") == "false"
    assert clone.table("kept").count() == 4
    clone.conf.set("spark.sql.ansi.enabled", "true")
    assert session.conf.get("spark.sql.ansi.enabled") == "false"
    clone.client.release_session()


@pytest.mark.parametrize("kind", ["observed", "local", "transposed"])
def test_what_is_cached_outlives_its_query(master, new_session, kind):
    """Its rows come from memory of a query, which ends before the session does."""
    session = new_session()
    local = session.createDataFrame([("a", 1), ("b", 2)], "n string, x int")
    frame = {
        "observed": lambda: session.range(10).observe("seen", F.count(F.lit(1))),
        "local": lambda: local,
        "transposed": lambda: local.transpose(),
    }[kind]()
    frame.cache()
    n = frame.count()
    assert len(frame.collect()) == n
    session.createDataFrame([(i, "x" * 100) for i in range(5000)]).count()
    assert len(frame.collect()) == n
    session.stop()
    assert new_session().range(3).count() == 3


def test_machine_learning(spark):
    """The customer job's pipeline."""
    from pyspark.ml import Pipeline
    from pyspark.ml.clustering import KMeans
    from pyspark.ml.feature import StandardScaler, VectorAssembler

    rows = [(i % 3 * 30 + i % 2 * 0.5, i % 3 * 1000.0) for i in range(60)]
    frame = spark.createDataFrame(rows, ["age", "income"])
    pipeline = Pipeline(
        stages=[
            VectorAssembler(inputCols=["age", "income"], outputCol="raw"),
            StandardScaler(inputCol="raw", outputCol="features"),
            KMeans(k=3, seed=1),
        ]
    )
    model = pipeline.fit(frame)
    counts = model.transform(frame).groupBy("prediction").count().collect()
    assert sorted(row["count"] for row in counts) == [20, 20, 20]
    assert len(model.stages[-1].clusterCenters()) == 3
