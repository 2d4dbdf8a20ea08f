# SPDX-License-Identifier: Apache-2.0
"""What a client hears of a query while it runs: stages, tasks, bytes; by Spark's client and by ours."""

import subprocess
import sys
import time
import uuid

import pytest
from harness import Cluster

SLOW = "SELECT sum(hash(a.id * b.id)) FROM range(3000) a CROSS JOIN range(10000) b"

OURS = """
import sys
from nbaspark.sql import SparkSession
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.conf.set("spark.connect.progress.reportInterval", "20ms")
calls = []
spark.registerProgressHandler(lambda **call: calls.append(call))
spark.sql(sys.argv[2]).collect()
assert calls[-1]["done"] and len(calls) > 2, calls
*_, last = [call for call in calls if call["stages"]]
assert last["operation_id"] and last["inflight_tasks"] == 0
assert all(s.done and s.num_completed_tasks == s.num_tasks > 0 for s in last["stages"]), calls
"""


@pytest.fixture
def told(new_session):
    """Return a session that hears of progress often, and the list of what it hears."""
    session = new_session()
    session.conf.set("spark.connect.progress.reportInterval", "20ms")
    calls = []

    def handler(stages, inflight_tasks, operation_id, done):
        calls.append((list(stages or ()), inflight_tasks, operation_id, done))

    session.registerProgressHandler(handler)
    return session, calls


def test_stages_and_tasks(told):
    session, calls = told
    df = session.sql(SLOW)
    calls.clear()
    df.collect()
    assert calls[-1][3] and not any(done for *_, done in calls[:-1])
    assert len(calls) > 2
    for stages, inflight, _, _ in calls:
        assert inflight >= 0
        assert all(0 <= s.num_completed_tasks <= s.num_tasks for s in stages)
    stages, inflight, operation, _ = [call for call in calls if call[0]][-1]
    uuid.UUID(operation)
    assert inflight == 0
    assert all(s.done and s.num_completed_tasks == s.num_tasks > 0 for s in stages)


def test_bytes_that_were_read(told, tmp_path):
    session, calls = told
    path = tmp_path / "in.csv"
    path.write_text("".join(f"{i},{i % 7}\n" for i in range(400_000)))
    df = session.read.schema("a BIGINT, b BIGINT").csv(str(path))
    session.conf.set("spark.connect.progress.reportInterval", "1ms")
    calls.clear()
    df.groupBy("b").count().sort("b").collect()
    read = max(sum(s.num_bytes_read for s in stages) for stages, *_ in calls)
    assert read >= path.stat().st_size


def test_commands_too(told, tmp_path):
    session, calls = told
    session.conf.set("spark.connect.progress.reportInterval", "1ms")
    session.range(300_000).write.parquet(str(tmp_path / "out"))
    assert any(stages for stages, *_ in calls)


def test_switched_off(told):
    session, calls = told
    session.conf.set("spark.connect.progress.reportInterval", "-1")
    session.sql(SLOW).collect()
    assert not any(stages for stages, *_ in calls)


def test_our_client(master):
    subprocess.run([sys.executable, "-c", OURS, master.url, SLOW], check=True, timeout=60)


def test_who_comes_back_behind_progress_goes_on_there(master, raw):
    raw.stub.Config(
        raw.pb2.ConfigRequest(
            **raw.head(),
            operation=raw.pb2.ConfigRequest.Operation(
                set=raw.pb2.ConfigRequest.Set(
                    pairs=[
                        raw.pb2.KeyValue(key="spark.connect.progress.reportInterval", value="1ms")
                    ]
                )
            ),
        )
    )
    option = raw.pb2.ExecutePlanRequest.RequestOption(
        reattach_options=raw.pb2.ReattachOptions(reattachable=True)
    )
    operation = str(uuid.uuid4())
    call = raw.execute(
        raw.sql_plan(SLOW), operation_id=operation, request_options=[option], timeout=60
    )
    first = next(r for r in call if r.HasField("execution_progress"))
    call.cancel()
    assert first.response_id and not first.HasField("arrow_batch")
    request = raw.pb2.ReattachExecuteRequest(
        **raw.head(), operation_id=operation, last_response_id=first.response_id
    )
    rest = list(raw.stub.ReattachExecute(request, timeout=60))
    assert sum(r.arrow_batch.row_count for r in rest) == 1
    assert rest[-1].HasField("result_complete")
    release = raw.pb2.ReleaseExecuteRequest(**raw.head(), operation_id=operation)
    release.release_until.response_id = first.response_id
    raw.stub.ReleaseExecute(release, timeout=30)


def test_tasks_of_workers(tmp_path):
    cluster = Cluster(tmp_path / "cluster")
    try:
        cluster.add(cores=2)
        session = cluster.session()
        session.conf.set("spark.connect.progress.reportInterval", "1ms")
        calls = []
        session.registerProgressHandler(
            lambda stages, inflight_tasks, operation_id, done: calls.append(stages or ())
        )
        until = time.monotonic() + 30
        while not any(len(stages) > 1 for stages in calls) and time.monotonic() < until:
            session.range(200_000).selectExpr("id % 1000 AS k").groupBy("k").count().collect()
        last = [stages for stages in calls if stages][-1]
        assert len(last) > 1 and all(s.done for s in last)
        session.stop()
    finally:
        cluster.stop()
