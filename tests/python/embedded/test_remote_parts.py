# SPDX-License-Identifier: Apache-2.0
"""Parts of the remote client that need no server: connection strings, errors, uploads, tables put together."""

import zlib

import pytest

from nbaspark import _core
from nbaspark.defaults import load
from nbaspark.errors import (
    AnalysisException,
    ArithmeticException,
    PySparkNotImplementedError,
    PySparkValueError,
    PythonException,
    SparkException,
    UnknownException,
)
from nbaspark.sql import SparkSession, remote_errors, remote_upload
from nbaspark.sql.remote_url import parse
from nbaspark.sql.types_proto import from_tree, to_tree


def test_connection_strings():
    plain = parse("sc://localhost")
    assert plain.endpoint == "localhost:15002" and plain.headers == ()
    full = parse("sc://host:99/;token=a%3Bb;use_ssl=true;user_id=ana;session_id=s;user_agent=x;Y=1")
    assert full.endpoint == "host:99"
    assert full.get("token") == "a;b" and full.get("use_ssl") == "true"
    assert full.get("user_id") == "ana" and full.headers == (("y", "1"),)
    assert parse("sc://[::1]:7/").endpoint == "[::1]:7"
    assert parse("sc://[::1]").endpoint == "[::1]:15002"
    assert parse("spark://one:7077,two:7077").endpoint == "one:7077"


@pytest.mark.parametrize(
    "url",
    [
        "http://host",
        "host:1",
        "sc://",
        "sc://host/path",
        "sc://h;x",
        "sc://h:p",
        "sc://h:0",
        "sc://h;a=b=c",
    ],
)
def test_connection_strings_that_are_none(url):
    with pytest.raises(PySparkValueError) as e:
        parse(url)
    assert e.value.getCondition() == "INVALID_CONNECT_URL"


def test_sessions_are_named_by_uuids():
    with pytest.raises(PySparkValueError) as e:
        SparkSession.builder.remote("sc://localhost:1/;session_id=mine").create()
    assert e.value.getCondition() == "INVALID_SESSION_UUID_ID"
    with pytest.raises(PySparkNotImplementedError):
        SparkSession.builder.master("yarn").create()


def test_a_later_master_wins_over_an_earlier_server(tmp_path):
    (tmp_path / "spark-defaults.conf").write_text("spark.remote sc://there\n")
    environ = {"SPARK_CONF_DIR": str(tmp_path)}
    assert load(environ) == {"spark.remote": "sc://there"}
    assert load({**environ, "NBASPARK_CONF": "spark.master=local"}) == {"spark.master": "local"}
    assert load({**environ, "SPARK_REMOTE": "sc://x"})["spark.remote"] == "sc://x"


# ---- errors -------------------------------------------------------------------------------------


def details(classes, **metadata):
    """Pack what a server sends with a failed call."""
    import json

    metadata["classes"] = json.dumps(classes)
    info = {
        "reason": classes[0],
        "domain": "org.apache.spark",
        "metadata": {k: v.encode() for k, v in metadata.items()},
    }
    any_info = {
        "type_url": b"type.googleapis.com/google.rpc.ErrorInfo",
        "value": _core.message_pack("google.rpc.ErrorInfo", info),
    }
    status = {"code": 13, "message": "short text", "details": [any_info]}
    return _core.message_pack("google.rpc.Status", status)


def nothing(error_id):
    raise AssertionError(error_id)


def test_errors_by_their_classes():
    packed = details(
        ["org.apache.spark.SparkArithmeticException", "java.lang.ArithmeticException"],
        errorClass="DIVIDE_BY_ZERO",
        sqlState="22012",
        messageParameters='{"config": "x"}',
    )
    error = remote_errors.convert(13, "text", packed, "host:1", nothing)
    assert type(error) is ArithmeticException and str(error) == "short text"
    assert error.getCondition() == "DIVIDE_BY_ZERO" and error.getSqlState() == "22012"
    assert error.getMessageParameters() == {"config": "x"} and error.getQueryContext() == []
    packed = details(["org.example.Odd", "java.lang.Exception"])
    error = remote_errors.convert(13, "text", packed, "host:1", nothing)
    assert type(error) is UnknownException and "org.example.Odd" in str(error)
    packed = details(["org.apache.spark.api.python.PythonException"])
    error = remote_errors.convert(13, "text", packed, "host:1", nothing)
    assert type(error) is PythonException and "Python worker" in str(error)


def test_whole_errors_are_fetched():
    context = {"context_type": "SQL", "start_index": 7, "stop_index": 9, "fragment": "a/b"}
    whole = {
        "root_error_idx": 0,
        "errors": [
            {
                "message": "long text",
                "spark_throwable": {"message_parameters": {"p": "q"}, "query_contexts": [context]},
            }
        ],
    }
    packed = details(["org.apache.spark.sql.AnalysisException"], errorClass="X", errorId="id-1")
    error = remote_errors.convert(
        13, "text", packed, "host:1", lambda i: whole if i == "id-1" else None
    )
    assert type(error) is AnalysisException and str(error) == "long text"
    assert error.getMessageParameters() == {"p": "q"}
    assert error.getQueryContext()[0].fragment() == "a/b"
    error = remote_errors.convert(13, "text", packed, "host:1", lambda _: None)
    assert str(error) == "short text"


@pytest.mark.parametrize("damaged", [b"", b"\xff\xff", b"\x1a\x03\x0a\x01x"])
def test_errors_without_details(damaged):
    error = remote_errors.convert(14, "connection refused", damaged, "host:1", nothing)
    assert type(error) is SparkException
    assert str(error) == "host:1: UNAVAILABLE: connection refused"
    error = remote_errors.convert(
        9, "[SOME.CONDITION] words SQLSTATE: 0A000", damaged, "host:1", nothing
    )
    assert error.getCondition() == "SOME.CONDITION" and error.getSqlState() == "0A000"


# ---- uploads ------------------------------------------------------------------------------------


def test_artifacts_are_packed_or_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(remote_upload, "_CHUNK", 10)
    (tmp_path / "large.bin").write_bytes(bytes(range(25)))
    (tmp_path / "empty.bin").write_bytes(b"")
    artifacts = [("a", b"12345"), ("b", b"678"), ("c", b"9" * 8)]
    artifacts += [("large", str(tmp_path / "large.bin")), ("empty", str(tmp_path / "empty.bin"))]
    payloads = list(remote_upload._payloads(artifacts))
    batches = [[a["name"] for a in p["batch"]["artifacts"]] for p in payloads if "batch" in p]
    assert batches == [["a", "b"], ["c"], ["empty"]]
    begin = next(p["begin_chunk"] for p in payloads if "begin_chunk" in p)
    assert begin["total_bytes"] == 25 and begin["num_chunks"] == 3
    chunks = [begin["initial_chunk"], *(p["chunk"] for p in payloads if "chunk" in p)]
    assert b"".join(c["data"] for c in chunks) == bytes(range(25))
    assert all(c["crc"] == zlib.crc32(c["data"]) for c in chunks)


def test_names_of_artifacts(tmp_path):
    name = remote_upload._artifact
    assert name("/x/m.py", True, False, False) == ("pyfiles/m.py", "/x/m.py")
    assert name("file:///x/a.zip#lib", False, True, False) == ("archives/a.zip#lib", "/x/a.zip")
    assert name("/x/data.csv", False, False, True) == ("files/data.csv", "/x/data.csv")
    assert name("/x/y.jar", False, False, False) == ("jars/y.jar", "/x/y.jar")
    for path, kind in (("/x/m.so", (True, False, False)), ("s3://x/y.jar", (False, False, False))):
        with pytest.raises(Exception, match="not supported"):
            name(path, *kind)


def test_properties_with_units():
    assert remote_upload._bytes_of("64MB", 1) == 64 << 20
    assert remote_upload._bytes_of("1048576b", 1) == 1 << 20
    assert remote_upload._bytes_of("10000", 1) == 10000
    assert remote_upload._bytes_of("many", 7) == remote_upload._bytes_of(None, 7) == 7


# ---- tables -------------------------------------------------------------------------------------


def table_of(rows, ddl):
    from nbaspark.sql.types import DataType

    schema = _core.message_pack("spark.connect.DataType", to_tree(DataType.fromDDL(ddl)))
    return _core.Table.from_rows(rows, schema)


def test_rows_of_a_table_as_streams():
    rows = [(i, f"text {i}" if i % 3 else None) for i in range(5000)]
    table = table_of(rows, "a long, b string")
    for start, stop in ((0, 5000), (0, 0), (1, 2), (63, 129), (4000, 9000), (6000, 7000)):
        part = _core.Table.from_ipc(table.ipc(None, start, stop))
        assert part.rows() == rows[start:stop]
    with pytest.raises(ValueError):
        table.ipc(None, 2, 1)


def test_pieces_are_small_enough():
    table = table_of([(i, "x" * 100) for i in range(3000)], "a long, b string")
    pieces = list(remote_upload._pieces(table, 1000, 32 << 10))
    assert all(len(piece) <= 32 << 10 for piece in pieces) and len(pieces) > 10
    rows = [row for piece in pieces for row in _core.Table.from_ipc(piece).rows()]
    assert rows == table.rows()
    assert len(list(remote_upload._pieces(table_of([], "a long"), 10, 100))) == 1


def test_tables_join_under_their_schema():
    from nbaspark.ml.linalg import Vectors, VectorUDT
    from nbaspark.sql.rows import to_rows
    from nbaspark.sql.types import StructType

    stored = VectorUDT().sqlType()
    rows = [(VectorUDT().serialize(Vectors.dense([1.0, 2.0])),), (None,)]
    packed = _core.message_pack("spark.connect.DataType", to_tree(StructType().add("v", stored)))
    part = _core.Table.from_rows(rows, packed)
    named = StructType().add("v", VectorUDT())
    packed = _core.message_pack("spark.connect.DataType", to_tree(named))
    whole = _core.Table.join([part, part], packed)
    assert whole.n_rows == 4
    assert from_tree(_core.message_unpack("spark.connect.DataType", whole.schema)) == named
    assert [r.v for r in to_rows(whole)] == [Vectors.dense([1.0, 2.0]), None] * 2
    del part
    assert whole.rows()[0] is not None
    other = table_of([(1,)], "a int")
    with pytest.raises(Exception, match="types that their schema says"):
        _core.Table.join([other], packed)
    with pytest.raises(Exception, match="columns that their schema says"):
        _core.Table.join([table_of([(1, 2)], "a int, b int")], packed)
    assert _core.Table.join([], packed).rows() == []


def test_long_bytes_as_views():
    data = bytes(5000)
    packed = _core.message_pack(
        "spark.connect.ExecutePlanResponse", {"session_id": "s", "arrow_batch": {"data": data}}
    )
    tree = _core.message_unpack("spark.connect.ExecutePlanResponse", packed, True)
    view = tree["arrow_batch"]["data"]
    assert isinstance(view, memoryview) and view == data and view.obj is packed
    tree = _core.message_unpack("spark.connect.ExecutePlanResponse", packed)
    assert isinstance(tree["arrow_batch"]["data"], bytes)
