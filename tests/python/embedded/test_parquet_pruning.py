# SPDX-License-Identifier: Apache-2.0
"""Row groups and pages that filters skip by bounds, bloom filters and page indexes: the rows are right, and others are not read."""

import math
import random
import struct

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = 40_000
FILTERS = [
    "id = 12345",
    "id < 100",
    "id >= 39990",
    "id > 10000 and id <= 10010",
    "f > 39990.5",
    "f < 3",
    "f = 77.5",
    "s = 'key 00012345'",
    "s > 'key 00039990'",
    "s <= 'key 00000005'",
    "d = date'1970-02-01'",
    "d >= date'2079-01-01'",
    "id = 12345 and s = 'key 00012345'",
    "id = 12345 and s = 'key 00000001'",
    "u = 'nowhere'",
    "u = 'value 700'",
    "n = 39999",
    "n is null and id < 7",
    "nan > 5",
    "nan = double('nan') and id < 50",
    "nan < 0.5",
]


@pytest.fixture(scope="module")
def table():
    rng = random.Random(3)
    return pa.table(
        {
            "id": pa.array(range(ROWS), pa.int64()),
            "f": pa.array([k + 0.5 for k in range(ROWS)], pa.float32()),
            "s": [f"key {k:08}" for k in range(ROWS)],
            "d": pa.array([k for k in range(ROWS)], pa.date32()),
            "u": [
                f"value {rng.randrange(10**9)}" if k != 777 else "value 700" for k in range(ROWS)
            ],
            "n": pa.array([None if k < 20_000 else k for k in range(ROWS)], pa.int32()),
            "nan": [math.nan if k % 1000 == 0 else k / ROWS for k in range(ROWS)],
            "nested": [[k, k + 1] for k in range(ROWS)],
        }
    )


@pytest.fixture(scope="module", params=["ours", "pyarrow"])
def file(request, session, table, tmp_path_factory):
    path = tmp_path_factory.mktemp(request.param)
    if request.param == "pyarrow":
        pq.write_table(
            table,
            path / "x.parquet",
            write_page_index=True,
            row_group_size=15_000,
            data_page_size=5000,
            use_dictionary=["d"],
        )
        return path
    options = {"parquet.page.row.count.limit": "2500", "parquet.bloom.filter.enabled": "true"}
    frame = session.createDataFrame(table).coalesce(1)
    frame.write.mode("overwrite").options(**options).parquet(str(path))
    return path


@pytest.mark.parametrize("text", FILTERS)
def test_filters(spark, table, file, text):
    want = spark.createDataFrame(table).filter(text).select("id", "nested").collect()
    assert spark.read.parquet(str(file)).filter(text).select("id", "nested").collect() == want


def flipped(path, name):
    """The file with the pages of a column damaged, all but its first and last page."""
    (file,) = path.glob("*.parquet")
    column = [c for c in pq.ParquetFile(file).schema_arrow.names].index(name)
    chunk = pq.ParquetFile(file).metadata.row_group(0).column(column)
    data = bytearray(file.read_bytes())
    start = chunk.data_page_offset
    return file, data, start, chunk.total_compressed_size


def test_pages_without_survivors_are_not_decompressed(spark, tmp_path):
    frame = spark.range(ROWS).selectExpr("id", "cast(id * 7 as string) s").coalesce(1)
    frame.write.options(**{"parquet.page.row.count.limit": "2500"}).parquet(str(tmp_path / "x"))
    file, data, start, size = flipped(tmp_path / "x", "s")
    middle = start + size // 2
    data[middle : middle + 64] = bytes(64)
    file.write_bytes(data)
    back = spark.read.parquet(str(tmp_path / "x"))
    assert back.filter("id < 1000").selectExpr("max(s)").collect() == [("994",)]
    with pytest.raises(Exception) as caught:
        back.selectExpr("max(s)").collect()
    assert caught.value.getCondition() == "FAILED_READ_FILE.NO_HINT"
    assert "column s, page" in str(caught.value.getMessageParameters())
    assert str(file) in caught.value.getMessage()


def test_old_bounds_of_strings_do_not_count(spark, tmp_path):
    """Fields min and max were ordered by signed bytes: a file that has only them is read whole."""
    import parquet_bytes as pb

    stats = pb.thrift([(1, pb.BYTES, b"a"), (2, pb.BYTES, b"\xc3\xa9")])
    leaf = pb.Leaf(pb.BINARY, pb.page(pb.strings("a", "é"), 2), 2, statistics=stats)
    element = pb.Element("s", pb.BINARY, pb.REQUIRED, converted=pb.UTF8)
    (tmp_path / "x.parquet").write_bytes(pb.parquet([element], [leaf], 2))
    back = spark.read.parquet(str(tmp_path / "x.parquet"))
    assert back.filter("s >= 'a'").count() == 2
    assert back.filter("s = 'é'").collect() == [("é",)]


def test_a_bound_that_is_nan_does_not_count(spark, tmp_path):
    import parquet_bytes as pb

    nan = struct.pack("<d", math.nan)
    stats = pb.thrift([(5, pb.BYTES, nan), (6, pb.BYTES, struct.pack("<d", 1.0))])
    leaf = pb.Leaf(pb.DOUBLE, pb.page(struct.pack("<2d", 1.0, 7.0), 2), 2, statistics=stats)
    element = pb.Element("x", pb.DOUBLE, pb.REQUIRED)
    (tmp_path / "x.parquet").write_bytes(pb.parquet([element], [leaf], 2))
    back = spark.read.parquet(str(tmp_path / "x.parquet"))
    assert back.filter("x = 7").count() == 1
    assert back.filter("x < 1.5").count() == 1
