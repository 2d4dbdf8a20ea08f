# SPDX-License-Identifier: Apache-2.0
"""nbasparkd as a process: start, options, configuration, logs, the end."""

import json
import signal
import subprocess
import threading
import time

import pytest
from harness import EXECUTABLE, Raw


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


def test_json_log(start_master):
    one = start_master("--log-json")
    assert one.stop() == 0
    entries = [json.loads(line) for line in one.lines]
    assert entries[0]["level"] == "INFO" and "Spark Connect at" in entries[0]["message"]


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
