# SPDX-License-Identifier: Apache-2.0
"""Queries on a cluster whose processes are killed, stopped and started again meanwhile.

Each must end with the rows that one process gives, exactly once in files, or with a clear error; never hang.
"""

import random
import signal
import threading
import time
from pathlib import Path

import pytest
from processes import Cluster

from nbaspark.errors import PySparkException
from nbaspark.sql import functions as F


@pytest.fixture
def cluster(tmp_path):
    """A master; tests add workers."""
    made = Cluster(tmp_path)
    yield made
    made.stop()
    assert list((tmp_path / "local").glob("**/*")) == [], "blocks are left on disk"


ROWS = 400000
WAIT_S = 60


def big_query(spark):
    """Two shuffles, a join and an aggregate."""
    left = spark.range(ROWS)
    right = spark.range(ROWS).select(
        "id", (F.col("id") * 2).alias("x"), F.col("id").cast("string").alias("t")
    )
    return (
        left.join(right, "id")
        .groupBy((F.col("id") % 50).alias("k"))
        .agg(F.sum("x").alias("x"), F.max("t").alias("t"), F.count("*").alias("n"))
        .orderBy("k")
    )


EXPECTED = [
    (
        k,
        sum(2 * i for i in range(k, ROWS, 50)),
        max(str(i) for i in range(k, ROWS, 50)),
        ROWS // 50,
    )
    for k in range(50)
]


def rows(frame):
    return [tuple(row) for row in frame.collect()]


def later(seconds, do, *arguments):
    timer = threading.Timer(seconds, do, arguments)
    timer.start()
    return timer


def test_queries_spread_over_workers(cluster):
    cluster.add()
    cluster.add(cores=2)
    spark = cluster.session()
    assert rows(big_query(spark)) == EXPECTED
    frame = spark.range(1000)
    assert frame.filter("id % 10 = 3").count() == 100
    assert [r.id for r in frame.orderBy(F.desc("id")).limit(3).collect()] == [999, 998, 997]
    assert frame.select(F.countDistinct(F.col("id") % 7)).collect()[0][0] == 7
    window = spark.sql("select id, sum(id) over (partition by id % 3 order by id) s from range(30)")
    assert sum(r.s for r in window.collect()) == sum(
        sum(j for j in range(i % 3, i + 1, 3)) for i in range(30)
    )
    with pytest.raises(PySparkException, match="DIVIDE_BY_ZERO"):
        spark.range(1000).select(F.expr("1 / (id - 500)")).collect()
    # a query that has ended leaves no block anywhere
    until = time.monotonic() + 5
    while any(cluster.open_files(w) for w in cluster.workers) and time.monotonic() < until:
        time.sleep(0.02)
    assert [cluster.open_files(w) for w in cluster.workers] == [[], []]
    spark.stop()


def test_without_workers_the_master_runs_queries(cluster):
    spark = cluster.session()
    assert rows(big_query(spark)) == EXPECTED
    spark.stop()


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1, 0.2, 0.4])
def test_worker_killed(cluster, delay):
    victim = cluster.add()
    cluster.add()
    spark = cluster.session()
    timer = later(delay, cluster.kill, victim)
    assert rows(big_query(spark)) == EXPECTED
    timer.join()
    assert rows(big_query(spark)) == EXPECTED
    spark.stop()


def test_two_of_three_killed(cluster):
    victims = [cluster.add(), cluster.add()]
    cluster.add()
    spark = cluster.session()
    timers = [later(0.05, cluster.kill, victims[0]), later(0.15, cluster.kill, victims[1])]
    assert rows(big_query(spark)) == EXPECTED
    for timer in timers:
        timer.join()
    spark.stop()


def test_worker_stopped_and_back(cluster):
    victim = cluster.add()
    cluster.add()
    spark = cluster.session()
    timer = later(0.05, cluster.kill, victim, signal.SIGSTOP)
    assert rows(big_query(spark)) == EXPECTED
    timer.join()
    victim.send_signal(signal.SIGCONT)
    attached = time.monotonic() + WAIT_S
    while victim.log.read_text().count("attached to") < 3:  # "no longer attached to" is one of them
        assert time.monotonic() < attached
        time.sleep(0.02)
    assert rows(big_query(spark)) == EXPECTED
    spark.stop()


def test_master_restarted(cluster):
    worker = cluster.add()
    spark = cluster.session()
    assert spark.range(1000).count() == 1000
    cluster.master.kill()
    cluster.master.wait()
    cluster.start_master()
    until = time.monotonic() + 10
    while worker.log.read_text().count("as worker") < 2:
        assert time.monotonic() < until, worker.log.read_text()
        time.sleep(0.02)
    again = cluster.session()
    assert rows(big_query(again)) == EXPECTED
    again.stop()


def written(path):
    return sorted(p.name for p in Path(path).iterdir() if not p.name.startswith((".", "_")))


@pytest.mark.parametrize("delay", [0.02, 0.1, 0.2])
def test_worker_killed_while_writing(cluster, delay, tmp_path):
    victim = cluster.add()
    cluster.add()
    spark = cluster.session()
    target = str(tmp_path / "out")
    timer = later(delay, cluster.kill, victim)
    spark.range(0, ROWS, 1, 8).withColumn("x", F.col("id") % 7).write.csv(target)
    timer.join()
    assert (Path(target) / "_SUCCESS").exists() and not (Path(target) / "_temporary").exists()
    read = spark.read.csv(target, schema="id bigint, x bigint")
    assert tuple(read.agg(F.count("*"), F.countDistinct("id"), F.sum("id")).collect()[0]) == (
        ROWS,
        ROWS,
        ROWS * (ROWS - 1) // 2,
    )
    spark.stop()


def test_all_workers_killed_is_an_error_or_an_answer(cluster, tmp_path):
    victim = cluster.add()
    spark = cluster.session()
    timer = later(0.05, cluster.kill, victim)
    newcomer = later(1.0, cluster.add)
    assert rows(big_query(spark)) == EXPECTED  # a worker that comes takes over
    timer.join()
    newcomer.join()
    spark.stop()


def test_random_kills(cluster, request, tmp_path):
    """Workers are killed at random moments, and others come."""
    seed = int(time.time())
    dice = random.Random(seed)
    rounds = 100 if request.config.getoption("--long") else 4
    for _ in range(3):
        cluster.add()
    spark = cluster.session()
    for number in range(rounds):
        victim = dice.choice(cluster.workers)
        timer = later(dice.random() * 0.4, cluster.kill, victim)
        try:
            if number % 2:
                target = tmp_path / f"out{number}"
                spark.range(0, ROWS, 1, 6).write.parquet(str(target))
                got = spark.read.parquet(str(target)).agg(F.count("*"), F.sum("id")).collect()[0]
                assert tuple(got) == (ROWS, ROWS * (ROWS - 1) // 2), f"seed {seed}, round {number}"
                assert written(target) and not (target / "_temporary").exists()
            else:
                assert rows(big_query(spark)) == EXPECTED, f"seed {seed}, round {number}"
        finally:
            timer.join()
        cluster.add()
    spark.stop()
