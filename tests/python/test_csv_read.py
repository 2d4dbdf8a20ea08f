# SPDX-License-Identifier: Apache-2.0
"""The CSV reader: options, malformed records, inference, files and folders, errors."""

import bz2
import datetime
import decimal
import gzip
import zlib

import pytest

from nbaspark.errors import AnalysisException, PySparkException


@pytest.fixture
def put(tmp_path):
    """put(text or bytes, name="x.csv") writes a file and returns its path."""

    def write(content, name="x.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def rows(df):
    return [tuple(r) for r in df.collect()]


def types(df):
    return df.schema.simpleString()


def test_without_options_all_columns_are_strings(spark, put):
    df = spark.read.csv(put("1,a\n2,\n"))
    assert types(df) == "struct<_c0:string,_c1:string>"
    assert rows(df) == [("1", "a"), ("2", None)]


def test_header_names(spark, put):
    df = spark.read.csv(put("a,a,,B,b\n1,2,3,4,5\n"), header=True)
    assert df.columns == ["a0", "a1", "_c2", "B3", "b4"]
    assert rows(df) == [("1", "2", "3", "4", "5")]


def test_both_names_of_the_source(spark, put):
    path = put("a\n1\n")
    for name in ("csv", "com.databricks.spark.csv"):
        assert rows(spark.read.format(name).option("header", "true").load(path)) == [("1",)]


def test_blank_lines_and_line_breaks(spark, put):
    path = put("a,b\r\n\r\n  \n1,2\r3,4\n\n")
    assert rows(spark.read.csv(path)) == [("a", "b"), ("1", "2"), ("3", "4")]


@pytest.mark.parametrize(
    "options, text, expected",
    [
        ({}, '"a,b","c""d"\n', [("a,b", '"c""d"')]),
        ({"escape": '"'}, '"a,b","c""d"\n', [("a,b", 'c"d')]),
        ({}, '"a\\"b",c\n', [('a"b', "c")]),
        ({}, '"a\\\\",c\n', [("a\\", "c")]),
        ({"quote": "'"}, "'a,b',\"c\"\n", [("a,b", '"c"')]),
        ({"sep": "||"}, 'a||"b||c"\n', [("a", "b||c")]),
        ({"sep": "\\t"}, "a\tb\n", [("a", "b")]),
        ({"delimiter": ";"}, "a;b\n", [("a", "b")]),
        ({"comment": "#"}, "#x,y\na,b\n", [("a", "b")]),
        ({"nullValue": "x"}, 'x,""\n', [(None, "")]),
        ({"emptyValue": "E"}, '"",\n', [("E", None)]),
        ({"ignoreLeadingWhiteSpace": "true"}, " a, b \n", [("a", "b ")]),
        ({"ignoreTrailingWhiteSpace": "true"}, " a , b \n", [(" a", " b")]),
        ({"lineSep": ";"}, "a,b;c,d", [("a", "b"), ("c", "d")]),
        ({"multiLine": "true"}, '"a\nb",c\r\nd,e\n', [("a\nb", "c\r"), ("d", "e")]),
        ({"multiLine": "true"}, '"a\r\nb",c\r\nd,e\r\n', [("a\nb", "c"), ("d", "e")]),
        ({}, '"a\nb,c\n', [("a", None), ("b", "c")]),
        ({}, 'a"b,"c"d\n', [('a"b', '"c"d')]),
        ({"unescapedQuoteHandling": "STOP_AT_CLOSING_QUOTE"}, '"a"b,c"\n', [('a"b,c', None)]),
        ({"unescapedQuoteHandling": "SKIP_VALUE"}, '"a"b,c\n', [(None, "c")]),
        ({"unescapedQuoteHandling": "BACK_TO_DELIMITER"}, '"a"b,c\n', [("ab,c", None)]),
    ],
)
def test_parser_options(spark, put, options, text, expected):
    df = spark.read.options(**options).csv(put(text), schema="a string, b string")
    assert rows(df) == expected


@pytest.mark.parametrize(
    "encoding, codec",
    [
        ("ISO-8859-1", "latin-1"),
        ("UTF-8", "utf-8-sig"),
        ("US-ASCII", "ascii"),
    ],
)
def test_encodings(spark, put, encoding, codec):
    word = "maca" if codec == "ascii" else "maçã"
    path = put(f"a,b\n{word},1\n".replace("ã", "a").encode(codec))
    df = spark.read.csv(path, encoding=encoding, header=True)
    assert df.columns == ["a", "b"]
    assert rows(df) == [(word.replace("ã", "a"), "1")]


@pytest.mark.parametrize("encoding, codec", [("UTF-16", "utf-16"), ("UTF-16LE", "utf-16-le")])
def test_utf_16_with_multiline(spark, put, encoding, codec):
    path = put("a,b\nmaçã,1\n".encode(codec))
    assert rows(spark.read.csv(path, encoding=encoding, header=True, multiLine=True)) == [
        ("maçã", "1")
    ]


def test_malformed_utf_8_becomes_replacement_characters(spark, put):
    assert rows(spark.read.csv(put(b"a,\xff\xfe\n\xc3\xa9,\xe2\x82\n"))) == [
        ("a", "\ufffd\ufffd"),
        ("é", "\ufffd"),
    ]


@pytest.mark.parametrize(
    "name, pack",
    [
        ("x.csv.gz", gzip.compress),
        ("x.csv.bz2", bz2.compress),
        ("x.csv.deflate", zlib.compress),
        ("two.csv.gz", lambda b: gzip.compress(b[:10]) + gzip.compress(b[10:])),
    ],
)
def test_compressed_files(spark, put, name, pack):
    path = put(pack(b"a,b\n1,2\n" * 1000), name)
    df = spark.read.csv(path)
    assert df.count() == 2000
    assert rows(df.limit(1)) == [("a", "b")]


# ---- types -----------------------------------------------------------------------------------


def test_typed_columns(spark, put):
    path = put(
        "7,-3000000000,1.5,0.1,true,12.345,2020-02-29,2020-01-01 10:11:12.5\n"
        "+5,007,NaN,1e3,FALSE,-0.005,2020-1-1,2020-01-01T00:00:00\n"
        "2147483648,x,-Inf,Infinity,1,123456789012,2020-02-30,x\n"
    )
    schema = (
        "a int, b bigint, c double, d float, e boolean, f decimal(10,2), g date, h timestamp_ntz"
    )
    d, t = datetime.date, datetime.datetime
    assert rows(spark.read.csv(path, schema=schema).drop("c", "d")) == [
        (7, -3000000000, True, decimal.Decimal("12.35"), d(2020, 2, 29), t(2020, 1, 1, 10, 11, 12, 500000)),
        (5, 7, False, decimal.Decimal("-0.01"), d(2020, 1, 1), t(2020, 1, 1)),
        (None, None, None, None, None, None),
    ]  # fmt: skip
    c = [r.c for r in spark.read.csv(path, schema=schema).collect()]
    assert c[0] == 1.5 and c[1] != c[1] and c[2] == float("-inf")
    assert [r.d for r in spark.read.csv(path, schema=schema).collect()][1:] == [1000, float("inf")]


def test_date_and_timestamp_patterns(spark, put):
    path = put("31/12/2020,31/12/2020 23:59\n2020-12-31,2020-12-31 23:59\n")
    df = (
        spark.read.option("timestampNTZFormat", "dd/MM/yyyy HH:mm")
        .option("dateFormat", "dd/MM/yyyy")
        .csv(path, schema="a date, b timestamp_ntz")
    )
    assert rows(df) == [
        (datetime.date(2020, 12, 31), datetime.datetime(2020, 12, 31, 23, 59)),
        (None, None),
    ]


@pytest.mark.parametrize(
    "values, expected",
    [
        (["1", "2"], "int"),
        (["1", ""], "int"),
        (["1", "3000000000"], "bigint"),
        (["1", "99999999999999999999"], "decimal(20,0)"),
        (["1", "1.5"], "double"),
        (["1", "x"], "string"),
        (["1", " 2"], "double"),
        (["", ""], "string"),
        (["true", "FALSE"], "boolean"),
        (["true", "1"], "string"),
        (["2020-01-01"], "date"),
        (["2020-01-01", "2020-01-01 10:00:00"], "timestamp"),
        (["2020-01-01", "1"], "string"),
        (["NaN", "Inf", "1"], "double"),
        (["0x1p3"], "double"),
    ],
)
def test_inference(spark, put, values, expected):
    path = put("\n".join(f"{v},." for v in values) + "\n")
    df = spark.read.csv(path, inferSchema=True).select("_c0")
    assert types(df) == f"struct<_c0:{expected}>"


def test_inference_with_options(spark, put):
    path = put("a,b,c\nx,1,20200101\n1,2,20200102\n")
    df = spark.read.csv(path, header=True, inferSchema=True, nullValue="x", dateFormat="yyyyMMdd")
    assert types(df) == "struct<a:int,b:int,c:int>"
    df = spark.read.option("preferDate", False).csv(put("2020-01-01\n"), inferSchema=True)
    assert types(df) == "struct<_c0:timestamp>"


# ---- malformed records -----------------------------------------------------------------------

RAGGED = "a,b,c\n1,2,3\n4,5\n6,7,8,9\nx,,z\n"


def test_permissive(spark, put):
    df = spark.read.csv(put(RAGGED), header=True, schema="a int, b string, c string")
    assert rows(df) == [(1, "2", "3"), (4, "5", None), (6, "7", "8"), (None, None, "z")]


def test_corrupt_record_column(spark, put):
    schema = "a int, b string, c string, _corrupt_record string"
    df = spark.read.csv(put(RAGGED), header=True, schema=schema)
    assert rows(df.select("a", "_corrupt_record")) == [
        (1, None),
        (4, None),
        (6, None),
        (None, "x,,z"),
    ]
    assert [r._corrupt_record for r in df.collect()] == [None, "4,5", "6,7,8,9", "x,,z"]
    with pytest.raises(AnalysisException) as e:
        df.select("_corrupt_record").collect()
    assert e.value.getCondition() == "UNSUPPORTED_FEATURE.QUERY_ONLY_CORRUPT_RECORD_COLUMN"
    other = spark.read.csv(
        put(RAGGED),
        header=True,
        schema="a int, b string, c string, bad string",
        columnNameOfCorruptRecord="bad",
    )
    assert [r.bad for r in other.collect()] == [None, "4,5", "6,7,8,9", "x,,z"]


def test_dropmalformed(spark, put):
    df = spark.read.csv(
        put(RAGGED), header=True, schema="a int, b string, c string", mode="DROPMALFORMED"
    )
    assert rows(df) == [(1, "2", "3")]
    assert df.count() == 4  # no column is read, so no record is malformed


def test_failfast(spark, put):
    df = spark.read.csv(
        put(RAGGED), header=True, schema="a int, b string, c string", mode="FAILFAST"
    )
    with pytest.raises(PySparkException) as e:
        df.collect()
    assert e.value.getCondition() == "FAILED_READ_FILE.NO_HINT"


@pytest.mark.parametrize("options", [{"maxColumns": "2"}, {"maxCharsPerColumn": "2"}])
def test_limits(spark, put, options):
    df = spark.read.options(**options).csv(put("abc,b,c\n"), schema="a string, b string, c string")
    with pytest.raises(PySparkException) as e:
        df.collect()
    assert e.value.getCondition() == "FAILED_READ_FILE.NO_HINT"


def test_enforce_schema(spark, put):
    path = put("a,b\n1,2\n")
    assert rows(spark.read.csv(path, header=True, schema="x string, y string")) == [("1", "2")]
    for schema in ("x string, b string", "a string"):
        with pytest.raises(PySparkException):
            spark.read.csv(path, header=True, schema=schema, enforceSchema=False).collect()
    assert rows(spark.read.csv(path, header=True, schema="a int, B int", enforceSchema=False)) == [
        (1, 2)
    ]


# ---- files and folders -----------------------------------------------------------------------


def test_folders_lists_and_globs(spark, put, tmp_path):
    for name in ("d/a.csv", "d/b.csv", "d/_hidden.csv", "d/.dot.csv", "d/sub/c.csv", "e/f.txt"):
        put(f"{name}\n", name)
    d = str(tmp_path)

    def read(*paths, **options):
        return sorted(r[0] for r in spark.read.options(**options).csv(list(paths)).collect())

    assert read(f"{d}/d") == ["d/a.csv", "d/b.csv"]
    assert read(f"{d}/d", recursiveFileLookup=True) == ["d/a.csv", "d/b.csv", "d/sub/c.csv"]
    assert read(f"{d}/d/a.csv", f"{d}/e") == ["d/a.csv", "e/f.txt"]
    assert read(f"{d}/*/[a-b].csv") == ["d/a.csv", "d/b.csv"]
    assert read(f"{d}/{{d/b.csv,e/f.txt}}") == ["d/b.csv", "e/f.txt"]
    assert read(f"file://{d}/d/?.csv") == ["d/a.csv", "d/b.csv"]
    assert read(f"{d}/d", pathGlobFilter="b*") == ["d/b.csv"]


def test_partition_columns(spark, put, tmp_path):
    put("1\n", "t/year=2020/name=a%20b/x.csv")
    put("2\n", "t/year=2021/name=__HIVE_DEFAULT_PARTITION__/x.csv")
    df = spark.read.csv(str(tmp_path / "t"))
    assert types(df) == "struct<_c0:string,year:int,name:string>"
    assert sorted(rows(df)) == [("1", 2020, "a b"), ("2", 2021, None)]
    assert rows(df.filter("year = 2021").select("_c0")) == [("2",)]
    assert sorted(rows(df.select("year"))) == [(2020,), (2021,)]
    below = spark.read.option("basePath", str(tmp_path / "t")).csv(str(tmp_path / "t/year=2020"))
    assert rows(below) == [("1", 2020, "a b")]


def test_a_large_file_is_read_in_order(spark, tmp_path):
    path = tmp_path / "large.csv"
    with open(path, "w") as f:
        f.write("i,text,even\n")
        for i in range(300_000):
            f.write(f'{i},"row, {i}",{i % 2 == 0}\n')
    df = spark.read.csv(str(path), header=True, inferSchema=True)
    assert types(df) == "struct<i:int,text:string,even:boolean>"
    assert df.count() == 300_000
    assert df.select("text").tail(1)[0][0] == "row, 299999"
    assert rows(df.selectExpr("sum(i)", "count_if(even)", "max(length(text))")) == [
        (44999850000, 150000, 11)
    ]


# ---- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, condition",
    [
        ({"quote": "ab"}, "OPTION_VALUE_EXCEEDS_ONE_CHARACTER"),
        ({"sep": "\\x"}, "INVALID_DELIMITER_VALUE.UNSUPPORTED_SPECIAL_CHARACTER"),
        ({"encoding": "no-such"}, "INVALID_PARAMETER_VALUE.CHARSET"),
        ({"header": "maybe"}, None),
        ({"maxColumns": "x"}, None),
        ({"lineSep": ""}, None),
        ({"unescapedQuoteHandling": "x"}, None),
    ],
)
def test_invalid_options(spark, put, options, condition):
    with pytest.raises(PySparkException) as e:
        spark.read.options(**options).csv(put("a\n")).collect()
    if condition:
        assert e.value.getCondition() == condition


def test_missing_and_empty_paths(spark, put, tmp_path):
    with pytest.raises(AnalysisException, match="PATH_NOT_FOUND"):
        spark.read.csv(str(tmp_path / "no")).collect()
    with pytest.raises(AnalysisException, match="PATH_NOT_FOUND"):
        spark.read.csv(str(tmp_path / "no*")).collect()
    (tmp_path / "empty").mkdir()
    with pytest.raises(AnalysisException, match="UNABLE_TO_INFER_SCHEMA"):
        spark.read.csv(str(tmp_path / "empty")).collect()
    assert rows(spark.read.csv(str(tmp_path / "empty"), schema="a int")) == []
    assert spark.read.csv(put("")).columns == []
    with pytest.raises(PySparkException, match="DATA_SOURCE_NOT_FOUND"):
        spark.read.format("no.such.source").load(put("")).collect()
    with pytest.raises(AnalysisException, match="UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE"):
        spark.read.csv(put("1\n"), schema="a array<int>").collect()


def test_junk_as_csv(spark, put):
    junk = bytes((i * 7919 + i // 256) % 256 for i in range(100_000))
    assert spark.read.csv(put(junk), schema="a string, b int").count() > 0
    assert (
        len(spark.read.csv(put(b"\0" * 1000 + b",\0\n"), schema="a string, b string").collect())
        == 1
    )
    assert rows(spark.read.csv(put('"unterminated,1\n"also,2'), schema="a string, b string")) == [
        ("unterminated,1", None),
        ("also,2", None),
    ]


def test_a_line_of_many_megabytes(spark, put):
    path = put("a" * 20_000_000)
    df = spark.read.csv(path)
    assert df.count() == 1
    assert rows(df.selectExpr("length(_c0)")) == [(20_000_000,)]


@pytest.mark.parametrize("name", ["x.csv.gz", "x.csv.bz2"])
def test_damaged_compression(spark, put, name):
    whole = {"x.csv.gz": gzip, "x.csv.bz2": bz2}[name].compress(b"a,b\n" * 100_000)
    path = put(whole[: len(whole) // 2], name)
    with pytest.raises(PySparkException) as e:
        spark.read.csv(path, schema="a string, b string").collect()
    assert e.value.getCondition() == "FAILED_READ_FILE.NO_HINT"
