# SPDX-License-Identifier: Apache-2.0
"""ORDER BY … LIMIT over Parquet: scans leave out what lies beyond the rows that are there already; the rows are those of a full sort."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS, GROUP = 40_000, 2_000


@pytest.fixture(scope="module")
def table():
    rng = random.Random(5)
    shuffled = list(range(ROWS))
    rng.shuffle(shuffled)
    return pa.table(
        {
            "up": pa.array(range(ROWS), pa.int64()),
            "down": pa.array([ROWS - k for k in range(ROWS)], pa.int32()),
            "mixed": pa.array(shuffled, pa.int64()),
            "few": pa.array([k % 7 for k in shuffled], pa.int16()),
            "holes": pa.array([None if k % 3 == 0 else k for k in shuffled], pa.int64()),
            "late": pa.array([None if k > 39_000 else k for k in range(ROWS)], pa.int64()),
            "day": pa.array([k // 50 for k in range(ROWS)], pa.date32()),
            "text": [f"row {k % 977}" for k in range(ROWS)],
        }
    )


@pytest.fixture(scope="module")
def path(table, tmp_path_factory):
    made = str(tmp_path_factory.mktemp("top") / "t.parquet")
    pq.write_table(table, made, row_group_size=GROUP)
    return made


@pytest.fixture(scope="module")
def rows(table):
    return table.to_pylist()


def ordered(rows, column, descending, nulls_last):
    def key(row):
        value = row[column]
        number = value if isinstance(value, int) or value is None else value.toordinal()
        if number is None:
            return (1 if nulls_last else -1, 0, row["up"])
        return (0, -number if descending else number, row["up"])

    return [r["up"] for r in sorted(rows, key=key)]


@pytest.mark.parametrize("order", ["asc", "desc", "asc nulls last", "desc nulls first"])
@pytest.mark.parametrize("column", ["up", "down", "mixed", "few", "holes", "late", "day"])
def test_rows_are_those_of_a_full_sort(session, path, rows, column, order):
    nulls_last = "last" in order or order == "desc"
    for condition, test in (("true", lambda r: True), ("text like '%97'", lambda r: r["text"].endswith("97"))):  # fmt: skip
        wanted = ordered([r for r in rows if test(r)], column, "desc" in order, nulls_last)
        for limit, offset in ((1, 0), (10, 0), (300, 5), (0, 0)):
            found = session.sql(
                f"select up, text from parquet.`{path}` where {condition} order by {column} {order}, up limit {limit} offset {offset}"
            ).collect()
            assert [r.up for r in found] == wanted[offset : offset + limit]


def test_row_groups_beyond_the_bound_are_not_read(session, path, tmp_path):
    meta = pq.read_metadata(path)
    data = bytearray(open(path, "rb").read())
    last = meta.row_group(meta.num_row_groups - 1)
    for c in range(last.num_columns):
        column = last.column(c)
        start = column.dictionary_page_offset or column.data_page_offset
        data[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(data)
    found = session.sql(f"select * from parquet.`{broken}` order by up limit 3").collect()
    assert [r.up for r in found] == [0, 1, 2]
    # the last rows are looked for in the last row group first: here that is broken, but of a file in falling order it is the first
    found = session.sql(f"select * from parquet.`{broken}` order by down desc limit 3").collect()
    assert [r.up for r in found] == [0, 1, 2]
    with pytest.raises(Exception, match="broken.parquet"):
        session.sql(f"select * from parquet.`{broken}` order by down limit 3").collect()
    with pytest.raises(Exception, match="broken.parquet"):
        session.sql(f"select * from parquet.`{broken}` order by mixed limit 3").collect()


def test_no_error_is_left_out_with_rows(session, path):
    for text in (
        f"select up, 1 / (up - {ROWS - 1}) as x from parquet.`{path}` order by up limit 3",
        f"select up from parquet.`{path}` where 1 / (up - {ROWS - 1}) < 2 order by up limit 3",
    ):
        with pytest.raises(Exception, match="DIVIDE_BY_ZERO"):
            session.sql(text).collect()


def test_through_joins_and_unions(session, path, rows):
    text = (
        f"select a.up from parquet.`{path}` a join (select distinct few from parquet.`{path}` where up < 3) b on a.few = b.few "
        "order by a.mixed, a.up limit 20"
    )
    some = {r["few"] for r in rows if r["up"] < 3}
    wanted = ordered([r for r in rows if r["few"] in some], "mixed", False, False)[:20]
    assert [r.up for r in session.sql(text).collect()] == wanted
    text = (
        f"select up from (select up, holes as h from parquet.`{path}` union all select up, mixed from parquet.`{path}`) "
        "order by h desc, up limit 20"
    )
    both = [(-r["holes"], r["up"]) for r in rows if r["holes"] is not None]
    both += [(-r["mixed"], r["up"]) for r in rows]
    assert [r.up for r in session.sql(text).collect()] == [up for _, up in sorted(both)[:20]]
