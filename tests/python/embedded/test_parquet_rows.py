# SPDX-License-Identifier: Apache-2.0
"""Filters that the Parquet reader applies itself, and rows that it leaves out for joins: the same rows as without."""

import datetime
import decimal
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = 30_000
WRITERS = {
    "dictionaries": {"row_group_size": 7_000, "data_page_size": 4_096},
    "plain": {"use_dictionary": False, "row_group_size": 9_000, "data_page_size": 4_096},
    "fallback": {"dictionary_pagesize_limit": 2_048, "data_page_size": 2_048},
    "v2": {"data_page_version": "2.0", "compression": "zstd", "row_group_size": 5_000},
    "nostatistics": {"write_statistics": False, "row_group_size": 7_000},
}


def values(nulls):
    rng = random.Random(7)

    def some(make):
        return [None if nulls and rng.random() < 0.2 else make(i) for i in range(ROWS)]

    day = datetime.date(2020, 1, 1)
    return pa.table(
        {
            "id": pa.array(range(ROWS), pa.int64()),
            "small": pa.array(some(lambda i: rng.randrange(50)), pa.int32()),
            "key": pa.array(some(lambda i: rng.randrange(5_000)), pa.int64()),
            "tiny": pa.array(some(lambda i: rng.randrange(-5, 5)), pa.int8()),
            "day": pa.array(
                some(lambda i: day + datetime.timedelta(rng.randrange(900))), pa.date32()
            ),
            "price": pa.array(
                some(lambda i: decimal.Decimal(rng.randrange(10_000)) / 100), pa.decimal128(9, 2)
            ),
            "wide": pa.array(
                some(lambda i: decimal.Decimal(rng.randrange(10**6))), pa.decimal128(30, 0)
            ),
            "ratio": pa.array(some(lambda i: rng.random()), pa.float64()),
            "flag": pa.array(some(lambda i: rng.choice("ANR"))),
            "text": pa.array(some(lambda i: f"text number {rng.randrange(20_000)}")),
            "yes": pa.array(some(lambda i: rng.random() < 0.3)),
        }
    )


FILTERS = [
    "small = 7",
    "small < 3 and flag = 'R'",
    "key between 100 and 120",
    "key > 4900 and key < 4000",
    "day >= date '2021-03-01' and day < date '2021-04-01' and price < 24",
    "price > 99.5 or tiny = 3",
    "small > tiny * 10",
    "text like '%99'",
    "text = 'text number 17' or flag is null",
    "flag is null",
    "not (flag = 'A')",
    "wide < 1000",
    "ratio > 0.999",
    "yes and small = 1",
    "id = 12345",
    "id > 29990",
    "key in (1, 2, 3, 4999)",
    "small <> 7 and 100 / (small - 7) > 50",
]


@pytest.fixture(scope="module", params=[False, True], ids=["required", "nullable"])
def frames(request, session, tmp_path_factory):
    """The table as Parquet files of several writers, and in memory."""
    spark = session.newSession()
    table = values(request.param)
    spark.createDataFrame(table).createOrReplaceTempView("memory")
    if not request.param:
        table = table.cast(pa.schema([f.with_nullable(False) for f in table.schema]))
    for name, options in WRITERS.items():
        path = str(tmp_path_factory.mktemp("rows") / "x.parquet")
        pq.write_table(table, path, **options)
        spark.read.parquet(path).createOrReplaceTempView(name)
    return spark


@pytest.mark.parametrize("writer", list(WRITERS))
def test_filters(frames, writer):
    for condition in FILTERS:
        expected = frames.sql(f"select * from memory where {condition} order by id").collect()
        found = frames.sql(f"select * from {writer} where {condition} order by id").collect()
        assert found == expected, condition
        some = f"select sum(id), count(text), max(day) from {{}} where {condition}"
        assert (
            frames.sql(some.format(writer)).collect() == frames.sql(some.format("memory")).collect()
        ), condition


@pytest.mark.parametrize("writer", list(WRITERS))
@pytest.mark.parametrize(
    "text",
    [
        "select count(*), sum(a.id), sum(b.id) from {0} a join {0} b on a.key = b.key where b.small = 3 and b.tiny = 1",
        "select count(*), sum(a.id) from {0} a where a.key in (select key from {0} where small = 3 and price < 5)",
        "select count(*), sum(a.id) from {0} a where a.key not in (select key from {0} where price < 50 and key is not null)",
        "select count(*), count(b.id) from {0} a left join {0} b on a.key = b.key and b.small = 3 where a.small = 4",
        "select count(*), count(a.id) from {0} a right join {0} b on a.day = b.day and a.tiny = b.tiny where b.small = 4",
        "select count(*), count(a.id) from {0} a full join (select * from {0} where small = 1) b on a.key = b.key",
        "select count(*), sum(n) from (select key, count(*) n from {0} group by key) a join (select * from {0} where small = 9) b on a.key = b.key",
        "select count(*) from {0} a join (select * from {0} where small > 99) b on a.key = b.key",
        "select count(*), sum(a.id) from {0} a join {0} b on a.price = b.price and a.flag = b.flag where b.id < 50",
    ],
)
def test_joins(frames, writer, text):
    assert frames.sql(text.format(writer)).collect() == frames.sql(text.format("memory")).collect()
