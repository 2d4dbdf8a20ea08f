# SPDX-License-Identifier: Apache-2.0
"""The transport by itself: what it costs, and how it fails."""

import multiprocessing
import os
import subprocess
import sys

import pytest

METHOD = "/spark.connect.SparkConnectService/Config"


def test_that_the_package_does_not_load_it():
    code = "import sys, nbaspark.sql, nbaspark.ml; print('nbaspark._grpc' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "False\n"


def test_a_server_that_is_not_there():
    from nbaspark import _grpc

    channel = _grpc.Channel("unix:/nonexistent/socket")
    with pytest.raises(_grpc.RpcError) as e:
        channel.unary(METHOD, b"")
    code, message, details = e.value.args
    assert code == 14 and message and details == b""
    with pytest.raises(_grpc.RpcError):
        list(channel.stream(METHOD, b""))
    with pytest.raises(_grpc.RpcError):
        channel.upload(METHOD, [b"a", b"b"])
    channel.post(METHOD, b"", 1000)
    channel.close()
    with pytest.raises(ValueError, match="closed"):
        channel.unary(METHOD, b"")


def test_arguments():
    from nbaspark import _grpc

    with pytest.raises(_grpc.RpcError, match="header"):
        _grpc.Channel("localhost:1", headers=(("a b", "c"),))
    with pytest.raises(TypeError):
        _grpc.Channel("localhost:1", headers=((1, "c"),))
    with pytest.raises(_grpc.RpcError, match="certificates"):
        _grpc.Channel("localhost:1", tls=True, ca="no PEM", cert="no PEM", key="no PEM")


def test_pauses_between_tries():
    from nbaspark import _core, _grpc

    pauses = [_grpc.retry_pause(n, 14, b"", "") for n in (1, 2, 3, 4)]
    assert pauses[:3] == [50, 200, 800] and 3200 <= pauses[3] <= 3700
    assert 60000 <= _grpc.retry_pause(15, 14, b"", "") <= 60500
    assert _grpc.retry_pause(16, 14, b"", "") == -1
    assert _grpc.retry_pause(1, 13, b"", "some fault") == -1
    assert _grpc.retry_pause(1, 13, b"", "[INVALID_CURSOR.DISCONNECTED] gone") == 50
    info = _core.message_pack(
        "google.rpc.RetryInfo", {"retry_delay": {"seconds": 1, "nanos": 500_000_000}}
    )
    any_info = {"type_url": b"type.googleapis.com/google.rpc.RetryInfo", "value": info}
    details = _core.message_pack("google.rpc.Status", {"code": 8, "details": [any_info]})
    assert _grpc.retry_pause(1, 8, details, "") == 1500


def _in_child(channel, conn):
    from nbaspark import _grpc

    try:
        channel.unary(METHOD, b"")
    except _grpc.RpcError as e:
        conn.send(e.args[1])
    conn.close()


def test_a_forked_child_is_told_to_spawn():
    from nbaspark import _grpc

    channel = _grpc.Channel("unix:/nonexistent/socket")
    with pytest.raises(_grpc.RpcError):
        channel.unary(METHOD, b"")
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_in_child, args=(channel, there))
    child.start()
    assert here.poll(20)
    assert '"spawn"' in here.recv()
    child.join(20)
    assert child.exitcode == 0 and os.getpid() != child.pid
    with pytest.raises(_grpc.RpcError):
        channel.unary(METHOD, b"")  # the parent goes on
