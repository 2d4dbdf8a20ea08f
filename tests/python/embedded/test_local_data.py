# SPDX-License-Identifier: Apache-2.0
"""Data of createDataFrame goes with the last DataFrame, view or cached DataFrame that names it."""

import gc
import weakref

import numpy as np


def _resident_bytes():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096


def test_a_thousand_frames_leave_no_memory_behind(spark):
    def make(i):
        df = spark.createDataFrame(np.full((131_072, 1), float(i)), ["x"])  # 1 MiB
        assert df.filter("x > 0").count() == (131_072 if i else 0)

    for i in range(50):
        make(i)
    gc.collect()
    before = _resident_bytes()
    for i in range(1000):
        make(i)
    gc.collect()
    assert _resident_bytes() - before < 20 << 20


def test_what_is_derived_keeps_the_data(spark):
    big = np.arange(100_000, dtype=float).reshape(-1, 1)
    derived = spark.createDataFrame(big, ["x"]).filter("x < 10").select("x")
    gc.collect()
    assert derived.count() == 10


def test_views_and_cached_frames_keep_the_data(spark):
    big = np.arange(100_000, dtype=float).reshape(-1, 1)
    spark.createDataFrame(big, ["x"]).createOrReplaceTempView("kept")
    gc.collect()
    assert spark.table("kept").count() == 100_000
    cached = spark.createDataFrame(big, ["x"]).cache()
    assert cached.count() == 100_000
    assert cached.unpersist().filter("x < 5").count() == 5


def test_an_array_is_free_again(spark):
    data = np.arange(100_000, dtype=float).reshape(-1, 1)
    gone = weakref.ref(data)
    df = spark.createDataFrame(data, ["x"])
    assert df.count() == 100_000
    del data, df
    gc.collect()
    assert gone() is None
