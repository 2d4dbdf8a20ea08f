# SPDX-License-Identifier: Apache-2.0
"""spark.sql.files.allowedPaths: a server's queries read and write in some directories only, whatever a path looks like."""

import os

import pytest
from harness import Cluster, Master, connect
from pyspark.errors import AnalysisException


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Return directories: one that is allowed, one that is not, both with files, and links between them."""
    root = tmp_path_factory.mktemp("places")
    inside, outside = root / "inside", root / "outside"
    for place in (inside, outside):
        (place / "table").mkdir(parents=True)
        (place / "a.csv").write_text("1\n")
        (place / "table" / "b.csv").write_text("2\n")
    (inside / "link.csv").symlink_to(outside / "a.csv")
    (inside / "linked").symlink_to(outside)
    (inside / "part").mkdir()
    (inside / "part" / "k=1").symlink_to(outside / "table")
    (inside / "nothing").symlink_to(outside / "made")
    (root / "inside2").mkdir()
    (root / "inside2" / "a.csv").write_text("3\n")
    (root / "entry").symlink_to(inside)
    return root


@pytest.fixture(scope="module")
def confined(places):
    conf = places / "spark-defaults.conf"
    conf.write_text(
        f"spark.sql.files.allowedPaths {places}/inside , file:{places}/later\n"
        f"spark.sql.warehouse.dir {places}/warehouse\n"
    )
    master = Master("--properties-file", str(conf))
    session = connect(master.url)
    yield session
    session.stop()
    assert master.stop() == 0, master.log


READS = [
    "outside/a.csv",
    "outside",
    "outside/*.csv",
    "outside/not-there.csv",
    "inside/link.csv",
    "inside/linked/a.csv",
    "inside/linked",
    "inside/linked/*",
    "inside/../outside/a.csv",
    "inside/nothing-here/../../outside/a.csv",
    "inside/*/../../outside/a.csv",
    "{inside,outside}/a.csv",
    "inside/{.,linked}/a.csv",
    "*side/a.csv",
    "inside2/a.csv",
    "inside/part/k=1/b.csv",
    "inside/part",
    "inside/nothing",
]


def refused(call):
    with pytest.raises(AnalysisException) as caught:
        call()
    assert caught.value.getCondition() == "PATH_NOT_ALLOWED", caught.value
    assert caught.value.getSqlState() == "42501"


@pytest.mark.parametrize("path", READS)
def test_reads_outside(confined, places, path):
    refused(lambda: confined.read.csv(f"{places}/{path}").collect())


@pytest.mark.parametrize("scheme", ["file:", "file://", "file:///../"])
def test_schemes(confined, places, scheme):
    refused(lambda: confined.read.csv(f"{scheme}{places}/outside/a.csv").collect())


@pytest.mark.parametrize("form", ["text", "json", "parquet", "csv"])
def test_formats(confined, places, form):
    refused(lambda: confined.read.format(form).load(f"{places}/outside/a.csv").collect())
    refused(lambda: confined.sql(f"SELECT * FROM {form}.`{places}/outside/a.csv`").collect())


def test_reads_inside(confined, places):
    for path in (
        "inside/a.csv",
        "inside/a*",
        "inside/table/../a.csv",
        "entry/a.csv",
        "inside/./a.csv",
    ):
        assert confined.read.csv(f"{places}/{path}").collect()[0][0] == "1", path


WRITES = ["outside/out", "inside/linked/out", "inside/../outside/out", "inside/x/../../outside/out"]


@pytest.mark.parametrize("path", [*WRITES, "inside/nothing", "inside/nothing/below"])
@pytest.mark.parametrize("mode", ["overwrite", "append", "ignore", "error"])
def test_writes_outside(confined, places, path, mode):
    refused(lambda: confined.range(3).write.mode(mode).parquet(f"{places}/{path}"))
    assert sorted(os.listdir(places / "outside")) == ["a.csv", "table"]


def test_writes_inside(confined, places):
    confined.range(3).write.parquet(f"{places}/inside/made/below")
    confined.range(3).write.parquet(f"{places}/later/out")
    assert confined.read.parquet(f"{places}/later/out").count() == 3


def test_partitions_that_are_links(confined, places):
    df = confined.sql("SELECT 7 AS v, 1 AS k")
    refused(lambda: df.write.mode("append").partitionBy("k").csv(f"{places}/inside/part"))
    assert os.listdir(places / "outside" / "table") == ["b.csv"]


@pytest.mark.parametrize("path", WRITES)
def test_locations(confined, places, path):
    at = f"{places}/{path}"
    refused(lambda: confined.sql(f"CREATE TABLE t (a INT) USING csv LOCATION '{at}'"))
    refused(lambda: confined.sql(f"CREATE TABLE t USING parquet LOCATION '{at}' AS SELECT 1 a"))
    refused(lambda: confined.range(1).write.option("path", at).saveAsTable("t"))
    refused(lambda: confined.sql(f"INSERT OVERWRITE DIRECTORY '{at}' USING csv SELECT 1"))
    assert sorted(os.listdir(places / "outside")) == ["a.csv", "table"]


def test_tables(confined, places):
    confined.range(2).write.saveAsTable("kept")
    assert confined.table("kept").count() == 2
    confined.sql("DROP TABLE kept")


def test_models(confined, places):
    from pyspark.ml.feature import VectorAssembler

    stage = VectorAssembler(inputCols=["id"], outputCol="v")
    for path in WRITES:
        with pytest.raises(Exception, match="PATH_NOT_ALLOWED|allowedPaths"):
            stage.write().overwrite().save(f"{places}/{path}")
        with pytest.raises(Exception, match="PATH_NOT_ALLOWED|allowedPaths"):
            VectorAssembler.load(f"{places}/{path}")


def test_a_client_cannot_change_it(confined, places):
    with pytest.raises(AnalysisException, match="CANNOT_MODIFY"):
        confined.conf.set("spark.sql.files.allowedPaths", "/")
    with pytest.raises(AnalysisException, match="CANNOT_MODIFY"):
        confined.sql("SET spark.sql.files.allowedPaths=/")
    refused(lambda: confined.read.text("/etc/hostname").collect())


def test_workers_too(tmp_path):
    (tmp_path / "in").mkdir()
    cluster = Cluster(tmp_path / "cluster", conf=f"spark.sql.files.allowedPaths {tmp_path}/in\n")
    try:
        cluster.add(cores=1)
        session = cluster.session()
        session.range(1000).write.parquet(f"{tmp_path}/in/out")
        assert session.read.parquet(f"{tmp_path}/in/out").groupBy("id").count().count() == 1000
        with pytest.raises(Exception, match="PATH_NOT_ALLOWED"):
            session.range(1000).write.parquet(f"{tmp_path}/other")
        session.stop()
    finally:
        cluster.stop()
