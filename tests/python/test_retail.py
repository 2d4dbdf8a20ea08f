# SPDX-License-Identifier: Apache-2.0
"""Decision-support queries over a retailer's star schema give Apache Spark's rows and DuckDB's.

The tables are benchmarks/retail.py's at a tiny scale, the texts stand in tests/data/retail. What Spark 4.2 gave is in
tests/data/oracle/retail.json, written by `NBASPARK_RECORD=1 pytest --engine spark tests/python/test_retail.py`; DuckDB runs in the test.
"""

import json
import math
import os
import sys
from decimal import Decimal
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "benchmarks"))
import retail  # noqa: E402

RECORDED = HERE.parent / "data" / "oracle" / "retail.json"
RECORDING = bool(os.environ.get("NBASPARK_RECORD"))
SCALE = 0.001
QUERIES = retail.queries()
CONFIGURATIONS = {
    "plain": {},
    "three-row batches": {"nbaspark.debug.batchRows": "3"},
    "spilling": {"nbaspark.debug.forceSpill": "true"},
    "optimizer off": {"nbaspark.debug.optimizer": "false"},
    "one thread": {"nbaspark.debug.threads": "1"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("retail")
    retail.write(made, SCALE)
    return made


def open_tables(spark, folder):
    for path in folder.glob("*.parquet"):
        spark.read.parquet(str(path)).createOrReplaceTempView(path.stem)


@pytest.fixture
def tables(spark, folder):
    open_tables(spark, folder)
    return spark


def cell(value):
    """A value as JSON has it; floats stay numbers."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, list):
        return [cell(item) for item in value]
    return str(value)


def same_cell(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same_cell, a, b))
    return a == b and type(a) is type(b)


def same_as_peers(a, b):
    """Are these values equal, where one may be a double and the other a decimal of some places?"""
    if isinstance(a, (int, float, Decimal)) and isinstance(b, (int, float, Decimal)):
        return math.isclose(float(a), float(b), rel_tol=1e-6, abs_tol=2e-6)
    return a == b


def first_difference(ours, theirs, same):
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, not {len(theirs)}"
    for i, (a, b) in enumerate(zip(ours, theirs)):
        if len(a) != len(b) or not all(map(same, a, b)):
            return f"row {i}: {a}, not {b}"
    return None


@pytest.mark.parametrize("title", list(QUERIES))
def test_rows_are_sparks(title, tables, engine):
    frame = tables.sql(QUERIES[title][0])
    answer = {
        "schema": [f"{f.name}: {f.dataType.simpleString()}" for f in frame.schema],
        "rows": [[cell(value) for value in row] for row in frame.collect()],
    }
    recorded = json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}
    if RECORDING:
        assert engine == "spark"
        recorded[title] = answer
        lines = [
            f"{json.dumps(name)}: {json.dumps(recorded[name], ensure_ascii=False)}"
            for name in QUERIES
            if name in recorded
        ]
        RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    expected = recorded[title]
    assert answer["schema"] == expected["schema"]
    assert first_difference(answer["rows"], expected["rows"], same_cell) is None


@pytest.fixture(scope="module")
def peers_rows(folder):
    """What DuckDB answers, by title."""
    import duckdb

    db = duckdb.connect()
    db.execute("set default_null_order = 'nulls_first_on_asc_last_on_desc'")
    for path in folder.glob("*.parquet"):
        db.execute(f"create view {path.stem} as select * from '{path}'")
    return {
        title: db.execute(text).fetchall()
        for title, (_, text) in QUERIES.items()
        if text is not None
    }


@pytest.mark.embedded
@pytest.mark.parametrize("configuration", list(CONFIGURATIONS))
def test_rows_are_duckdbs(configuration, session, folder, peers_rows):
    spark = session.newSession()
    for key, value in CONFIGURATIONS[configuration].items():
        spark.conf.set(key, value)
    open_tables(spark, folder)
    wrong = {}
    for title, rows in peers_rows.items():
        ours = [tuple(row) for row in spark.sql(QUERIES[title][0]).collect()]
        if found := first_difference(ours, rows, same_as_peers):
            wrong[title] = found
    assert not wrong, "\n".join(f"{title}\n    {found}" for title, found in wrong.items())
    assert len(peers_rows) >= 60
