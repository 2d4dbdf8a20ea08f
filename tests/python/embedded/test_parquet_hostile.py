# SPDX-License-Identifier: Apache-2.0
"""Parquet files that lie: an error that names file, column and page, and memory that the file's real size explains."""

import gzip
import random
import subprocess
import sys

import parquet_bytes as pb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from parquet_bytes import INT32, LIST, OPTIONAL, REPEATED, REQUIRED, Element, Leaf, int32s, page

NULLS = 30_000_000
RUN = pb.varint(NULLS << 1) + b"\0"

MEASURE = """
import resource, sys
from nbaspark.sql import SparkSession
spark = SparkSession.builder.config("spark.master", "local[2]").getOrCreate()
spark.range(10).collect()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print(spark.read.parquet(sys.argv[1]).selectExpr("count(*)", "count(f)", "max(f)").collect()[0])
except Exception as error:
    print(error.getCondition(), error.getMessage(), error.getMessageParameters())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def measured(path):
    """What a process of its own says of the file, and KiB that it took."""
    out = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return "\n".join(out[:-1]), int(out[-1])


def file_of(tmp_path, elements, leaves, n_rows):
    path = tmp_path / "x.parquet"
    path.write_bytes(pb.parquet(elements, leaves, n_rows))
    return path


def test_a_few_bytes_of_many_nulls(tmp_path):
    """As old writers made of a column without values: one run. It is read by parts."""
    nothing = page(b"", NULLS, def_=RUN, max_def=1)
    path = file_of(tmp_path, [Element("f", INT32)], [Leaf(INT32, nothing, NULLS)], NULLS)
    said, grown = measured(path)
    assert said == f"Row(count(1)={NULLS}, count(f)=0, max(f)=None)"
    assert grown < 64 << 10


def test_values_of_a_page_that_is_read_by_parts(spark, tmp_path):
    """Parts that begin within a run, and within values packed into bits."""
    n = 3 << 20
    packed = pb.varint(((n - 1001 - 3) // 8 + 1) << 1 | 1) + b"\x55" * ((n - 1001 - 3) // 8 + 1)
    levels = pb.varint(1001 << 1) + b"\1" + packed
    there = [k for k in range(n) if k < 1001 or (k - 1001) % 2 == 0]
    values = b"".join(k.to_bytes(4, "little") for k in there)
    data = page(values, n, def_=levels, max_def=1)
    path = file_of(tmp_path, [Element("f", INT32)], [Leaf(INT32, data, n)], n)
    back = spark.read.parquet(str(path))
    want = (n, len(there), sum(there), there[-1])
    assert back.selectExpr("count(*)", "count(f)", "sum(f)", "max(f)").collect() == [want]
    assert back.filter("f between 2097100 and 2097200").count() == sum(
        2097100 <= k <= 2097200 for k in there
    )


BOMBS = {
    "snappy": (1, lambda: b"\xff\xff\xff\xff\x07" + bytes(900)),
    "gzip": (2, lambda: gzip.compress(bytes(100_000))),
    "zstd": (6, lambda: b"\x28\xb5\x2f\xfd" + bytes(900)),
    "lz4": (7, lambda: bytes(900)),
}


@pytest.mark.parametrize("codec", BOMBS)
def test_pages_that_claim_two_gigabytes(tmp_path, codec):
    number, make = BOMBS[codec]
    data = page(b"", 500_000_000, uncompressed=2_000_000_000, codec=lambda _: make())
    leaf = Leaf(INT32, data, 500_000_000, codec=number)
    path = file_of(tmp_path, [Element("f", INT32, REQUIRED)], [leaf], 500_000_000)
    said, grown = measured(path)
    assert said.startswith("FAILED_READ_FILE.NO_HINT") and "column f, page 0" in said
    assert grown < 64 << 10


def test_a_list_of_billions(tmp_path):
    n = 2_000_000_000
    levels = pb.varint(n << 1)
    data = page(b"", n, rep=levels + b"\0", def_=levels + b"\1", max_rep=1, max_def=2)
    elements = [Element("f", None, OPTIONAL, 1, LIST), Element("element", INT32, REPEATED)]
    path = file_of(tmp_path, elements, [Leaf(INT32, data, n)], n)
    said, grown = measured(path)
    assert "a page claims more values than its bytes explain" in said
    assert grown < 64 << 10


# what is wrong -> (elements, leaves, rows, part of the message)
LISTS = [Element("f", None, OPTIONAL, 1, LIST), Element("element", INT32, REPEATED)]
WRONG = {
    "a level out of range": (
        LISTS,
        [page(int32s(1), 1, b"\x02\x00", b"\x02\x03", 1, 2)],
        "level is out of range",
    ),
    "a row that never began": (
        LISTS,
        [page(int32s(1), 1, [1], [2], 1, 2)],
        "a row goes on that never began",
    ),
    "a list that never began": (
        LISTS,
        [page(int32s(1), 2, [0, 1], [1, 2], 1, 2)],
        "a list goes on that never began",
    ),
    "other rows": (
        LISTS,
        [page(int32s(1, 2), 2, [0, 1], [2, 2], 1, 2)],
        "other rows than the row group",
    ),
    "values cut off": ([Element("f", INT32, REQUIRED)], [page(b"", 1)], "values are cut off"),
    "an encoding of another type": (
        [Element("f", INT32, REQUIRED)],
        [page(int32s(1), 1, encoding=6)],
        "encoding does not go with its type",
    ),
    "a dictionary that is not there": (
        [Element("f", INT32, REQUIRED)],
        [page(b"\0", 1, encoding=8)],
        "a dictionary that is not there",
    ),
    "delta without end": (
        [Element("f", INT32, REQUIRED)],
        [page(b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 1, encoding=5)],
        "delta-encoded values are damaged",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_pages_that_are_wrong(spark, tmp_path, case):
    elements, pages, text = WRONG[case]
    n = 2 if case in ("a list that never began", "other rows") else 1
    rows = 2 if case == "other rows" else 1
    path = file_of(tmp_path, elements, [Leaf(INT32, p, n) for p in pages], rows)
    with pytest.raises(Exception) as caught:
        spark.read.parquet(str(path)).collect()
    assert caught.value.getCondition() == "FAILED_READ_FILE.NO_HINT"
    assert text in str(caught.value.getMessageParameters())
    assert str(path) in caught.value.getMessage()


def test_flipped_and_cut_nested_files(spark, tmp_path):
    """Any damage gives rows or an error, with each encoding and page version."""
    rng = random.Random(23)
    lists = [None if k % 5 == 0 else [f"v{k % 13}", None][: k % 3] for k in range(400)]
    table = pa.table({"a": lists, "s": [{"x": k, "y": [k, k + 1]} for k in range(400)]})
    kinds = [
        {},
        {"data_page_version": "2.0", "compression": "zstd"},
        {"use_dictionary": False, "compression": "none"},
        {"use_dictionary": False, "column_encoding": {"a.list.element": "DELTA_BYTE_ARRAY"}},
    ]
    for number, kind in enumerate(kinds):
        pq.write_table(table, tmp_path / f"{number}.parquet", store_schema=False, **kind)
        good = (tmp_path / f"{number}.parquet").read_bytes()
        for _ in range(40):
            data = bytearray(good)
            for _ in range(3):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            (tmp_path / "y.parquet").write_bytes(data)
            try:
                spark.read.parquet(str(tmp_path / "y.parquet")).collect()
            except Exception as error:
                assert error.getCondition()


@pytest.mark.parametrize("physical,values", [(pb.INT64, bytes(8 * 40)), (pb.BOOLEAN, bytes(5))])
def test_a_level_of_more_bits_than_it_has(spark, tmp_path, physical, values):
    """A run of definition levels 255, of which each would stand for 255 values."""
    levels = pb.varint(40 << 1) + b"\xff"
    body = pb.page(values, 40, def_=levels, max_def=1)
    leaf = pb.Leaf(physical, body, 40)
    path = tmp_path / "x.parquet"
    path.write_bytes(pb.parquet([pb.Element("x", physical)], [leaf], 40))
    with pytest.raises(Exception) as caught:
        spark.read.parquet(str(path)).collect()
    assert caught.value.getCondition().startswith("FAILED_READ_FILE")
