# SPDX-License-Identifier: Apache-2.0
"""All 22 TPC-H queries give DuckDB's rows, under several configurations of the engine.

The data (tpchgen-cli, scale 0.01) and the texts (DuckDB's tpch_queries()) are made when the tests run.
"""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
from engine_process import TPCH_TABLES as TABLES  # noqa: E402
from engine_process import plain  # noqa: E402
from engines import same_rows  # noqa: E402

CONFIGURATIONS = {
    "plain": {},
    "three-row batches": {"nbaspark.debug.batchRows": "3"},
    "spilling": {"nbaspark.debug.forceSpill": "true"},
    "optimizer off": {"nbaspark.debug.optimizer": "false"},
    "one thread": {"nbaspark.debug.threads": "1"},
    "tasks": {"nbaspark.debug.stages": "3"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("tpch")
    tool = Path(sys.executable).with_name("tpchgen-cli")
    subprocess.run(
        [tool, "parquet", "-s", "0.01", "--output-dir", made], check=True, capture_output=True
    )
    return made


@pytest.fixture(scope="module")
def expected(folder):
    """Return text and rows of each query, as DuckDB has them."""
    db = duckdb.connect()
    for table in TABLES:
        db.execute(f"create view {table} as select * from '{folder / f'{table}.parquet'}'")
    found = {}
    for number, text in db.execute("select query_nr, query from tpch_queries()").fetchall():
        rows = [[plain(v) for v in row] for row in db.execute(text).fetchall()]
        found[number] = (text.strip().rstrip(";"), rows)
    return found


@pytest.fixture(params=list(CONFIGURATIONS))
def configured(request, session, folder):
    spark = session.newSession()
    for key, value in CONFIGURATIONS[request.param].items():
        spark.conf.set(key, value)
    for table in TABLES:
        spark.read.parquet(str(folder / f"{table}.parquet")).createOrReplaceTempView(table)
    return spark


def test_rows_are_duckdbs(configured, expected):
    wrong = []
    for number, (text, rows) in expected.items():
        ours = [[plain(v) for v in row] for row in configured.sql(text).collect()]
        if not same_rows(ours, rows):
            wrong.append(number)
    assert len(expected) == 22
    assert wrong == []
