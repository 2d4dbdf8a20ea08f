# SPDX-License-Identifier: Apache-2.0
"""Files that Spark 4.2 wrote (tests/data/oracle/record_parquet.py), with the rows that it reads from them."""

import json
import pathlib

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "data" / "oracle" / "parquet"
ANSWERS = json.loads((FOLDER / "answers.json").read_text())


@pytest.mark.parametrize("name", ANSWERS)
def test_files_of_spark(spark, name):
    frame = spark.read.parquet(str(FOLDER / f"{name}.parquet"))
    assert frame.schema.simpleString() == ANSWERS[name]["schema"]
    texts = [f"cast({c} as string) {c}" for c in frame.columns]
    assert [list(row) for row in frame.selectExpr(*texts).collect()] == ANSWERS[name]["rows"]


def test_legacy_dates_are_filtered_by_what_they_mean(spark):
    frame = spark.read.parquet(str(FOLDER / "dates_legacy.parquet"))
    assert frame.filter("d = date'1000-02-28'").count() == 1
    assert frame.filter("d < date'1582-10-05'").count() == 3
    assert frame.filter("t = timestamp'0001-01-01 01:02:03'").count() == 1
