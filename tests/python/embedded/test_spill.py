# SPDX-License-Identifier: Apache-2.0
"""Queries over several times more data than spark.memory.limit give the same rows as without a limit."""

import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SCRIPT = os.path.join(os.path.dirname(__file__), "spill_queries.py")


def run(limit, directory):
    done = subprocess.run(
        [sys.executable, SCRIPT, limit, str(directory)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """The answers without a limit that matters, and those within about a seventh of the data."""
    return run("4g", tmp_path_factory.mktemp("free")), run(
        "12m", tmp_path_factory.mktemp("limited")
    )


def test_same_rows(answers):
    free, limited = answers
    for name in free:
        assert limited[name] == free[name], name


def test_disk_full(answers):
    message, open_files, after = answers[1]["disk full"]
    assert message.startswith("[SPILL_FILE_FAILED] Cannot write ")
    assert "bytes to the spill file " in message and "/spill/nbaspark-spill-" in message
    assert (open_files, after) == (0, "1000000")


def test_directories_take_turns(tmp_path):
    """spark.local.dir is a list, as Spark's: what is missing is made, what cannot be written is passed over."""
    first, second = tmp_path / "new" / "first", tmp_path / "second"
    code = f"""
from nbaspark.sql import SparkSession
spark = (SparkSession.builder.master("local[2]").config("spark.local.dir", "/proc/none, {first},{second}")
         .config("nbaspark.debug.forceSpill", "true").getOrCreate())
assert spark.range(100000).selectExpr("id % 1000 as k").distinct().orderBy("k").count() == 1000
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert first.is_dir() and second.is_dir()


def test_interrupt(answers):
    assert answers[1]["interrupted"] == ["KeyboardInterrupt", 0, 10]


def test_result_that_does_not_fit(answers):
    assert answers[1]["collect"].startswith("[UNABLE_TO_ACQUIRE_MEMORY] ")


def test_no_files_are_left(answers):
    assert answers[1]["files"] == []


WIDE = """
import sys
from nbaspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.memory.limit", sys.argv[2]).getOrCreate()
spark.read.parquet(sys.argv[1]).createOrReplaceTempView("wide")
print(*spark.sql("SELECT count(*), max(a.t) = max(b.t) FROM wide a JOIN wide b ON a.k = b.k + 1").first())
"""


def test_join_leaves_room_for_its_scans(tmp_path):
    """Row groups of long texts are a large part of the limit: scans take one at a time, and the build side's share is what they leave."""
    n = 400_000
    texts = [f"{i * 7919 % 1000003:09} some words that are {i % 97} long enough to matter {i}" for i in range(n)]  # fmt: skip
    table = pa.table({"k": pa.array(range(n), pa.int64()), "t": texts})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=60_000, use_dictionary=False)
    done = subprocess.run(
        [sys.executable, "-c", WIDE, str(tmp_path / "t.parquet"), "34m"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout.split() == [str(n - 1), "True"], done.stderr[-500:]
