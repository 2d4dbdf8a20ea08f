# SPDX-License-Identifier: Apache-2.0
"""Lists, maps and structs in Parquet files: pyarrow's read by us."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = 3_000
ITEM = pa.struct(
    [
        ("a", pa.int32()),
        ("b", pa.list_(pa.string())),
        ("c", pa.struct([("d", pa.float64()), ("e", pa.map_(pa.string(), pa.list_(pa.int64())))])),
    ]
)
TYPES = {
    "ints": pa.list_(pa.int32()),
    "deep": pa.list_(pa.list_(pa.list_(pa.int64()))),
    "pairs": pa.map_(pa.string(), pa.int32()),
    "item": ITEM,
    "items": pa.list_(ITEM),
    "by_name": pa.map_(pa.int32(), ITEM),
}


def value_of(rng, kind, may_be_null=True):
    """A random value as pyarrow gives it back: maps as lists of pairs."""
    if may_be_null and rng.random() < 0.2:
        return None
    if pa.types.is_list(kind):
        return [value_of(rng, kind.value_type) for _ in range(rng.choice([0, 0, 1, 2, 5]))]
    if pa.types.is_map(kind):
        keys = range(rng.choice([0, 1, 3]))
        keys = [str(k) for k in keys] if pa.types.is_string(kind.key_type) else keys
        return [(k, value_of(rng, kind.item_type)) for k in keys]
    if pa.types.is_struct(kind):
        return {field.name: value_of(rng, field.type) for field in kind}
    if pa.types.is_string(kind):
        return rng.choice(["", "x", "a string beyond twelve bytes", str(rng.random())])
    return float(rng.randrange(9)) if pa.types.is_floating(kind) else rng.randrange(-99, 99)


@pytest.fixture(scope="module")
def table():
    rng = random.Random(11)
    columns = {"id": pa.array(range(ROWS), pa.int64())}
    for name, kind in TYPES.items():
        columns[name] = pa.array([value_of(rng, kind) for _ in range(ROWS)], kind)
    return pa.table(columns)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd", "data_page_version": "2.0", "data_page_size": 500},
        {"use_dictionary": False, "compression": "none", "row_group_size": 700},
        {"use_dictionary": False, "column_encoding": "DELTA_BINARY_PACKED", "ints_only": True},
    ],
    ids=str,
)
def test_we_read_pyarrow(spark, tmp_path, table, options):
    options = dict(options)
    if options.pop("ints_only", False):
        table = table.select(["id", "ints", "deep"])
    pq.write_table(table, tmp_path / "x.parquet", **options)
    frame = spark.read.parquet(str(tmp_path / "x.parquet"))
    back = frame.toArrow()
    for name in table.column_names:
        assert back.column(name).to_pylist() == table.column(name).to_pylist(), name
    if "items" in table.column_names:
        some = frame.filter("id % 7 = 3").select("items", "item").toArrow()
        rows = list(range(3, ROWS, 7))
        assert some.column("items").to_pylist() == table.column("items").take(rows).to_pylist()
        assert some.column("item").to_pylist() == table.column("item").take(rows).to_pylist()


def test_fewer_and_other_fields(spark, tmp_path, table):
    """A schema of the user's: fields by name, those that are not there null, narrower numbers widened."""
    pq.write_table(table, tmp_path / "x.parquet")
    schema = "items array<struct<c struct<zz int, d double>, a bigint>>, item struct<nothing int>"
    back = spark.read.schema(schema).parquet(str(tmp_path / "x.parquet")).toArrow()

    def part(item):
        c = item and item["c"]
        return item and {"c": c and {"zz": None, "d": c["d"]}, "a": item["a"]}

    want = [
        None if items is None else [part(i) for i in items]
        for items in table.column("items").to_pylist()
    ]
    assert back.column("items").to_pylist() == want
    assert back.column("item").to_pylist() == [
        item and {"nothing": None} for item in table.column("item").to_pylist()
    ]
