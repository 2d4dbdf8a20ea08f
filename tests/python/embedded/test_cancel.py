# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C in each operator: a KeyboardInterrupt soon, and a session that goes on. benchmarks/bench_cancel.py measures how soon."""

import importlib.util
import random
import signal
from pathlib import Path

import pytest

SOON_MS = 2000  # of a machine with other things to do; the aim is 100
BENCH = Path(__file__).resolve().parents[3] / "benchmarks" / "bench_cancel.py"

_spec = importlib.util.spec_from_file_location("bench_cancel", BENCH)
bench_cancel = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(bench_cancel)
bench_cancel.ROWS = 150_000


@pytest.fixture
def interruptible():
    """Ctrl-C as it is in Python, whatever the test runner made of it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_in_each_operator(spark, interruptible, tmp_path):
    chance = random.Random(3)
    late = {}
    for name, query in bench_cancel.operators(spark, str(tmp_path)).items():
        _, took = bench_cancel.measure(spark, name, query, 2, chance, tries=3)
        if took and took[-1] > SOON_MS:
            late[name] = took[-1]
    assert not late
    assert spark.range(10).count() == 10
