# SPDX-License-Identifier: Apache-2.0
"""Sessions on a server: broken connections, interrupts, uploads, progress, errors. Run by --engine remote and --engine cluster."""

import importlib.util
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nbaspark.errors import (
    AnalysisException,
    ArithmeticException,
    PySparkException,
    PySparkRuntimeError,
    SparkException,
)
from nbaspark.sql import Row, SparkSession, remote_upload
from nbaspark.sql import functions as F

_spec = importlib.util.spec_from_file_location("proxy", Path(__file__).parents[2] / "proxy.py")
_proxy = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_proxy)
Proxy = _proxy.Proxy


@pytest.fixture
def through(spark):
    """Return a function that makes a session through a proxy."""
    made = []

    def make(cut_after=None):
        target = spark._channel.target
        proxy = Proxy(target.host, target.port, cut_after)
        session = SparkSession.builder.remote(f"sc://127.0.0.1:{proxy.port}").create()
        made.append((session, proxy))
        return session, proxy

    yield make
    for session, proxy in made:
        proxy.cut_after = None
        session.stop()
        proxy.close()
    SparkSession._active = spark


def slow(session):
    """A query that takes its time."""
    return session.range(0, 1 << 40, 1, 2).select(F.sum(F.sqrt(F.col("id") * 3) % 7))


# ---- broken connections -------------------------------------------------------------------------


def test_no_row_is_lost_or_doubled(through):
    session, proxy = through(cut_after=200_000)
    session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "5000")
    n = 150_000
    df = session.range(0, n, 1, 3).withColumn("text", F.concat(F.lit("row number "), "id"))
    seen = [row.id for row in df.toLocalIterator()]
    assert len(seen) == n and sorted(seen) == list(range(n))
    assert proxy.n_cuts >= 2
    rows = df.collect()
    assert sorted(row.id for row in rows) == list(range(n))


def test_a_cut_before_the_first_answer(through):
    session, proxy = through()
    session.range(1).collect()
    proxy.cut()
    assert session.range(3).count() == 3
    threading.Timer(0.2, proxy.cut).start()
    total = session.range(0, 30_000_000, 1, 2).agg(F.sum(F.col("id") % 7)).first()[0]
    assert total == sum(range(7)) * (30_000_000 // 7) + sum(range(30_000_000 % 7))


def test_a_server_that_never_was_there(monkeypatch):
    from nbaspark.sql import remote

    monkeypatch.setattr(remote, "_FIRST_CONTACT_SECONDS", 0.5)
    with Proxy("127.0.0.1", 1)._listener as listener:
        port = listener.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(SparkException, match=f"127.0.0.1:{port}: UNAVAILABLE"):
        SparkSession.builder.remote(f"sc://127.0.0.1:{port}").create()
    assert time.monotonic() - began < 5


def test_a_server_started_anew_is_told_apart(through):
    session, _ = through()
    session.range(1).collect()
    session._channel.server_session_id = "00000000-0000-0000-0000-000000000000"
    with pytest.raises(PySparkException):
        session.range(1).collect()


# ---- interrupts ---------------------------------------------------------------------------------


def running(session, tag=None):
    """Start a slow query on a thread; return the thread and what it raises."""
    errors = []

    def run():
        if tag:
            session.addTag(tag)
        try:
            slow(session).collect()
        except PySparkException as e:
            errors.append(e)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, errors


def test_interrupts(spark):
    spark.range(1).collect()
    for interrupt, tag in (
        (spark.interruptAll, None),
        (lambda: spark.interruptTag("mine"), "mine"),
    ):
        thread, errors = running(spark, tag)
        stopped = []
        for _ in range(100):
            time.sleep(0.1)
            stopped = interrupt()
            if stopped:
                break
        thread.join(30)
        assert not thread.is_alive() and len(stopped) == 1
        assert errors[0].getCondition() in ("OPERATION_CANCELED", None), errors
    assert spark.interruptOperation("00000000-0000-4000-8000-000000000000") == []
    assert spark.range(3).count() == 3


def test_tags(spark):
    assert spark.getTags() == set()
    spark.addTag("a")
    spark.addTag("b")
    other = []
    thread = threading.Thread(target=lambda: other.append(spark.getTags()))
    thread.start()
    thread.join()
    assert spark.getTags() == {"a", "b"} and other == [set()]
    spark.removeTag("a")
    assert spark.getTags() == {"b"}
    spark.clearTags()
    assert spark.getTags() == set()
    for tag in (None, "", "a,b"):
        with pytest.raises(PySparkException):
            spark.addTag(tag)


def test_control_c(spark):
    target = spark._channel.target
    code = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from nbaspark.sql import SparkSession, functions as F
spark = SparkSession.builder.remote("sc://{target.endpoint}").getOrCreate()
spark.range(1).collect()
print("ready", flush=True)
try:
    spark.range(0, 1 << 40, 1, 2).select(F.sum(F.sqrt(F.col("id") * 3) % 7)).collect()
except KeyboardInterrupt:
    print("interrupted", spark.interruptAll(), spark.range(3).count(), flush=True)
spark.stop()
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    time.sleep(1)
    began = time.monotonic()
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    assert out == "interrupted [] 3\n" and time.monotonic() - began < 30


# ---- sessions -----------------------------------------------------------------------------------


def test_sessions_of_their_own(spark):
    spark.range(3).createOrReplaceTempView("shared_or_not")
    new = spark.newSession()
    assert new.session_id != spark.session_id
    with pytest.raises(AnalysisException):
        new.table("shared_or_not").collect()
    clone = spark.cloneSession()
    assert clone.session_id not in (new.session_id, spark.session_id)
    assert clone.table("shared_or_not").count() == 3
    clone.range(5).createOrReplaceTempView("shared_or_not")
    assert spark.table("shared_or_not").count() == 3
    for session in (new, clone):
        session.stop()
        session.stop()
        with pytest.raises(PySparkRuntimeError) as e:
            session.range(1).collect()
        assert e.value.getCondition() == "NO_ACTIVE_SESSION"
    assert spark.range(1).count() == 1


def test_many_threads(spark):
    errors, counts = [], []

    def run(n):
        try:
            for i in range(5):
                counts.append(spark.range(n + i).count() - n - i)
        except Exception as e:
            errors.append(e)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and counts == [0] * 40


def _in_child(session, conn):
    try:
        session.range(1).collect()
    except PySparkException as e:
        conn.send((e.getCondition(), str(e)))
    conn.close()


def test_a_forked_child_is_told_to_spawn(spark):
    spark.range(1).collect()
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_in_child, args=(spark, there))
    child.start()
    assert here.poll(20)
    condition, text = here.recv()
    child.join(20)
    assert condition == "CONNECT_FORKED_PROCESS" and '"spawn"' in text
    assert child.exitcode == 0
    assert spark.range(2).count() == 2


# ---- data ---------------------------------------------------------------------------------------


def test_large_local_data_go_once(spark, monkeypatch):
    sent = []
    upload = remote_upload.upload
    monkeypatch.setattr(remote_upload, "upload", lambda c, a: (sent.append(len(a)), upload(c, a)))
    rows = [(i, f"{os.getpid()} {i}" if i % 5 else None) for i in range(30_000)]
    df = spark.createDataFrame(rows, "a long, b string")
    assert df.schema.simpleString() == "struct<a:bigint,b:string>"
    assert len(sent) == 1 and sent[0] >= 2
    again = spark.createDataFrame(rows, "a long, b string")
    assert len(sent) == 1
    assert [tuple(row) for row in df.collect()] == rows
    assert again.agg(F.sum("a"), F.count("b")).first() == Row(449985000, 24000)
    small = spark.createDataFrame(rows[:10], "a long, b string")
    assert len(sent) == 1 and [tuple(row) for row in small.collect()] == rows[:10]


def test_results_in_all_forms(spark):
    df = spark.createDataFrame(
        [(1, "a", [1.5], {"k": 1}), (2, None, [], None)],
        "i int, s string, l array<double>, m map<string,int>",
    ).withColumn("t", F.lit("2024-02-29 12:00:00").cast("timestamp"))
    rows = df.collect()
    assert rows[1].s is None and rows[0].m == {"k": 1} and rows[0].l == [1.5]
    assert [tuple(r) for r in df.toLocalIterator()] == [tuple(r) for r in rows]
    table = df.toArrow()
    assert table.column("i").to_pylist() == [1, 2] and str(table.schema.field("t").type.tz) == "UTC"
    import pyarrow

    streamed = pyarrow.RecordBatchReader.from_stream(df).read_all()
    assert streamed.column("s").to_pylist() == ["a", None]
    frame = df.select("i", "s").toPandas()
    assert frame["i"].tolist() == [1, 2]
    assert spark.range(0).collect() == [] and spark.range(0).toArrow().num_rows == 0


def test_an_iterator_that_is_left(spark):
    rows = spark.range(0, 10_000_000, 1, 2).toLocalIterator()
    assert next(rows).id == 0
    rows.close()
    assert spark.range(2).count() == 2


def test_artifacts(spark, tmp_path):
    (tmp_path / "words.txt").write_text("one two\n" * 300_000)
    (tmp_path / "module_of_mine.py").write_text("X = 1\n")
    spark.addArtifacts(str(tmp_path / "words.txt"), file=True)
    spark.addArtifact(str(tmp_path / "module_of_mine.py"), pyfile=True)
    with pytest.raises(PySparkException):
        spark.addArtifacts(str(tmp_path / "words.txt"))
    with pytest.raises(PySparkException):
        spark.addArtifacts(str(tmp_path / "words.txt"), file=True, archive=True)


# ---- errors and progress ------------------------------------------------------------------------


def test_errors_have_all_their_parts(spark):
    with pytest.raises(ArithmeticException) as e:
        spark.sql("select 7 as a, id, 1 / (id - id) from range(1)").collect()
    assert e.value.getCondition() == "DIVIDE_BY_ZERO" and e.value.getSqlState() == "22012"
    (context,) = e.value.getQueryContext()
    assert context.fragment() == "1 / (id - id)" and context.startIndex() == 19
    with pytest.raises(AnalysisException) as e:
        spark.range(1).select("nothing").collect()
    assert e.value.getCondition() == "UNRESOLVED_COLUMN.WITH_SUGGESTION"
    assert e.value.getMessageParameters() == {"objectName": "`nothing`", "proposal": "`id`"}


def test_progress(spark):
    seen = []

    def handler(stages, inflight_tasks, operation_id, done):
        seen.append((stages, operation_id, done))

    spark.registerProgressHandler(handler)
    spark.registerProgressHandler(handler)
    try:
        spark.range(0, 60_000_000, 1, 4).agg(F.sum(F.sqrt("id"))).collect()
    finally:
        spark.removeProgressHandler(handler)
    assert seen[-1][0] is None and seen[-1][2]
    running = [stages for stages, _, done in seen if not done]
    assert running and all(
        s.num_tasks >= s.num_completed_tasks for stages in running for s in stages
    )
    count = len(seen)
    spark.range(3).count()
    assert len(seen) == count
