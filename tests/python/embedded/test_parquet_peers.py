# SPDX-License-Identifier: Apache-2.0
"""Parquet files of ours read by pyarrow, and pyarrow's read by us."""

import datetime
import decimal
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = 20_000
SCHEMA = "i int, s string, d double, b boolean, dt date, dec decimal(20,2), t timestamp_ntz"


def peer_table():
    start = datetime.datetime(2020, 1, 1)
    return pa.table(
        {
            "i": pa.array([None if k % 7 == 0 else k for k in range(ROWS)], pa.int64()),
            "s": pa.array([None if k % 11 == 0 else f"v{k % 50}" for k in range(ROWS)]),
            "u": pa.array([f"unique {k}" for k in range(ROWS)]),
            "t": pa.array(
                [start + datetime.timedelta(seconds=k) for k in range(ROWS)], pa.timestamp("us")
            ),
            "f": pa.array([k / 3 for k in range(ROWS)], pa.float32()),
            "dec": pa.array([decimal.Decimal(k) / 100 for k in range(ROWS)], pa.decimal128(12, 2)),
            "b": pa.array([k % 3 == 0 for k in range(ROWS)]),
        }
    )


@pytest.mark.parametrize("codec", ["snappy", "zstd", "gzip", "none", "lz4_raw"])
def test_pyarrow_reads_ours(spark, tmp_path, codec):
    rows = [
        (1, "a", 2.5, True, datetime.date(2024, 2, 29), decimal.Decimal("1.25"), None),
        (2, None, None, False, None, None, datetime.datetime(1969, 12, 31, 23, 59, 59)),
        (3, "ção, longer than twelve", -0.0, None, datetime.date(1, 1, 1), None, None),
    ]
    frame = spark.createDataFrame(rows, SCHEMA).coalesce(1)
    frame.write.option("compression", codec).parquet(str(tmp_path / "out"))
    (file,) = (tmp_path / "out").glob("*.parquet")
    assert [tuple(r.values()) for r in pq.read_table(file).to_pylist()] == rows
    assert spark.read.parquet(str(tmp_path / "out")).collect() == frame.collect()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd", "data_page_version": "2.0"},
        {"use_dictionary": False, "compression": "gzip"},
        {"compression": "brotli"},
        {"row_group_size": 1000},
    ],
    ids=str,
)
def test_we_read_pyarrow(spark, tmp_path, options):
    table = peer_table()
    pq.write_table(table, tmp_path / "x.parquet", **options)
    ours = spark.read.parquet(str(tmp_path / "x.parquet"))
    back = ours.toArrow()
    for name in table.column_names:
        assert back.column(name).to_pylist() == table.column(name).to_pylist(), name
    assert ours.filter("i > 10000 and s = 'v3'").count() == sum(
        1 for k in range(10_001, ROWS) if k % 7 and k % 11 and k % 50 == 3
    )


def test_damaged_files_give_errors(spark, tmp_path):
    pq.write_table(peer_table(), tmp_path / "x.parquet")
    good = (tmp_path / "x.parquet").read_bytes()
    rng = random.Random(7)
    errors = 0
    for k in range(60):
        bytes_ = bytearray(good)
        for _ in range(3):
            bytes_[rng.randrange(len(bytes_))] ^= 1 << rng.randrange(8)
        if k % 2:
            bytes_ = bytes_[: rng.randrange(len(bytes_))]
        (tmp_path / "y.parquet").write_bytes(bytes_)
        try:
            spark.read.parquet(str(tmp_path / "y.parquet")).selectExpr("sum(i)", "max(u)").collect()
        except Exception as error:
            assert error.getCondition()
            errors += 1
    assert errors >= 30


def test_file_of_several_splits(spark, tmp_path):
    """A file above Spark's 4 MB split is cut by row groups, each read once."""
    rows = 1_500_000
    table = pa.table({"x": pa.array(range(rows), pa.int64())})
    pq.write_table(
        table,
        tmp_path / "x.parquet",
        use_dictionary=False,
        compression="none",
        row_group_size=100_000,
    )
    frame = spark.read.parquet(str(tmp_path / "x.parquet"))
    assert frame.selectExpr("count(*)", "sum(x)").collect() == [(rows, rows * (rows - 1) // 2)]
