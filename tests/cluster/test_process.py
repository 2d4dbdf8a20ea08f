# SPDX-License-Identifier: Apache-2.0
"""nbasparkd as a process: start, options, configuration, logs, the end."""

import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest
from harness import CLEAN, EXECUTABLE, PROCESS_S, Raw

from nbaspark.sql import SparkSession


def run(*arguments, env=None):
    return subprocess.run(
        [EXECUTABLE, *arguments], capture_output=True, text=True, timeout=60, env=env
    )


def test_version_and_help():
    assert run("--version").stdout.startswith("nbasparkd ")
    assert "master" in run("--help").stdout
    assert "--connect-port" in run("master", "--help").stdout
    assert run().returncode == 2 and run("nothing").returncode == 2
    assert run("master", "--nothing").returncode == 2
    assert run("master", "--port", "70000").returncode == 1


def test_port_in_use(master):
    second = run("master", "--port", str(master.port), "--connect-port", "0")
    assert second.returncode == 1 and "Cannot listen" in second.stderr


def test_configuration_file(start_master, tmp_path):
    (tmp_path / "spark-defaults.conf").write_text(
        "spark.sql.shuffle.partitions 7\nspark.connect.authenticate.token hidden\n"
    )
    one = start_master(env={"SPARK_CONF_DIR": str(tmp_path)})
    raw = Raw(one.port, token="hidden")
    assert raw.config("spark.sql.shuffle.partitions").pairs[0].value == "7"
    request = raw.pb2.ConfigRequest(**raw.head())
    request.operation.get_all.SetInParent()
    everything = raw.stub.Config(request, metadata=raw.metadata, timeout=30)
    assert "hidden" not in str(everything) and "hidden" not in one.log
    raw.close()


def test_bad_configuration_file(tmp_path):
    file = tmp_path / "x.conf"
    file.write_text("spark.sql.shuffle.partitions many\n")
    bad = run("master", "--port", "0", "--connect-port", "0", "--properties-file", str(file))
    assert bad.returncode == 1 and "spark.sql.shuffle.partitions" in bad.stderr
    assert run("master", "--properties-file", str(tmp_path / "none")).returncode == 1


def test_history_takes_the_options_of_all(tmp_path):
    assert run("history", "--version").stdout.startswith("nbasparkd ")
    assert run("history", "--port", "many", "--dir", str(tmp_path)).returncode == 1
    missing = run("history", "--log-json", "--dir", str(tmp_path / "none"))
    entries = [json.loads(line) for line in missing.stderr.splitlines()]
    assert missing.returncode == 1 and entries[-1]["level"] == "FATAL"
    assert run("history", "--properties-file", str(tmp_path / "none")).returncode == 1


def test_history_is_not_opened_by_an_empty_variable(tmp_path):
    """A token that is set stays set where NBASPARK_UI_TOKEN is there and says nothing."""
    file = tmp_path / "x.conf"
    file.write_text("nbaspark.ui.token sesame\n")
    options = ["--dir", str(tmp_path), "--port=0", "--properties-file", str(file), "--log-json"]
    with subprocess.Popen(
        [EXECUTABLE, "history", *options],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NBASPARK_UI_TOKEN": ""},
    ) as history:
        said = json.loads(history.stderr.readline())["message"]
        url = re.search(r"http://\S+", said).group()
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{url}/api/v1/applications", timeout=20)
        history.terminate()
        assert [json.loads(line)["message"] for line in history.stderr][-1] == "ended"


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (
            ["--cores", "0"],
            {},
            "--cores (SPARK_WORKER_CORES) must be a number from 1 to 4096, not '0'",
        ),
        ([], {"SPARK_WORKER_CORES": "two"}, "not 'two'"),
        (["--memory", "lots"], {}, "--memory (SPARK_WORKER_MEMORY) must be a size"),
        ([], {"SPARK_WORKER_MEMORY": "2"}, "not '2'"),
        (["--port", "-1"], {}, "a port must be a number from 0 to 65535, not '-1'"),
        ([], {"SPARK_WORKER_PORT": "tcp://1.2.3.4:5"}, "SPARK_WORKER_PORT must be a number"),
        ([], {"SPARK_LOCAL_DIRS": "/proc/none"}, "/proc/none"),
        (["--work-dir", "/dev/null/x"], {}, "/dev/null/x"),
    ],
)
def test_a_worker_says_which_value_is_wrong(arguments, environment, said):
    bad = run("worker", "spark://localhost:1", *arguments, env={**CLEAN, **environment})
    assert bad.returncode == 1 and said in bad.stderr


@pytest.mark.parametrize(
    "url", ["spark://localhost", "localhost:7077", "spark://:7077", "local[2]"]
)
def test_a_worker_wants_the_address_of_a_master(url):
    bad = run("worker", url)
    assert bad.returncode == 1 and "must be spark://HOST:PORT" in bad.stderr


def test_a_worker_says_why_it_is_not_attached(start_master, tmp_path):
    """Once for each reason, not at each attempt."""
    one = start_master(env={"SPARK_AUTHENTICATE_SECRET": "right"})
    log = tmp_path / "log"
    with log.open("w") as out:
        worker = subprocess.Popen(
            [EXECUTABLE, "worker", f"spark://127.0.0.1:{one.cluster_port}", "--webui-port", "0"],
            stderr=out,
            env={**CLEAN, "SPARK_AUTHENTICATE_SECRET": "wrong"},
        )
    try:
        until = time.monotonic() + 20
        while "cannot attach" not in log.read_text() and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(1)
        assert log.read_text().count("cannot attach") == 1, log.read_text()
    finally:
        worker.terminate()
        assert worker.wait(20) == 0


def test_addresses_of_ipv6_are_urls_as_printed(start_master, tmp_path):
    one = start_master("--host", "::1", "--webui-port", "0")
    url = re.search(r"spark://\S+?(?=,)", one.log).group()
    connect = re.search(r"sc://\S+", one.log).group()
    assert url == f"spark://[::1]:{one.cluster_port}" and connect == f"sc://[::1]:{one.port}"
    log = tmp_path / "worker.log"
    with log.open("w") as out:
        worker = subprocess.Popen(
            [EXECUTABLE, "worker", url, "--host", "::1", "--webui-port", "0"],
            stderr=out,
            env={**CLEAN, "SPARK_LOCAL_DIRS": str(tmp_path)},
        )
    try:
        until = time.monotonic() + PROCESS_S
        while "attached to" not in log.read_text():
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)
        for text in (one.log, log.read_text()):
            page = re.search(r"web pages at (\S+)", text).group(1)
            with urllib.request.urlopen(f"{page}/health", timeout=PROCESS_S) as answer:
                assert answer.status == 200
        spark = SparkSession.builder.remote(connect).create()
        spark.conf.set("nbaspark.cluster.minRows", "1")
        assert spark.range(1000).repartition(3).count() == 1000
        spark.stop()
    finally:
        worker.kill()
        worker.wait()


def test_json_log(start_master):
    one = start_master("--log-json")
    assert one.stop() == 0
    entries = [json.loads(line) for line in one.lines]
    assert entries[0]["level"] == "INFO" and "Spark Connect at" in entries[0]["message"]


def test_json_log_is_json_whatever_is_said(tmp_path):
    """Bytes that are no UTF-8, and a line that is too long and cut within a character."""
    for name in (
        b"\xe9t\xe9\xff\xc3",
        "é".encode() * 120 + b"/" + b"x" + "é".encode() * 120,
        b"\xed\xa0\x80",
    ):
        folder = os.path.join(os.fsencode(tmp_path), b"/".join([name] * 8))
        said = subprocess.run(
            [EXECUTABLE, "history", "--log-json", "--dir", folder], capture_output=True, timeout=60
        ).stderr
        entries = [json.loads(line.decode()) for line in said.splitlines()]
        assert entries[-1]["level"] == "FATAL", entries


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_soon(start_master, which):
    one = start_master()
    raw = Raw(one.port)
    assert sum(r.arrow_batch.row_count for r in raw.execute(raw.range_plan(5))) == 5
    one.process.send_signal(which)
    assert one.wait(15) == 0 and "ended" in one.log
    raw.close()


def test_running_query_gets_a_grace_period(start_master):
    """SIGTERM lets a short query end."""
    one = start_master()
    raw = Raw(one.port)
    raw.config()
    text = "select sum(a.id * b.id % 7) from range(1000000) a, range(20) b"
    call = raw.execute(raw.sql_plan(text))
    time.sleep(0.3)
    one.process.send_signal(signal.SIGTERM)
    assert sum(r.arrow_batch.row_count for r in call) == 1
    assert one.wait(20) == 0
    raw.close()


def test_a_hundred_clients_at_once(master):
    raws = [Raw(master.port) for _ in range(100)]
    faults = []

    def work(raw, n):
        try:
            for i in range(3):
                got = sum(r.arrow_batch.row_count for r in raw.execute(raw.range_plan(n + i)))
                if got != n + i:
                    faults.append((n + i, got))
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(raw, n)) for n, raw in enumerate(raws)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    for raw in raws:
        raw.stub.ReleaseSession(raw.pb2.ReleaseSessionRequest(**raw.head()), timeout=30)
        raw.close()
