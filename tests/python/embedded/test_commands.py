# SPDX-License-Identifier: Apache-2.0
"""The programs that the package puts beside its Python."""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent


def run(*command, **environment):
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


def test_one_name_for_all():
    import nbaspark

    assert run("nbaspark", "--version").stdout == f"nbaspark {nbaspark.__version__}\n"
    assert nbaspark.__version__ in run("nbasparkd", "--version").stdout
    assert "job.py" in run("nbaspark", "submit", "--help").stdout
    wrong = run("nbaspark", "frobnicate")
    assert wrong.returncode == 2 and "Usage" in wrong.stderr
    assert "--dir" in run("nbaspark", "history", "--help").stdout


def health(port):
    """Ask a daemon that has been started, but may not listen yet."""
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
                return answer.read()
        except urllib.error.URLError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def test_scripts_start_and_stop_a_daemon(tmp_path, free_port):
    folders = {"SPARK_PID_DIR": str(tmp_path), "SPARK_LOG_DIR": str(tmp_path / "logs")}
    (tmp_path / "events").mkdir()
    options = ["--dir", str(tmp_path / "events"), "--port", str(free_port)]
    started = run("start-history-server.sh", *options, **folders)
    try:
        assert started.returncode == 0, started.stderr
        assert health(free_port) == b"ok\n"
        again = run("start-history-server.sh", *options, **folders)
        assert again.returncode == 1 and "Stop it first" in again.stderr
    finally:
        stopped = run("stop-history-server.sh", **folders)
    assert stopped.returncode == 0, stopped.stderr
    assert not list(tmp_path.glob("*.pid"))
    assert "no history to stop" in run("stop-history-server.sh", **folders).stdout


def test_a_daemon_is_stopped_after_an_update(tmp_path, free_port):
    """Its executable has been replaced while it ran."""
    own = tmp_path / "bin"
    own.mkdir()
    for name in ("nbasparkd", "nbaspark-daemon.sh"):
        shutil.copy(BIN / name, own / name)
    (tmp_path / "events").mkdir()
    environment = {**os.environ, "SPARK_PID_DIR": str(tmp_path), "SPARK_LOG_DIR": str(tmp_path)}

    def script(*arguments):
        command = [str(own / "nbaspark-daemon.sh"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)

    options = ["--dir", str(tmp_path / "events"), "--port", str(free_port)]
    assert script("start", "history", *options).returncode == 0
    (own / "nbasparkd").unlink()
    shutil.copy(BIN / "nbasparkd", own / "nbasparkd")
    assert "stopping" in script("stop", "history").stdout
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{free_port}/health", timeout=10)


def test_nothing_is_started_that_could_not_be_stopped(tmp_path, free_port):
    """The file for the process's number cannot be written."""
    options = ["--dir", str(tmp_path), "--port", str(free_port)]
    folders = {"SPARK_PID_DIR": "/proc", "SPARK_LOG_DIR": str(tmp_path)}
    started = run("start-history-server.sh", *options, **folders)
    assert started.returncode == 1 and "/proc/" in started.stderr
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{free_port}/health", timeout=10)


def test_a_daemon_that_ends_at_once_says_why(tmp_path):
    folders = {"SPARK_PID_DIR": str(tmp_path), "SPARK_LOG_DIR": str(tmp_path)}
    started = run("start-history-server.sh", "--frobnicate", **folders)
    assert started.returncode == 1
    assert "--dir FOLDER" in started.stderr


@pytest.fixture
def free_port():
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
