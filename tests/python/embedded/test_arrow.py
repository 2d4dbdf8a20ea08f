# SPDX-License-Identifier: Apache-2.0
"""Tables through Arrow and NumPy: layouts, values, references, faults."""

import datetime as dt
import gc
import random
import sys
from decimal import Decimal

import numpy as np
import polars
import pyarrow as pa
import pytest

from nbaspark import _core

TEXT = ["a", None, "longer than twelve bytes", "", "ção", None, "x" * 13]
LAYOUTS = {
    "int8": pa.array([1, None, -3], pa.int8()),
    "int64": pa.array([1, None, -(2**63)]),
    "uint8": pa.array([1, None, 255], pa.uint8()),
    "uint16": pa.array([1, None, 65535], pa.uint16()),
    "uint32": pa.array([1, None, 2**32 - 1], pa.uint32()),
    "uint64": pa.array([1, None, 2**64 - 1], pa.uint64()),
    "float16": pa.array(np.array([1.5, 0, -2], dtype=np.float16)),
    "float": pa.array([1.5, None, float("inf")], pa.float32()),
    "double": pa.array([1.5, None, -0.0]),
    "bool": pa.array([True, None, False]),
    "string": pa.array(TEXT),
    "large_string": pa.array(TEXT, pa.large_string()),
    "string_view": pa.array(TEXT, pa.string_view()),
    "binary": pa.array([b"a", None, b"\0" * 20]),
    "binary_view": pa.array([b"a", None, b"\0" * 20], pa.binary_view()),
    "fixed_binary": pa.array([b"ab", None, b"xx"], pa.binary(2)),
    "date32": pa.array([dt.date(2020, 1, 1), None, dt.date(1, 1, 1)]),
    "date64": pa.array([dt.date(2020, 1, 1), None, dt.date(1960, 1, 1)], pa.date64()),
    "timestamp_ms": pa.array([1, None, -1], pa.timestamp("ms")),
    "timestamp_us_zone": pa.array([1, None, -1], pa.timestamp("us", "UTC")),
    "duration": pa.array([1, None, 2], pa.duration("s")),
    "time32": pa.array([1, None, 2], pa.time32("ms")),
    "time64": pa.array([1, None, 2], pa.time64("us")),
    "decimal": pa.array([Decimal("1.23"), None, Decimal("-99.99")]),
    "decimal38": pa.array([Decimal("1.23"), None, Decimal("-9e27")], pa.decimal128(38, 10)),
    "decimal256": pa.array([Decimal("1.23"), None, Decimal(-99)], pa.decimal256(38, 10)),
    "list": pa.array([[1, 2], None, [], [None, 3]]),
    "large_list": pa.array([["a"], None, []], pa.large_list(pa.string())),
    "fixed_list": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int32(), 2)),
    "list_view": pa.array([[1, 2], None, []], pa.list_view(pa.int32())),
    "struct": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}]),
    "map": pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int32())),
    "nested": pa.array([[{"a": [1], "m": None}], None, [None]]),
    "null": pa.nulls(3),
    "interval": pa.array([(1, 2, 3000), None, (0, 0, 0)], pa.month_day_nano_interval()),
}


def through(table):
    """Return what comes back of a pyarrow table."""
    back = pa.RecordBatchReader.from_stream(_core.Table.from_arrow(table)).read_all()
    back.validate(full=True)
    return back


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_keep_their_values(name):
    column = LAYOUTS[name]
    assert through(pa.table({"c": column}))["c"].to_pylist() == column.to_pylist()


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("start, length", [(0, 0), (1, 1), (3, 70), (64, 65), (65, 2049)])
def test_slices_keep_their_values(name, start, length):
    column = LAYOUTS[name]
    many = pa.concat_arrays([column] * (2200 // len(column) + 1)).slice(start, length)
    assert through(pa.table({"c": many}))["c"].to_pylist() == many.to_pylist()


def test_dictionaries():
    values = pa.array(["a", None, "b", "a", "longer than twelve bytes"]).dictionary_encode()
    assert through(pa.table({"c": values}))["c"].to_pylist() == values.to_pylist()
    assert _core.Table.from_arrow(pa.table({"c": values})).rows() == [
        (v,) for v in values.to_pylist()
    ]


def test_several_chunks_and_record_batch():
    table = pa.concat_tables([pa.table({"a": [1, 2]}), pa.table({"a": [3]})])
    assert through(table)["a"].to_pylist() == [1, 2, 3]
    held = _core.Table.from_arrow(table)
    assert held.n_rows == 3
    assert held.column_numpy(0).tolist() == [1, 2, 3]
    batch = pa.record_batch({"a": [1, None]})
    assert _core.Table.from_arrow(batch).rows() == [(1,), (None,)]


def test_polars_both_ways():
    frame = polars.DataFrame({"s": TEXT, "i": range(7), "l": [[1], None, [], [2, 3], [4], [5], []]})
    held = _core.Table.from_arrow(frame)
    assert polars.DataFrame(held).equals(frame)


def test_nanoseconds_are_cut_towards_the_past():
    column = pa.array([1, -1, 1999], pa.timestamp("ns", "UTC"))
    back = through(pa.table({"c": column}))["c"].cast(pa.int64())
    assert back.to_pylist() == [0, -1, 1]


def test_requested_string_layout():
    held = _core.Table.from_arrow(pa.table({"s": TEXT, "b": [b"x"] * 7}))
    wanted = pa.schema({"s": pa.string_view(), "b": pa.large_binary()})
    capsule = held.__arrow_c_stream__(wanted.__arrow_c_schema__())
    del wanted
    gc.collect()

    class Stream:
        def __arrow_c_stream__(self, requested_schema=None):
            return capsule

    back = pa.RecordBatchReader.from_stream(Stream()).read_all()
    assert back.schema.types == [pa.string_view(), pa.large_binary()]
    assert back["s"].to_pylist() == TEXT


def test_numbers_are_not_copied():
    array = np.arange(10.0)
    held = _core.Table.from_numpy({"a": array})
    address = array.__array_interface__["data"][0]
    assert held.column_numpy(0).__array_interface__["data"][0] == address
    arrow = pa.RecordBatchReader.from_stream(held).read_all()["a"].chunk(0)
    assert arrow.buffers()[1].address == address
    again = _core.Table.from_arrow(pa.table({"a": arrow}))
    assert again.column_numpy(0).__array_interface__["data"][0] == address


def test_references_come_back():
    array = np.arange(10.0)
    before = sys.getrefcount(array)
    held = _core.Table.from_numpy({"a": array})
    out = held.column_numpy(0)
    stream = held.__arrow_c_stream__()
    reader = pa.RecordBatchReader.from_stream(held)
    del held
    gc.collect()
    assert out.tolist() == list(range(10))
    table = reader.read_all()
    del reader, stream, out
    gc.collect()
    assert sys.getrefcount(array) == before + 1
    del table
    gc.collect()
    assert sys.getrefcount(array) == before


@pytest.mark.parametrize(
    "array, want",
    [
        (np.array([1, 2], dtype=np.int8), [1, 2]),
        (np.array([1, 2], dtype=">i4"), [1, 2]),
        (np.array([1, 65535], dtype=np.uint16), [1, 65535]),
        (np.array([1, 2**32 - 1], dtype=np.uint32), [1, 2**32 - 1]),
        (np.array([1.5, 2], dtype=np.float16), [1.5, 2]),
        (np.array([True, False]), [True, False]),
        (np.arange(8).reshape(4, 2)[:, 1], [1, 3, 5, 7]),
        (np.arange(4)[::-1], [3, 2, 1, 0]),
        (np.zeros(0), []),
        (
            np.array(["2020-01-01", "NaT"], dtype="M8[ns]"),
            [dt.datetime(2020, 1, 1), None],
        ),
        (np.array([5, "NaT"], dtype="m8[s]"), [dt.timedelta(seconds=5), None]),
    ],
)
def test_arrays_as_columns(array, want):
    assert _core.Table.from_numpy({"c": array}).rows() == [(v,) for v in want]


def test_nan_is_a_null_on_demand():
    array = np.array([1.0, np.nan])
    assert _core.Table.from_numpy({"c": array}, nan_as_null=True).rows() == [(1.0,), (None,)]
    assert np.isnan(_core.Table.from_numpy({"c": array}).rows()[1][0])


def test_columns_with_nulls_as_arrays():
    table = pa.table(
        {
            "i": pa.array([1, None], pa.int32()),
            "f": pa.array([1.5, None]),
            "b": [True, None],
            "s": ["x", None],
            "t": pa.array([0, None], pa.timestamp("us")),
            "d": [dt.date(2020, 1, 1), None],
        }
    )
    held = _core.Table.from_arrow(table)
    out = [held.column_numpy(i) for i in range(6)]
    assert [a.dtype.str for a in out] == ["<f8", "<f8", "|O", "|O", "<M8[us]", "|O"]
    assert out[0][0] == 1 and np.isnan(out[0][1]) and np.isnan(out[1][1])
    assert out[2].tolist() == [True, None]
    assert out[3].tolist() == ["x", None]
    assert np.isnat(out[4][1])
    assert out[5].tolist() == [dt.date(2020, 1, 1), None]


@pytest.mark.parametrize(
    "columns, error",
    [
        ({"a": np.zeros((2, 2))}, TypeError),
        ({"a": np.zeros(2), "b": np.zeros(3)}, ValueError),
        ({"a": np.array(["x"])}, TypeError),
        ({"a": np.array([object()])}, TypeError),
        ({1: np.zeros(1)}, TypeError),
        ({"a": [1]}, TypeError),
    ],
)
def test_arrays_that_do_not_fit(columns, error):
    with pytest.raises(error):
        _core.Table.from_numpy(columns)


def test_faults_of_arrow():
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        _core.Table.from_arrow(5)
    with pytest.raises(Exception, match="UNSUPPORTED_ARROWTYPE"):
        _core.Table.from_arrow(
            pa.table(
                {
                    "c": pa.UnionArray.from_sparse(
                        pa.array([0], pa.int8()), [pa.array([1]), pa.array(["x"])]
                    )
                }
            )
        )
    with pytest.raises(Exception, match="'c'"):
        _core.Table.from_arrow(pa.table({"c": pa.array([2**62], pa.timestamp("s"))}))
    with pytest.raises(Exception, match="struct"):
        _core.Table.from_arrow(pa.chunked_array([[1, 2]]))

    def broken():
        yield pa.record_batch({"a": [1]})
        raise ZeroDivisionError("in the producer")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"a": pa.int64()}), broken())
    with pytest.raises(Exception, match="in the producer"):
        _core.Table.from_arrow(reader)


def test_a_stream_is_read_once():
    capsule = _core.Table.from_arrow(pa.table({"a": [1]})).__arrow_c_stream__()

    class Stream:
        def __arrow_c_stream__(self, requested_schema=None):
            return capsule

    assert _core.Table.from_arrow(Stream()).n_rows == 1
    with pytest.raises(ValueError, match="consumed"):
        _core.Table.from_arrow(Stream())


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
@pytest.mark.parametrize("name", LAYOUTS)
def test_streams_of_bytes(name, compression):
    column = pa.concat_arrays([LAYOUTS[name]] * 50)
    table = pa.table({"c": column})
    ours = _core.Table.from_arrow(table).ipc(compression)
    theirs = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(theirs, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=64)
    read = pa.ipc.open_stream(ours).read_all()
    read.validate(full=True)
    assert read["c"].to_pylist() == column.to_pylist()
    for data in (ours, theirs.getvalue()):
        held = _core.Table.from_ipc(data)
        back = pa.RecordBatchReader.from_stream(held).read_all()
        back.validate(full=True)
        assert back["c"].to_pylist() == column.to_pylist()
    assert _core.Table.from_ipc(ours).ipc(compression) == ours


def test_streams_with_dictionaries():
    column = pa.array(["a", None, "b", "a"]).dictionary_encode()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema({"c": column.type})) as writer:
        writer.write(pa.record_batch({"c": column}))
        writer.write(pa.record_batch({"c": pa.array(["z"]).dictionary_encode()}))
    held = _core.Table.from_ipc(sink.getvalue())
    assert held.rows() == [("a",), (None,), ("b",), ("a",), ("z",)]


def test_empty_streams():
    table = _core.Table.from_arrow(pa.table({"a": pa.array([], pa.int64())}))
    assert pa.ipc.open_stream(table.ipc()).read_all().num_rows == 0
    assert _core.Table.from_ipc(table.ipc()).n_rows == 0


def test_damaged_streams_end_in_errors():
    """Every cut and ten thousand flipped bytes: an error or a table, never a crash."""
    table = pa.table({name: pa.concat_arrays([LAYOUTS[name]] * 9)[:9] for name in LAYOUTS})
    data = _core.Table.from_arrow(table).ipc()
    for cut in range(0, len(data) - 8, 97):
        try:
            _core.Table.from_ipc(data[:cut])
        except Exception as e:
            assert "INVALID_ARROW_DATA" in str(e) or "UNSUPPORTED_ARROWTYPE" in str(e)
    draw = random.Random(7)
    for compression in (None, "lz4", "zstd"):
        data = _core.Table.from_arrow(table).ipc(compression)
        for _ in range(3000):
            damaged = bytearray(data)
            for _ in range(draw.randrange(1, 4)):
                damaged[draw.randrange(len(data))] = draw.randrange(256)
            try:
                held = _core.Table.from_ipc(bytes(damaged))
                held.ipc() if held.n_rows < 1000 else None
            except Exception as e:
                assert "[" in str(e)


def test_what_is_no_stream():
    for data in (b"", b"x", b"\xff" * 8, b"\xff\xff\xff\xff\0\0\0\0", bytes(1000)):
        with pytest.raises(Exception, match="INVALID_ARROW_DATA"):
            _core.Table.from_ipc(data)
    with pytest.raises(ValueError, match="compression"):
        _core.Table.from_arrow(pa.table({"a": [1]})).ipc("gzip")
