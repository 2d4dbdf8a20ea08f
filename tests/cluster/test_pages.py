# SPDX-License-Identifier: Apache-2.0
"""The pages of master and workers say what there is."""

import contextlib
import json
import threading
import time

import pytest
from harness import Cluster

from nbaspark.errors import SparkException


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    yield made
    made.stop()


def workers(cluster):
    return json.loads(cluster.page(cluster.master, "/api/v1/workers"))


def test_master_lists_its_workers(cluster):
    assert workers(cluster) == []
    first = cluster.add(cores=2, memory="256m")
    cluster.add()
    shown = sorted(workers(cluster), key=lambda w: w["cores"])
    assert [w["cores"] for w in shown] == [1, 2]
    assert [w["memory"] >> 20 for w in shown] == [512, 256]
    assert {w["state"] for w in shown} == {"ALIVE"}
    assert all(w["coresused"] == 0 and 0 < w["port"] < 65536 for w in shown)
    assert all(abs(w["lastheartbeat"] / 1000 - time.time()) < 30 for w in shown)
    cluster.kill(first)
    until = time.monotonic() + 20
    while len(workers(cluster)) > 1 and time.monotonic() < until:
        time.sleep(0.05)
    assert [w["cores"] for w in workers(cluster)] == [1]


def test_every_process_has_a_page_and_a_health_check(cluster):
    worker = cluster.add()
    for process in (cluster.master, worker):
        assert cluster.page(process, "/health") == "ok\n"
        assert "<html" in cluster.page(process, "/")
        assert "# TYPE" in cluster.page(process, "/metrics")


def test_tasks_of_workers_are_shown_and_logged(cluster, tmp_path):
    events = tmp_path / "events"
    events.mkdir()
    cluster.master.kill()
    cluster.master.wait()
    cluster.conf.write_text(
        "nbaspark.cluster.minRows 1\nspark.eventLog.enabled true\n"
        f"spark.eventLog.compress false\nspark.eventLog.dir {events}\n"
    )
    cluster.start_master()
    for _ in range(2):
        cluster.add()

    def get(path):
        return json.loads(cluster.page(cluster.master, f"/api/v1/applications{path}"))

    from nbaspark.sql import SparkSession

    name = "Vendas <b>2026</b>"
    remote = f"sc://127.0.0.1:{cluster.port}"
    spark = SparkSession.builder.remote(remote).appName(name).create()
    try:
        (app,) = get("")
        assert app["name"] == name
        rows = spark.range(3_000_000).selectExpr("id % 10 AS k", "id AS v").groupBy("k").sum("v")
        assert len(rows.collect()) == 10
        stages = get(f"/{app['id']}/stages?status=complete")
        spread = [s for s in stages if s["inputRecords"] == 3_000_000]
        assert len(spread) == 1 and spread[0]["shuffleWriteRecords"] == 20, stages
        tasks = get(f"/{app['id']}/stages/{spread[0]['stageId']}/0/taskList")
        assert {t["executorId"] for t in tasks} == {"1", "2"}
        assert all(t["status"] == "SUCCESS" for t in tasks)
        executors = {e["id"]: e for e in get(f"/{app['id']}/executors")}
        assert set(executors) == {"driver", "1", "2"} and executors["1"]["totalCores"] == 1
        (query,) = get(f"/{app['id']}/sql?details=true")
        metrics = {
            (node["nodeName"], m["name"]): m["value"]
            for node in query["nodes"]
            for m in node["metrics"]
        }
        assert metrics["Range", "number of output rows"] == "3,000,000"
        assert {j["status"] for j in get(f"/{app['id']}/jobs")} == {"SUCCEEDED"}
        files = tmp_path / "files"
        spark.range(100_000).selectExpr("id % 1000 AS k").distinct().write.parquet(str(files))
        stages = get(f"/{app['id']}/stages?status=complete")
        (written,) = [s for s in stages if s["outputRecords"] > 0]
        assert written["outputRecords"] == 1000 and written["shuffleWriteRecords"] == 0
        assert written["outputBytes"] == sum(f.stat().st_size for f in files.glob("*.parquet"))
        assert written["inputRecords"] == 0 and written["shuffleReadRecords"] >= 1000
        assert written["shuffleReadBytes"] > 0
    finally:
        spark.stop()
    (log,) = events.iterdir()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    kinds = [line["Event"].split("SparkListener")[-1] for line in lines]
    start = lines[kinds.index("ApplicationStart")]
    assert start["App Name"] == name and kinds.count("ApplicationStart") == 1
    assert kinds.count("ExecutorAdded") == 3 and kinds.count("TaskEnd") >= 4


def test_a_running_query_shows_what_it_uses_and_how_far_it_is(cluster):
    for _ in range(2):
        cluster.add()
    spark = cluster.session()
    query = (
        spark.range(0, 60_000_000, 1, 4)
        .selectExpr("hash(id) AS k", "id AS v")
        .groupBy("k")
        .sum("v")
        .groupBy()
        .count()
    )
    seen = set()

    def run():
        with contextlib.suppress(SparkException):  # it is interrupted when all has been seen
            query.collect()

    thread = threading.Thread(target=run)

    def get(path):
        return json.loads(cluster.page(cluster.master, f"/api/v1/applications{path}"))

    try:
        thread.start()
        while thread.is_alive() and seen != {"cores", "memory", "worker", "rows"}:
            (app,) = get("")
            seen |= {"cores"} if app.get("coresGranted") == 2 else set()
            seen |= {"memory"} if app.get("memoryUsed", 0) > 1 << 20 else set()
            seen |= (
                {"worker"} if any(w["memoryused"] > 1 << 20 for w in workers(cluster)) else set()
            )
            running = get(f"/{app['id']}/sql?details=true")
            ranges = [n for x in running if x["status"] == "RUNNING" for n in x["nodes"]]
            values = [m["value"] for n in ranges if n["nodeName"] == "Range" for m in n["metrics"]]
            seen |= {"rows"} if "15,000,000" in values or "30,000,000" in values else set()
            time.sleep(0.02)
    finally:
        spark.interruptAll()
        thread.join(60)
        spark.stop()
    assert seen == {"cores", "memory", "worker", "rows"}
