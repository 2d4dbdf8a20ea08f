# SPDX-License-Identifier: Apache-2.0
"""What the Parquet writer makes, as pyarrow sees it: nested columns, encodings, statistics, page indexes."""

import datetime
import decimal

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

ROWS = 50_000
NESTED = """select id,
  if(id % 5 = 0, null, transform(sequence(0, id % 4), x -> if(x = 1, null, x + id))) ints,
  if(id % 7 = 0, null, map('k', id, concat('key ', id), null)) pairs,
  if(id % 3 = 0, null, named_struct('a', if(id % 2 = 0, null, cast(id as int)), 'b', array(named_struct('c', cast(id as string), 'd', array(array(id), array(), null))))) item,
  array() empty
  from range(5000)"""


def written(frame, path, **options):
    frame.coalesce(1).write.mode("overwrite").options(**options).parquet(str(path))
    (file,) = path.glob("*.parquet")
    return pq.ParquetFile(file)


def test_nested_columns_come_back(spark, tmp_path):
    frame = spark.sql(NESTED)
    want = frame.toArrow()
    file = written(frame, tmp_path / "x", **{"parquet.page.row.count.limit": "100"})
    back = file.read()
    ours = spark.read.parquet(str(tmp_path / "x")).toArrow()
    for name in want.column_names:
        rows = want.column(name).to_pylist()
        assert ours.column(name).to_pylist() == rows, name
        assert back.column(name).to_pylist() == rows, name
    layout = str(file.schema).replace(" field_id=-1", "")
    assert "optional group ints (List)" in layout
    assert "repeated group list" in layout
    assert "repeated group key_value" in layout


@pytest.mark.parametrize("codec", ["snappy", "zstd", "gzip", "none", "lz4_raw", "brotli", "lz4"])
def test_codecs(spark, tmp_path, codec):
    frame = spark.range(3000).selectExpr("id", "cast(id % 7 as string) s", "array(id, null) a")
    file = written(frame, tmp_path / "x", compression=codec, **{"compressionLevel": "1"})
    assert spark.read.parquet(str(tmp_path / "x")).collect() == frame.collect()
    if codec != "lz4":
        assert file.read().to_pylist() == frame.toArrow().to_pylist()


TYPES = """select cast(id as tinyint) i8, cast(id as smallint) i16, cast(id as int) i32, id i64,
  cast(id / 3 as float) f32, if(id % 100 = 7, double('nan'), id / 7) f64, id % 3 = 0 b,
  cast(id / 100 as decimal(9,2)) d9, cast(id as decimal(18,4)) d18, cast(id - 60 as decimal(38,10)) d38,
  concat('a string that is longer than its bound of sixty-four bytes, so that it is cut: ', id) s,
  cast(concat('x', id % 5) as binary) bin, date_add(date'2020-01-01', cast(id as int)) dt,
  timestamp_seconds(id) ts, cast(timestamp_seconds(id) as timestamp_ntz) ntz,
  cast(id as interval month) ym, make_dt_interval(cast(id as int)) dti, null nothing
  from range(120)"""


def test_types_and_statistics(spark, tmp_path):
    frame = spark.sql(TYPES)
    file = written(frame, tmp_path / "x")
    back = spark.read.parquet(str(tmp_path / "x"))
    assert back.dtypes == frame.dtypes
    assert (
        back.selectExpr("*", "cast(ym as string) y", "cast(dti as string) d")
        .drop("ym", "dti", "f64")
        .collect()
        == frame.selectExpr("*", "cast(ym as string) y", "cast(dti as string) d")
        .drop("ym", "dti", "f64")
        .collect()
    )
    group = file.metadata.row_group(0)
    stats = {group.column(i).path_in_schema: group.column(i).statistics for i in range(18)}
    assert (stats["i8"].min, stats["i8"].max) == (0, 119)
    assert (stats["i64"].min, stats["i64"].max) == (0, 119)
    assert (stats["f64"].min, stats["f64"].max) == (0.0, 17.0)
    assert (stats["b"].min, stats["b"].max) == (False, True)
    assert stats["d9"].max == decimal.Decimal("1.19")
    assert (stats["d38"].min, stats["d38"].max) == (decimal.Decimal(-60), decimal.Decimal(59))
    assert stats["s"].min == "a string that is longer than its bound of sixty-four bytes, so t"
    assert stats["s"].max == "a string that is longer than its bound of sixty-four bytes, so u"
    assert (stats["bin"].min, stats["bin"].max) == (b"x0", b"x4")
    assert stats["dt"].min == datetime.date(2020, 1, 1)
    assert stats["nothing"].null_count == 120 and not stats["nothing"].has_min_max
    assert stats["i32"].null_count == 0
    assert "nbaspark version" in file.metadata.created_by


def test_dictionaries_and_pages(spark, tmp_path):
    frame = spark.range(ROWS).selectExpr(
        "id",
        "id % 10 k",
        "cast(id as string) u",
        "concat('v', id % 100) s",
        "id % 2 = 0 b",
        "if(id < 30000, 1, id) half",
    )
    file = written(
        frame,
        tmp_path / "x",
        **{"parquet.page.row.count.limit": "5000", "parquet.dictionary.page.size": "50000"},
    )
    group = file.metadata.row_group(0)
    encodings = {group.column(i).path_in_schema: group.column(i).encodings for i in range(6)}
    assert "RLE_DICTIONARY" not in encodings["id"] and "RLE_DICTIONARY" not in encodings["u"]
    assert "RLE_DICTIONARY" in encodings["k"] and "RLE_DICTIONARY" in encodings["s"]
    assert {"RLE_DICTIONARY", "PLAIN"} <= set(encodings["half"])  # gave up on the way
    assert group.column(0).has_column_index and group.column(0).has_offset_index
    assert file.read().sort_by("id") == frame.toArrow().cast(file.schema_arrow)
    assert spark.read.parquet(str(tmp_path / "x")).filter("half = 40000").count() == 1
    plain = written(
        frame,
        tmp_path / "y",
        **{"parquet.enable.dictionary": "false", "parquet.enable.dictionary#k": "true"},
    )
    group = plain.metadata.row_group(0)
    assert "RLE_DICTIONARY" in group.column(1).encodings
    assert "RLE_DICTIONARY" not in group.column(3).encodings


def test_sizes_of_row_groups_and_pages(spark, tmp_path):
    frame = spark.range(ROWS).selectExpr("id", "repeat(cast(id as string), 50) s")
    file = written(
        frame,
        tmp_path / "x",
        compression="none",
        **{"parquet.block.size": "1000000", "parquet.page.size": "100000"},
    )
    assert 10 < file.metadata.num_row_groups < 30
    assert (
        sum(file.metadata.row_group(g).num_rows for g in range(file.metadata.num_row_groups))
        == ROWS
    )
    assert pc.sum(file.read().column("id")).as_py() == ROWS * (ROWS - 1) // 2
    assert spark.read.parquet(str(tmp_path / "x")).exceptAll(frame).count() == 0


def test_nothing_and_nulls(spark, tmp_path):
    frame = spark.sql("select cast(null as int) a, array(cast(null as string)) b from range(10)")
    file = written(frame, tmp_path / "x")
    assert file.read().to_pylist() == [{"a": None, "b": [None]}] * 10
    empty = frame.filter("a = 1")
    written(empty, tmp_path / "y")
    assert spark.read.parquet(str(tmp_path / "y")).collect() == []
    assert spark.read.parquet(str(tmp_path / "y")).dtypes == frame.dtypes


def test_vectors_of_ml(spark, tmp_path):
    from nbaspark.ml.linalg import Vectors

    rows = [(1, Vectors.dense([1.0, 2.5])), (2, Vectors.sparse(4, [1, 3], [0.5, 9.0])), (3, None)]
    frame = spark.createDataFrame(rows, ["id", "features"])
    file = written(frame, tmp_path / "x")
    assert (
        b"org.apache.spark.ml.linalg.VectorUDT"
        in file.metadata.metadata[b"org.apache.spark.sql.parquet.row.metadata"]
    )
    back = spark.read.parquet(str(tmp_path / "x"))
    assert back.schema["features"].dataType == frame.schema["features"].dataType
    assert back.orderBy("id").collect() == frame.collect()
