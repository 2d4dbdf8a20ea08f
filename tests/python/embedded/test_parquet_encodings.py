# SPDX-License-Identifier: Apache-2.0
"""Every encoding and physical type, as pyarrow writes them; and what Spark refuses."""

import datetime
import decimal
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = 5_000
RNG = random.Random(5)


def some(make, null=0.1):
    return [None if RNG.random() < null else make() for _ in range(ROWS)]


INTS = {
    "i8": pa.array(some(lambda: RNG.randrange(-128, 128)), pa.int8()),
    "i16": pa.array(some(lambda: RNG.randrange(-(2**15), 2**15)), pa.int16()),
    "i32": pa.array(some(lambda: RNG.choice([-(2**31), 2**31 - 1, RNG.randrange(99)])), pa.int32()),
    "i64": pa.array(some(lambda: RNG.choice([-(2**63), 2**63 - 1, RNG.randrange(9)])), pa.int64()),
    "seq": pa.array(range(ROWS), pa.int64()),
    "u8": pa.array(some(lambda: RNG.randrange(256)), pa.uint8()),
    "u16": pa.array(some(lambda: RNG.randrange(2**16)), pa.uint16()),
    "u32": pa.array(some(lambda: RNG.randrange(2**32)), pa.uint32()),
    "u64": pa.array(some(lambda: RNG.randrange(2**64)), pa.uint64()),
    "ms": pa.array(some(lambda: RNG.randrange(-(10**12), 10**12)), pa.timestamp("ms")),
    "date": pa.array(some(lambda: RNG.randrange(-(10**5), 10**5)), pa.date32()),
    "dec9": pa.array(
        some(lambda: decimal.Decimal(RNG.randrange(-(10**8), 10**8)) / 100), pa.decimal128(9, 2)
    ),
    "dec18": pa.array(
        some(lambda: decimal.Decimal(RNG.randrange(10**17)) / 100), pa.decimal128(18, 2)
    ),
}
REALS = {
    "f32": pa.array(
        some(lambda: RNG.choice([0.0, -0.0, 1.5, float("inf"), RNG.random()])), pa.float32()
    ),
    "f64": pa.array(some(RNG.random), pa.float64()),
}
STRINGS = {
    "s": pa.array(some(lambda: "prefix/" * RNG.randrange(4) + str(RNG.randrange(999)))),
    "b": pa.array(some(lambda: RNG.randbytes(RNG.randrange(20))), pa.binary()),
}
FIXED = {
    "fixed": pa.array(some(lambda: RNG.randbytes(5)), pa.binary(5)),
    "dec38": pa.array(
        some(lambda: decimal.Decimal(RNG.randrange(-(10**30), 10**30)) / 1000), pa.decimal128(38, 3)
    ),
    "half": pa.array(
        np.array([RNG.choice([0, 1.5, -2e-7, 65504]) for _ in range(ROWS)], np.float16)
    ),
}
BOOLS = {"bool": pa.array(some(lambda: RNG.random() < 0.5))}
ALL = {**INTS, **REALS, **STRINGS, **FIXED, **BOOLS}

CASES = {
    "dictionary": (ALL, {}),
    "plain": (ALL, {"use_dictionary": False}),
    "DELTA_BINARY_PACKED": (INTS, {}),
    "DELTA_LENGTH_BYTE_ARRAY": (STRINGS, {}),
    "DELTA_BYTE_ARRAY": (STRINGS, {}),
    "DELTA_BYTE_ARRAY fixed": ({k: FIXED[k] for k in ("fixed", "dec38")}, {}),
    "BYTE_STREAM_SPLIT": ({**INTS, **REALS, **FIXED}, {}),
    "RLE": (BOOLS, {}),
}


def expected(values, kind):
    if pa.types.is_uint64(kind):
        return [None if v is None else decimal.Decimal(v) for v in values]
    return values


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("case", CASES)
def test_encodings(spark, tmp_path, case, version):
    columns, options = CASES[case]
    options = dict(options)
    if case not in ("dictionary", "plain"):
        options = {"use_dictionary": False, "column_encoding": case.split()[0]}
    pq.write_table(
        pa.table(columns),
        tmp_path / "x.parquet",
        data_page_version=version,
        data_page_size=4000,
        compression="zstd",
        store_decimal_as_integer=True,
        **options,
    )
    back = spark.read.parquet(str(tmp_path / "x.parquet")).toArrow()
    for name, column in columns.items():
        assert back.column(name).to_pylist() == expected(column.to_pylist(), column.type), name


@pytest.mark.parametrize("case", ["plain", "DELTA_BINARY_PACKED", "DELTA_BYTE_ARRAY"])
def test_encodings_within_lists(spark, tmp_path, case):
    lists = (
        [STRINGS["s"][:3000]]
        if case == "DELTA_BYTE_ARRAY"
        else [INTS["i64"][:3000], INTS["u32"][:3000]]
    )
    columns = {
        str(k): pa.ListArray.from_arrays(pa.array(range(0, 3001, 3), pa.int32()), v)
        for k, v in enumerate(lists)
    }
    options = {} if case == "plain" else {"column_encoding": case}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet", use_dictionary=False, **options)
    back = spark.read.parquet(str(tmp_path / "x.parquet")).toArrow()
    for name, column in columns.items():
        assert back.column(name).to_pylist() == column.to_pylist(), name


def test_int96(spark, tmp_path):
    when = [datetime.datetime(1969, 12, 31, 23, 59, 59, 5), datetime.datetime(2024, 2, 29), None]
    table = pa.table({"t": pa.array(when, pa.timestamp("us"))})
    pq.write_table(table, tmp_path / "x.parquet", use_deprecated_int96_timestamps=True)
    frame = spark.read.parquet(str(tmp_path / "x.parquet"))
    assert frame.schema.simpleString() == "struct<t:timestamp>"
    assert [r.t for r in frame.collect()] == when


# as Spark 4.2 answers the same files
REFUSED = {
    "time in ms": (pa.time32("ms"), "PARQUET_TYPE_ILLEGAL", "INT32 (TIME(MILLIS,false))"),
    "time in ns": (pa.time64("ns"), "PARQUET_TYPE_ILLEGAL", "INT64 (TIME(NANOS,false))"),
    "time in us": (pa.time64("us"), "UNSUPPORTED_TIME_TYPE", None),
}


@pytest.mark.parametrize("case", REFUSED)
def test_types_that_spark_refuses(spark, tmp_path, case):
    kind, condition, text = REFUSED[case]
    pq.write_table(pa.table({"c": pa.array([1, None], kind)}), tmp_path / "x.parquet")
    with pytest.raises(Exception) as caught:
        spark.read.parquet(str(tmp_path / "x.parquet")).collect()
    assert caught.value.getCondition() == condition
    if text:
        assert caught.value.getMessageParameters()["parquetType"] == text


# schema asked for -> column, and Spark 4.2's answer
WIDER = [
    ("i8 int", "i8", None),
    ("i32 bigint", "i32", None),
    ("i32 double", "i32", None),
    ("i32 decimal(12,2)", "i32", None),
    ("i32 smallint", "i8", None),
    ("f32 double", "f32", None),
    ("date timestamp_ntz", "date", None),
    ("dec9 decimal(20,4)", "dec9", None),
    ("dec18 decimal(38,2)", "dec18", None),
    ("i64 int", "i64", "[i64]"),
    ("s int", "s", "[s]"),
    ("dec9 decimal(9,3)", "dec9", "[dec9]"),
    ("f64 float", "f64", "[f64]"),
]


@pytest.mark.parametrize("schema,source,refused", WIDER)
def test_another_type_than_the_file_has(spark, tmp_path, schema, source, refused):
    name, kind = schema.split(" ", 1)
    source = ALL[source]
    pq.write_table(pa.table({name: source}), tmp_path / "x.parquet", store_decimal_as_integer=True)
    frame = spark.read.schema(schema).parquet(str(tmp_path / "x.parquet"))
    if refused:
        with pytest.raises(Exception) as caught:
            frame.collect()
        assert caught.value.getCondition() == "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH"
        assert caught.value.getMessageParameters()["column"] == refused
        return
    pq.write_table(pa.table({name: source}), tmp_path / "y.parquet", store_decimal_as_integer=True)
    cast = spark.read.parquet(str(tmp_path / "y.parquet")).selectExpr(f"cast({name} as {kind})")
    assert frame.collect() == cast.collect()
    assert frame.filter(f"{name} is not null").count() == len(source) - source.null_count


def test_merge_schema(spark, tmp_path):
    pq.write_table(pa.table({"a": [1], "s": [{"x": 1}]}), tmp_path / "1.parquet")
    pq.write_table(
        pa.table({"A": [2], "b": ["z"], "s": [{"x": 2, "y": 3}]}), tmp_path / "2.parquet"
    )
    plain = spark.read.parquet(str(tmp_path))
    assert plain.schema.simpleString() == "struct<a:bigint,s:struct<x:bigint>>"
    assert sorted(r.a for r in plain.collect()) == [1, 2]
    merged = spark.read.option("mergeSchema", True).parquet(str(tmp_path))
    assert merged.schema.simpleString() == "struct<a:bigint,s:struct<x:bigint,y:bigint>,b:string>"
    rows = sorted((r.a, r.s.x, r.s.y, r.b) for r in merged.collect())
    assert rows == [(1, 1, None, None), (2, 2, 3, "z")]
    pq.write_table(pa.table({"a": ["text"]}), tmp_path / "3.parquet")
    with pytest.raises(Exception) as caught:
        spark.read.option("mergeSchema", True).parquet(str(tmp_path)).collect()
    assert caught.value.getCondition() == "CANNOT_MERGE_SCHEMAS"


@pytest.mark.parametrize("dictionary", [True, False])
def test_decimals_of_every_width(spark, tmp_path, dictionary):
    """pyarrow keeps decimals in as few bytes as their precision takes: 1 to 16, the highest first."""
    columns = {}
    for precision in range(1, 39):
        most = 10**precision - 1
        values = [0, 1, -1, most, -most, None, most // 7, -(most // 3)] * 40
        digits = decimal.Context(prec=40)
        columns[f"d{precision}"] = pa.array(
            [None if v is None else digits.create_decimal(v) for v in values],
            pa.decimal128(precision, 0),
        )
    table = pa.table(columns)
    pq.write_table(table, tmp_path / "x.parquet", use_dictionary=dictionary, data_page_size=600)
    rows = spark.read.parquet(str(tmp_path / "x.parquet")).collect()
    assert [tuple(r) for r in rows] == list(zip(*(c.to_pylist() for c in table.columns)))


@pytest.mark.parametrize("dictionary", [True, False])
def test_nulls_among_values_of_every_width(spark, tmp_path, dictionary):
    """Values and codes are spread over the rows that have one: from the first row, the last, none, all but one."""
    shapes = [
        lambda i: i % 2 == 0,
        lambda i: i % 2 == 1,
        lambda i: True,
        lambda i: i == 0,
        lambda i: i == 999,
        lambda i: i not in (0, 64, 999),
        lambda i: i * 7919 % 11 > 1,
    ]
    makers = {
        "bool": (pa.bool_(), lambda i: i % 3 == 0),
        "tiny": (pa.int8(), lambda i: i % 100 - 50),
        "short": (pa.int16(), lambda i: i * 31 - 9000),
        "int": (pa.int32(), lambda i: i * 65537),
        "long": (pa.int64(), lambda i: i << 33),
        "text": (pa.string(), lambda i: f"text {i % 300} " * (i % 3)),
        "wide": (pa.decimal128(30, 2), lambda i: decimal.Decimal(i * 10**12)),
    }
    columns = {
        f"{name}{k}": pa.array([make(i) if there(i) else None for i in range(1000)], kind)
        for name, (kind, make) in makers.items()
        for k, there in enumerate(shapes)
    }
    table = pa.table(columns)
    pq.write_table(table, tmp_path / "x.parquet", use_dictionary=dictionary, data_page_size=700)
    frame = spark.read.parquet(str(tmp_path / "x.parquet"))
    want = list(zip(*(c.to_pylist() for c in table.columns)))
    assert [tuple(r) for r in frame.collect()] == want
    assert [tuple(r) for r in frame.filter("int6 % 3 = 0").collect()] == [
        r for r in want if r[27] is not None and r[27] % 3 == 0
    ]
