# SPDX-License-Identifier: Apache-2.0
"""spark.catalog by Spark's client: databases, catalogs, refreshing; sessions that nobody uses."""

import time

import pytest
from pyspark.errors import AnalysisException


def test_the_current_database(spark):
    spark.catalog.setCurrentDatabase("default")
    spark.catalog.setCurrentCatalog("spark_catalog")
    with pytest.raises(AnalysisException) as caught:
        spark.catalog.setCurrentDatabase("nope")
    assert caught.value.getCondition() == "SCHEMA_NOT_FOUND"
    assert "`spark_catalog`.`nope`" in str(caught.value)


@pytest.mark.parametrize("name", ["default", "spark_catalog.default"])
def test_a_database(spark, name):
    database = spark.catalog.getDatabase(name)
    assert database[:3] == ("default", "spark_catalog", "default database")
    assert database.locationUri.startswith("file:/")
    assert spark.catalog.listDatabases() == [database]


def test_a_database_that_is_not_there(spark):
    with pytest.raises(AnalysisException, match="SCHEMA_NOT_FOUND"):
        spark.catalog.getDatabase("nope")


def test_refreshing(spark):
    spark.range(3).createOrReplaceTempView("refreshed")
    spark.catalog.refreshTable("refreshed")
    with pytest.raises(AnalysisException, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.catalog.refreshTable("nope")


def test_a_session_that_nobody_uses_ends(start_master, new_session, tmp_path):
    conf = tmp_path / "spark-defaults.conf"
    conf.write_text("spark.connect.session.manager.defaultSessionTimeout 1s\n")
    master = start_master("--properties-file", str(conf))
    session = new_session(master.url)
    session.range(1).collect()
    time.sleep(8)  # it is looked for every five seconds
    with pytest.raises(Exception, match="SESSION_CLOSED|SESSION_NOT_FOUND|SESSION_CHANGED"):
        session.range(1).collect()
    assert "idle" in master.log
