# SPDX-License-Identifier: Apache-2.0
"""What a server takes of sessions and operations, and what becomes of those that nobody wants any more."""

import sys
import time
import uuid

import grpc
import pytest
from harness import Raw, connect
from pyspark.sql import functions as F

LONG = "select sum(a.id * b.id % 7) from range(30000000) a, range(20000) b"


def refused(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.details()


def as_session(raw):
    """Go on as another session over the same connection."""
    raw.session_id = str(uuid.uuid4())
    return raw.session_id


def release(raw, session_id):
    fields = {**raw.head(), "session_id": session_id}
    raw.stub.ReleaseSession(raw.pb2.ReleaseSessionRequest(**fields), timeout=30)


def interrupt(raw):
    request = raw.pb2.InterruptRequest(**raw.head(), interrupt_type=1)
    return raw.stub.Interrupt(request, timeout=30).interrupted_ids


def test_a_thousand_sessions(start_master):
    master = start_master()
    raw = Raw(master.port)
    first = raw.session_id
    raw.config()
    for _ in range(999):
        as_session(raw)
        raw.config()
    last = as_session(raw)
    assert "RESOURCE_EXHAUSTED" in refused(raw.config)
    raw.session_id = first
    assert raw.config().pairs  # those that are there go on
    release(raw, first)
    raw.session_id = last
    assert raw.config().pairs  # and there is room for another
    assert master.rss() < 256 << 20
    raw.close()


def test_operations_of_a_session(master, raw):
    plan = raw.sql_plan(LONG)
    calls = []
    try:
        # one connection has 100 calls at once or so
        others = [Raw(master.port) for _ in range(4)]
        for i in range(256):
            other = others[i % 4]
            other.session_id = raw.session_id
            fields = {"operation_id": str(uuid.uuid4())}
            option = raw.pb2.ExecutePlanRequest.RequestOption(
                reattach_options=raw.pb2.ReattachOptions(reattachable=True)
            )
            calls.append(other.execute(plan, request_options=[option], **fields))
        deadline = time.monotonic() + 120  # all of them compute
        request = raw.pb2.GetStatusRequest(**raw.head())
        request.operation_status.SetInParent()
        while time.monotonic() < deadline:
            known = raw.stub.GetStatus(request, timeout=30).operation_statuses
            if len(known) >= 256:
                break
            time.sleep(0.1)
        assert len(known) >= 256
        assert "RESOURCE_EXHAUSTED" in refused(lambda: list(raw.execute(raw.range_plan(3))))
        own = Raw(master.port)
        assert sum(r.arrow_batch.row_count for r in own.execute(own.range_plan(3))) == 3
        own.close()
    finally:
        interrupt(raw)
    for call in calls:
        assert "OPERATION_CANCELED" in refused(lambda call=call: list(call))
    for other in others:
        other.close()
    release(raw, raw.session_id)


def test_an_operation_that_nobody_listens_to(start_master, tmp_path):
    conf = tmp_path / "spark-defaults.conf"
    conf.write_text("spark.connect.execute.manager.detachedTimeout 1s\n")
    master = start_master("--properties-file", str(conf))
    raw = Raw(master.port)
    option = raw.pb2.ExecutePlanRequest.RequestOption(
        reattach_options=raw.pb2.ReattachOptions(reattachable=True)
    )
    operation = str(uuid.uuid4())
    call = raw.execute(raw.sql_plan(LONG), operation_id=operation, request_options=[option])
    time.sleep(0.3)
    call.cancel()
    deadline = time.monotonic() + 20  # it is looked for every five seconds
    while "given up" not in master.log and time.monotonic() < deadline:
        time.sleep(0.1)
    request = raw.pb2.ReattachExecuteRequest(**raw.head(), operation_id=operation)
    found = refused(lambda: list(raw.stub.ReattachExecute(request, timeout=30)))
    assert "INVALID_HANDLE.OPERATION_" in found
    assert sum(r.arrow_batch.row_count for r in raw.execute(raw.range_plan(3))) == 3
    raw.close()


def test_sessions_of_users_are_apart(master, raw):
    """Another user who knows a session's name has a session of that name of his own."""
    view = raw.pb2.Plan()
    view.command.create_dataframe_view.input.range.end = 3
    view.command.create_dataframe_view.input.range.step = 1
    view.command.create_dataframe_view.name = "of_the_first"
    list(raw.execute(view))
    query = raw.sql_plan("select * from of_the_first")
    assert sum(r.arrow_batch.row_count for r in raw.execute(query)) == 3
    other = Raw(master.port)
    other.session_id = raw.session_id
    other.head = lambda: {
        "session_id": raw.session_id,
        "user_context": raw.pb2.UserContext(user_id="another"),
    }
    assert "TABLE_OR_VIEW_NOT_FOUND" in refused(lambda: list(other.execute(query)))
    release(other, raw.session_id)
    assert sum(r.arrow_batch.row_count for r in raw.execute(query)) == 3
    other.close()


def test_the_token_is_in_no_setting(start_master):
    secret = "a-token-that-is-long-enough"
    master = start_master(env={"SPARK_CONNECT_AUTHENTICATE_TOKEN": secret})
    raw = Raw(master.port, token=secret)
    request = raw.pb2.ConfigRequest(**raw.head())
    request.operation.get_all.SetInParent()
    assert secret not in str(raw.stub.Config(request, metadata=raw.metadata, timeout=30))
    for key in ("spark.connect.authenticate.token", "spark.authenticate.secret"):
        request = raw.pb2.ConfigRequest(**raw.head())
        request.operation.get_option.keys.append(key)
        assert secret not in str(raw.stub.Config(request, metadata=raw.metadata, timeout=30))
    raw.execute(raw.sql_plan("set"))
    answers = list(raw.execute(raw.sql_plan("select 1")))
    assert secret not in str(answers) and secret not in master.log
    raw.close()


def test_a_client_does_not_choose_where_the_server_writes(start_master, tmp_path):
    """As in Spark, spark.conf takes these settings and nothing comes of it."""
    one = start_master(
        env={"SPARK_LOCAL_DIRS": str(tmp_path / "own"), "PYSPARK_PYTHON": sys.executable}
    )
    session = connect(one.url)
    session.conf.set("spark.local.dir", str(tmp_path / "other"))
    session.conf.set("spark.pyspark.python", str(tmp_path / "no-python"))
    session.conf.set("spark.executor.pyspark.memory", "1m")
    assert session.conf.get("spark.local.dir") == str(tmp_path / "other")
    session.conf.set("nbaspark.debug.forceSpill", "true")
    rows = session.range(100000).selectExpr("id % 1000 AS k").distinct().orderBy("k")
    assert len(rows.collect()) == 1000
    twice = F.udf(lambda x: x * 2, "long")
    assert session.range(3).select(twice("id")).collect()[2][0] == 4
    session.stop()
    assert (tmp_path / "own").is_dir() and not (tmp_path / "other").exists()
