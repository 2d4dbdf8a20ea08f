# SPDX-License-Identifier: Apache-2.0
"""The CSV and text writers, their files and folders, save modes; the text reader."""

import bz2
import datetime
import decimal
import gzip
import re
import zlib

import pytest

from nbaspark.errors import AnalysisException, PySparkException


def parts(path):
    return sorted(p for p in path.rglob("part-*"))


def text(path):
    """What the only file of the output holds."""
    (part,) = parts(path)
    return part.read_text()


VALUES = [("a", ""), (None, " b "), ("c,d", 'e"f'), ('"g"', "h\ni"), ("\\", "#j"), ("#k", "é")]


@pytest.fixture
def df(spark):
    return spark.createDataFrame(VALUES, "a string, b string").coalesce(1)


@pytest.mark.parametrize(
    "options, expected",
    [
        ({}, 'a,""\n,b\n"c,d","e\\"f"\n"\\"g\\"","h\ni"\n\\,#j\n"#k",é\n'),
        ({"header": True}, 'a,b\na,""\n,b\n"c,d","e\\"f"\n"\\"g\\"","h\ni"\n\\,#j\n"#k",é\n'),
        ({"quoteAll": True}, '"a",""\n"","b"\n"c,d","e\\"f"\n"\\"g\\"","h\ni"\n"\\\\","#j"\n"#k","é"\n'),
        ({"escapeQuotes": False}, 'a,""\n,b\n"c,d",e"f\n"\\"g\\"","h\ni"\n\\,#j\n"#k",é\n'),
        ({"escape": '"'}, 'a,""\n,b\n"c,d","e""f"\n"""g""","h\ni"\n\\,#j\n"#k",é\n'),
        ({"quote": "'"}, 'a,""\n,b\n\'c,d\',e"f\n"g",\'h\ni\'\n\\,#j\n\'#k\',é\n'),
        ({"sep": ";"}, 'a;""\n;b\nc,d;"e\\"f"\n"\\"g\\"";"h\ni"\n\\;#j\n"#k";é\n'),
        ({"sep": "||"}, 'a||""\n||b\nc,d||"e\\"f"\n"\\"g\\""||"h\ni"\n\\||#j\n"#k"||é\n'),
        ({"nullValue": "N", "emptyValue": "E"}, 'a,E\nN,b\n"c,d","e\\"f"\n"\\"g\\"","h\ni"\n\\,#j\n"#k",é\n'),
        ({"ignoreLeadingWhiteSpace": False, "ignoreTrailingWhiteSpace": False}, 'a,""\n, b \n"c,d","e\\"f"\n"\\"g\\"","h\ni"\n\\,#j\n"#k",é\n'),
        ({"lineSep": ";"}, 'a,"";,b;"c,d","e\\"f";"\\"g\\"","h\ni";\\,#j;"#k",é;'),
    ],
)  # fmt: skip
def test_text(df, tmp_path, options, expected):
    df.write.options(**options).csv(str(tmp_path / "out"))
    assert text(tmp_path / "out") == expected


def test_values_of_all_types(spark, tmp_path):
    spark.conf.set("spark.sql.session.timeZone", "America/Sao_Paulo")
    d = decimal.Decimal
    df = spark.createDataFrame(
        [
            (1, -2, 0.1, 1.5, True, d("1.50"), datetime.date(2020, 1, 2)),
            (0, 5, float("nan"), float("-inf"), False, d("-0.01"), datetime.date(1, 1, 1)),
            (7, 8, 1e10, 1e-5, None, None, None),
        ],
        "a tinyint, b bigint, c double, d float, e boolean, f decimal(10,2), g date",
    ).selectExpr(
        "*", "timestamp'2021-06-01 10:11:12.123456' t", "timestamp_ntz'2021-06-01 0:0:0' n"
    )
    df.coalesce(1).write.csv(str(tmp_path / "out"))
    tail = "2021-06-01T10:11:12.123-03:00,2021-06-01T00:00:00.000"
    assert text(tmp_path / "out").split("\n") == [
        f"1,-2,0.1,1.5,true,1.50,2020-01-02,{tail}",
        f"0,5,NaN,-Infinity,false,-0.01,0001-01-01,{tail}",
        f"7,8,1.0E10,1.0E-5,,,,{tail}",
        "",
    ]
    df.limit(1).select("g", "t").coalesce(1).write.csv(
        str(tmp_path / "formats"), dateFormat="dd/MM/yy", timestampFormat="yyyyMMdd HHmmss.SSSSSS"
    )
    assert text(tmp_path / "formats") == "02/01/20,20210601 101112.123456\n"
    spark.conf.unset("spark.sql.session.timeZone")


def test_what_is_written_is_read_back(df, tmp_path):
    out = str(tmp_path / "out")
    df.write.csv(out, header=True, escape='"', nullValue="NULL")
    again = df.sparkSession.read.csv(out, header=True, escape='"', nullValue="NULL", multiLine=True)
    assert [tuple(r) for r in again.collect()] == [
        tuple(v.strip() if v else v for v in row) for row in VALUES
    ]


def test_names_of_files(df, tmp_path):
    out = tmp_path / "out"
    df.write.csv(str(out))
    assert sorted(p.name for p in out.iterdir() if not p.name.endswith(".crc"))[0] == "_SUCCESS"
    (part,) = parts(out)
    assert re.fullmatch(
        r"part-00000-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-c000\.csv", part.name
    )
    df.sparkSession.range(0, 100, 1, 4).write.csv(str(tmp_path / "four"))
    assert [p.name[:10] for p in parts(tmp_path / "four")] == [f"part-0000{i}" for i in range(4)]


def test_an_empty_result_has_one_file(spark, tmp_path):
    spark.range(0).write.csv(str(tmp_path / "out"), header=True)
    assert text(tmp_path / "out") == "id\n"


@pytest.mark.parametrize(
    "codec, suffix, unpack",
    [
        ("gzip", ".gz", gzip.decompress),
        ("bzip2", ".bz2", bz2.decompress),
        ("deflate", ".deflate", zlib.decompress),
        ("none", "", bytes),
    ],
)
def test_compression(df, tmp_path, codec, suffix, unpack):
    df.select("a").write.csv(str(tmp_path / "out"), compression=codec)
    (part,) = parts(tmp_path / "out")
    assert part.name.endswith(".csv" + suffix)
    assert unpack(part.read_bytes()).decode() == 'a\n"c,d"\n"\\"g\\""\n\\\n"#k"\n'
    assert df.sparkSession.read.csv(str(tmp_path / "out")).count() == 5


def test_encodings(df, tmp_path):
    df.select("b").filter("b = 'é'").write.csv(str(tmp_path / "out"), encoding="ISO-8859-1")
    (part,) = parts(tmp_path / "out")
    assert part.read_bytes() == b"\xe9\n"
    with pytest.raises(PySparkException, match="CHARSET"):
        df.write.csv(str(tmp_path / "no"), encoding="no-such")


def test_save_modes(spark, tmp_path):
    out = str(tmp_path / "out")
    one, two = spark.range(1).coalesce(1), spark.range(5, 7).coalesce(1)

    def ids():
        return sorted(int(r[0]) for r in spark.read.csv(out).collect())

    one.write.csv(out)
    with pytest.raises(AnalysisException) as e:
        two.write.csv(out)
    assert e.value.getCondition() == "PATH_ALREADY_EXISTS"
    two.write.mode("ignore").csv(out)
    assert ids() == [0]
    two.write.mode("append").csv(out)
    assert ids() == [0, 5, 6]
    two.write.mode("overwrite").csv(out)
    assert ids() == [5, 6]
    assert not (tmp_path / "out" / "_temporary").exists()


def test_a_failed_write_leaves_the_old_data(spark, tmp_path):
    out = tmp_path / "out"
    spark.range(3).coalesce(1).write.csv(str(out))
    before = text(out)
    failing = spark.range(0, 1000, 1, 2).selectExpr("assert_true(id < 900), id")
    for mode in ("overwrite", "append"):
        with pytest.raises(PySparkException):
            failing.selectExpr("id").filter("id / (id - 990) > -1e9").write.mode(mode).csv(str(out))
        assert text(out) == before
        assert not (out / "_temporary").exists()
    with pytest.raises(PySparkException):
        spark.range(10).filter("1 / (id - 5) < 2").write.csv(str(tmp_path / "new"))
    assert parts(tmp_path) == parts(out)


def test_partition_by(spark, tmp_path):
    out = tmp_path / "out"
    df = spark.createDataFrame(
        [(1, "a/b", 2020), (2, None, 2020), (3, "a/b", 2021), (4, "", 2021)],
        "v int, k string, year int",
    ).coalesce(1)
    df.write.partitionBy("year", "k").csv(str(out), header=True)
    found = {str(p.parent.relative_to(out)): p.read_text() for p in parts(out)}
    assert found == {
        "year=2020/k=a%2Fb": "v\n1\n",
        "year=2020/k=__HIVE_DEFAULT_PARTITION__": "v\n2\n",
        "year=2021/k=a%2Fb": "v\n3\n",
        "year=2021/k=__HIVE_DEFAULT_PARTITION__": "v\n4\n",
    }
    again = spark.read.csv(str(out), header=True, inferSchema=True)
    assert sorted((r.v, r.year, r.k) for r in again.collect() if r.k) == [
        (1, 2020, "a/b"),
        (3, 2021, "a/b"),
    ]
    with pytest.raises(AnalysisException):
        df.write.partitionBy("no").csv(str(tmp_path / "no"))
    with pytest.raises(AnalysisException):
        df.select("k").write.partitionBy("k").csv(str(tmp_path / "no"))


def test_max_records_per_file(spark, tmp_path):
    spark.range(10).coalesce(1).write.option("maxRecordsPerFile", 4).csv(str(tmp_path / "out"))
    found = parts(tmp_path / "out")
    assert [p.name[-8:] for p in found] == ["c000.csv", "c001.csv", "c002.csv"]
    assert [p.read_text().count("\n") for p in found] == [4, 4, 2]


def test_types_that_csv_has_not(spark, tmp_path):
    with pytest.raises(AnalysisException) as e:
        spark.range(1).selectExpr("array(id) a").write.csv(str(tmp_path / "out"))
    assert e.value.getCondition() == "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE"


# ---- text ------------------------------------------------------------------------------------


def test_text_files(spark, tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes("a\r\n\nb,c\rd\né".encode())
    assert [r.value for r in spark.read.text(str(path)).collect()] == ["a", "", "b,c", "d", "é"]
    assert [r.value for r in spark.read.text(str(path), wholetext=True).collect()] == [
        "a\r\n\nb,c\rd\né"
    ]
    assert [r.value for r in spark.read.text(str(path), lineSep=",").collect()] == [
        "a\r\n\nb",
        "c\rd\né",
    ]
    spark.read.text(str(path)).coalesce(1).write.text(str(tmp_path / "out"))
    assert text(tmp_path / "out") == "a\n\nb,c\nd\né\n"
    spark.read.text(str(path)).coalesce(1).write.text(
        str(tmp_path / "gz"), compression="gzip", lineSep=";"
    )
    (part,) = parts(tmp_path / "gz")
    assert gzip.decompress(part.read_bytes()).decode() == "a;;b,c;d;é;"
    with pytest.raises(PySparkException):
        spark.range(1).selectExpr("id", "'x' y").write.text(str(tmp_path / "two"))


@pytest.mark.parametrize(
    ("extension", "ends"), [("tsv", ".tsv"), ("TSV", ".TSV"), ("ab1", ".ab1"), ("ponto", ".ponto")]
)
def test_extension(spark, tmp_path, extension, ends):
    out = tmp_path / "out"
    spark.range(1).coalesce(1).write.option("extension", extension).csv(
        str(out), compression="gzip"
    )
    (part,) = out.glob("part-*")
    assert part.name.endswith(f"-c000{ends}.gz")


@pytest.mark.parametrize("extension", ["1", "a1b2"])
def test_extension_that_is_none(spark, tmp_path, extension):
    with pytest.raises(PySparkException, match="INVALID_PARAMETER_VALUE.EXTENSION"):
        spark.range(1).write.option("extension", extension).csv(str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
