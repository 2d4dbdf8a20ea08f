# SPDX-License-Identifier: Apache-2.0
"""Data that goes through the engine untouched stays where it is."""

import gc
import signal
import sys
import threading
import time

import numpy as np
import pyarrow as pa
import pytest

from nbaspark import _core
from nbaspark.sql import Row, SparkSession


@pytest.fixture(scope="module")
def spark():
    return SparkSession.builder.getOrCreate()


def address(array):
    return array.__array_interface__["data"][0]


def test_columns_of_a_table_are_shared(spark):
    array = np.asfortranarray(np.arange(20.0).reshape(10, 2))
    df = spark.createDataFrame(array, ["a", "b"])
    result = df.select(df.b.alias("x"), "a")._execute()
    assert address(result.column_numpy(0)) == address(array[:, 1])
    assert address(result.column_numpy(1)) == address(array[:, 0])
    assert df.toArrow().column("a").chunk(0).buffers()[1].address == address(array)
    assert df.select("b").collect()[3] == Row(b=7.0)
    assert df.select("b").limit(1).collect() == [Row(b=1.0)]


def test_arrays_are_let_go(spark):
    array = np.arange(1000.0)
    before = sys.getrefcount(array)
    held = _core.Table.from_numpy({"a": array})
    session = _core.Session({})
    session.add_local_relation("h", held)
    session.close()
    del held, session
    gc.collect()
    assert sys.getrefcount(array) == before


def test_results_outlive_their_session():
    session = _core.Session({})
    plan = _core.message_pack(
        "spark.connect.Plan", {"root": {"range": {"start": 0, "end": 5, "step": 1}}}
    )
    result = session.execute(plan)
    column = result.column_numpy(0)
    stream = pa.RecordBatchReader.from_stream(result)
    session.close()
    del session, result
    gc.collect()
    assert column.tolist() == [0, 1, 2, 3, 4]
    assert stream.read_all()["id"].to_pylist() == [0, 1, 2, 3, 4]


def test_closed_sessions_say_so():
    session = _core.Session({})
    session.close()
    session.close()
    with pytest.raises(RuntimeError, match="stopped"):
        session.execute(b"")
    with pytest.raises(TypeError):
        _core.Session({"spark.app.name": 1})


def test_threads_share_a_session(spark):
    failures = []

    def work(n):
        for _ in range(20):
            if spark.range(n).count() != n:
                failures.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1000, 1004)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures


def test_ctrl_c_ends_a_query(spark):
    # a shell may have started us in the background, where Ctrl-C is ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        interrupt_three_queries(spark)
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


def interrupt_three_queries(spark):
    for _ in range(3):
        sent = []

        def interrupt(sent=sent):
            time.sleep(0.3)
            sent.append(time.monotonic())
            signal.raise_signal(signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            spark.range(10**12).selectExpr("sum(id * 2)").collect()
        assert time.monotonic() - sent[0] < 0.5
        thread.join()
    assert spark.range(3).count() == 3
