# SPDX-License-Identifier: Apache-2.0
"""Columns that the names of directories make: their types, and layouts that are refused.

What is expected is what Apache Spark 4.2 answered for the same directories.
"""

import pytest

from nbaspark.errors import PySparkException

# directories with a file of one line each; the columns and how many lines are read, or the condition
CASES = (
    (("t=2024-02-29 01%3A02%3A03",), ("t:timestamp", 1)),
    (("t=2024-02-29 01%3A02%3A03", "t=2024-02-29"), ("t:timestamp", 2)),
    (("t=2024-02-29 01%3A02%3A03.5",), ("t:timestamp", 1)),
    (("t=NaN", "t=1.5"), ("t:double", 2)),
    (("t=Infinity", "t=1.5"), ("t:double", 2)),
    (("t=2023-02-29",), ("t:string", 1)),
    (("t=9223372036854775808", "t=1"), ("t:decimal(19,0)", 2)),
    (("t=1e3",), ("t:decimal(4,0)", 1)),
    (("t=1d",), ("t:double", 1)),
    (("t=1f",), ("t:double", 1)),
    (("t= 1",), ("t:double", 1)),
    (("t=",), ("EMPTY_PARTITION_COLUMN_VALUE", None)),
    (("a=1", "A=2"), ("a:int", 2)),
    (("a=1/a=2",), ("COLUMN_ALREADY_EXISTS", None)),
    (("a", "k=1"), ("CONFLICTING_DIRECTORY_STRUCTURES", None)),
    (("a/b", "k=1"), ("CONFLICTING_DIRECTORY_STRUCTURES", None)),
    ((".", "k=1"), ("k:int", 1)),
    (("t=1", "t=2.5"), ("t:double", 2)),
    (("t=1", "t=x"), ("t:string", 2)),
    (("t=1", "t=2024-01-01"), ("t:string", 2)),
    (("t=2024-01-01", "t=x"), ("t:string", 2)),
    (("t=0x1F",), ("t:string", 1)),
    (("t=1L",), ("t:string", 1)),
    (("t=+5",), ("t:int", 1)),
    (("t=-5",), ("t:int", 1)),
    (("t=00012",), ("t:int", 1)),
    (("t=1.0",), ("t:double", 1)),
    (("t=123456789012345678901234567890",), ("t:decimal(30,0)", 1)),
    (("t=1234567890123456789012345678901234567890",), ("t:double", 1)),
    (("t=true",), ("t:string", 1)),
    (("t=__HIVE_DEFAULT_PARTITION__", "t=1"), ("t:int", 2)),
    (("t=__HIVE_DEFAULT_PARTITION__",), ("t:void", 1)),
    (("t=2024-1-5",), ("t:string", 1)),
    (("t=2024",), ("t:int", 1)),
    (("t=12:30",), ("t:string", 1)),
    (("t=2024-02-29T10",), ("t:string", 1)),
    (("t=1.5", "t=99999999999999999999"), ("t:string", 2)),
    (("t=0.1", "t=3000000000"), ("t:string", 2)),
    (("t=1e400",), ("t:double", 1)),
    (("t=-0.0",), ("t:double", 1)),
    (("t=.5",), ("t:double", 1)),
    (("t=5.",), ("t:decimal(1,0)", 1)),
    (("t=1_000",), ("t:string", 1)),
    (("t=nan",), ("t:string", 1)),
    (("t=-Infinity",), ("t:double", 1)),
    (("t=2024-02-29 01%3A02%3A03", "t=x"), ("t:string", 2)),
    (("t=2024-02-29 01%3A02%3A03", "t=5"), ("t:string", 2)),
    (("t=1", "u"), ("CONFLICTING_DIRECTORY_STRUCTURES", None)),
    (("p=1/q=x", "p=2/q=y"), ("p:int,q:string", 2)),
    (("a=1/b", "a=2/c"), ("a:int", 2)),
    (("t=1e-3",), ("t:double", 1)),
    (("t=12e5",), ("t:decimal(7,0)", 1)),
    (("t=1.5e3",), ("t:decimal(4,0)", 1)),
    (("t=99999999999",), ("t:bigint", 1)),
    (("t=2147483648", "t=1"), ("t:bigint", 2)),
    (("t=1", "t=1.5", "t=9223372036854775808"), ("t:string", 3)),
    (("t=1", "t=2"), ("t:int", 2)),
)


def _make(folder, names):
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "x.csv").write_text("1\n")


@pytest.mark.parametrize(("names", "expected"), CASES, ids=lambda x: " ".join(map(str, x)))
def test_partition_columns(spark, tmp_path, names, expected):
    _make(tmp_path, names)
    columns, lines = expected
    if lines is None:
        with pytest.raises(PySparkException) as caught:
            _ = spark.read.csv(str(tmp_path)).schema
        assert caught.value.getCondition() == columns
        return
    df = spark.read.csv(str(tmp_path))
    assert df.drop("_c0").schema.simpleString().lower() == f"struct<{columns}>"
    assert len(df.collect()) == lines


def test_values(spark, tmp_path):
    """Values come as the types say, whatever the type of their neighbours."""
    _make(tmp_path, ["t=9223372036854775808", "t=-1"])
    rows = spark.read.csv(str(tmp_path)).orderBy("t").collect()
    assert [str(r.t) for r in rows] == ["-1", "9223372036854775808"]


def test_written_timestamps_come_back(spark, tmp_path):
    df = spark.sql("SELECT 1 AS a, TIMESTAMP'2024-02-29 01:02:03.5' AS t, double('NaN') AS d")
    df.write.partitionBy("t", "d").parquet(str(tmp_path / "p"))
    back = spark.read.parquet(str(tmp_path / "p"))
    assert back.schema.simpleString() == "struct<a:int,t:timestamp,d:double>"
    assert back.where("isnan(d)").collect()[0].t == df.collect()[0].t
