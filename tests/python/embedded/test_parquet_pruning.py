# SPDX-License-Identifier: Apache-2.0
"""Row groups and pages that filters skip by bounds, bloom filters and page indexes: the rows are right, and others are not read."""

import decimal
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


# ---- decimals in bytes -------------------------------------------------------------------------

DECIMALS = {"short": (7, 2), "long": (18, 3), "wide": (30, 4)}


@pytest.fixture(scope="module")
def prices(session, tmp_path_factory):
    """Row groups of a thousand values each, from -10000.00 up; the lowest group is all null."""
    folder = tmp_path_factory.mktemp("prices")
    cents = [None if k < 1000 else decimal.Decimal(k * 500 - 1_000_000) / 100 for k in range(4000)]
    columns = {n: pa.array(cents, pa.decimal128(*type_)) for n, type_ in DECIMALS.items()}
    table = pa.table({"k": range(4000), **columns})
    pq.write_table(table, folder / "x.parquet", row_group_size=1000, write_page_index=True)
    assert pq.ParquetFile(folder / "x.parquet").schema.column(1).physical_type == "FIXED_LEN_BYTE_ARRAY"  # fmt: skip
    return folder / "x.parquet"


@pytest.mark.parametrize("column", DECIMALS)
@pytest.mark.parametrize(
    "condition,n,groups",
    [
        ("{} < -20000", 0, 0),
        ("{} > 0", 1999, 2),
        ("{} <= -2500.00", 501, 1),
        ("{} < 0", 1000, 1),
        ("{} = -5000.00", 1, 1),
        ("{} = 0.01", 0, 1),
        ("{} between 4990 and 5010", 5, 2),
        ("{} is null", 1000, 4),
    ],
)
def test_decimals_in_bytes(spark, prices, tmp_path, column, condition, n, groups):
    """Pages of row groups that are not to be read are damaged: reading one of them is an error."""
    text = condition.format(column)
    assert spark.read.parquet(str(prices)).filter(text).count() == n
    held = pq.ParquetFile(prices)
    place = held.schema_arrow.names.index("k")
    read = 0
    for group in range(4):
        chunk = held.metadata.row_group(group).column(place)
        data = bytearray(prices.read_bytes())
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        data[start : start + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
        other = tmp_path / f"{group}.parquet"
        other.write_bytes(data)
        try:
            spark.read.parquet(str(other)).filter(text).selectExpr("sum(k)").collect()
        except Exception as error:
            assert error.getCondition().startswith("FAILED_READ_FILE")
            read += 1
    assert (n > 0) <= read <= groups


def decimals(tmp_path, values, statistics, width=4):
    import parquet_bytes as pb

    body = b"".join(v.to_bytes(width, "big", signed=True) for v in values)
    leaf = pb.Leaf(pb.FIXED, pb.page(body, len(values)), len(values), statistics=statistics)
    element = pb.Element("d", pb.FIXED, pb.REQUIRED, converted=5, length=width, scale=2, precision=9)  # fmt: skip
    path = tmp_path / "x.parquet"
    path.write_bytes(pb.parquet([element], [leaf], len(values)))
    return str(path)


@pytest.mark.parametrize(
    "fields",
    [
        [],  # nothing is said
        [(1, b"\x00\x00\x00\x64"), (2, b"\x00\x00\x00\x00")],  # old fields: any order
        [(5, b"\x00\x64"), (6, b"\x00\x00")],  # too short
        [(5, b"\x00" * 4 + b"\x64"), (6, b"\x00" * 5)],  # too long
        [(5, b""), (6, b"")],
        [(5, b"\x00\x00\x00\x00"), (6, b"\x00\x00\x00\x64")],  # crossed
        [(6, b"\x00\x00\x00\x64")],  # one alone
    ],
)
def test_bounds_of_decimals_that_do_not_count(spark, tmp_path, fields):
    import parquet_bytes as pb

    stats = pb.thrift([(n, pb.BYTES, v) for n, v in fields])
    path = decimals(tmp_path, [-300, 0, 700], stats)
    assert spark.read.parquet(path).filter("d > 6").count() == 1
    assert spark.read.parquet(path).filter("d < 0").count() == 1
    assert spark.read.parquet(path).selectExpr("min(d)", "max(d)").collect() == [
        (decimal.Decimal("-3.00"), decimal.Decimal("7.00"))
    ]


def test_bounds_of_decimals_that_count(spark, tmp_path):
    import parquet_bytes as pb

    low, high = (-300).to_bytes(4, "big", signed=True), (700).to_bytes(4, "big", signed=True)
    stats = pb.thrift([(3, pb.I64, 0), (5, pb.BYTES, high), (6, pb.BYTES, low)])
    frame = spark.read.parquet(decimals(tmp_path, [-300, 900, 700], stats))
    assert frame.filter("d > 8").count() == 0  # 9.00 is there, the bounds say that it is not
    assert frame.filter("d >= -3").count() == 3
