# SPDX-License-Identifier: Apache-2.0
"""Apache Spark standalone from the PyPI package: master, workers, a Connect server; and a program that outgrows nbaspark.

Usage: python tests/cluster/spark_standalone.py SPARK      (SPARK: …/site-packages/pyspark with its jars)

The customer job runs embedded, on a cluster of nbaspark and on Apache Spark, each time with one line changed, and must
give the same groups.
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
JOB = TOP / "jobs/customer_segmentation.py"
DATA = TOP / "jobs/data/clientes_demo.csv"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Standalone:
    """Processes of Spark on free ports of loopback; small heaps, unless more memory is given."""

    def __init__(self, spark, folder, workers, memory="512m"):
        self.spark, self.folder, self.processes = str(spark), Path(folder), []
        self.memory = memory
        python = str(Path(spark).parents[3] / "bin/python")
        self.env = {
            **os.environ,
            "SPARK_HOME": self.spark,
            "SPARK_LOCAL_DIRS": str(folder),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": python,
            "PYSPARK_DRIVER_PYTHON": python,
            "SPARK_DAEMON_MEMORY": "768m",
        }
        self.port, self.ui = free_port(), free_port()
        self.url = f"spark://127.0.0.1:{self.port}"
        try:
            at = ("--host", "127.0.0.1", "--port", self.port, "--webui-port", self.ui)
            self.start("spark-class", "org.apache.spark.deploy.master.Master", *at)
            self.until(self.state)
            for _ in range(workers):
                more = ("--cores", 1, "--memory", memory, "--webui-port", 0, "--work-dir", folder)
                self.start("spark-class", "org.apache.spark.deploy.worker.Worker", self.url, *more)
            self.until(lambda: self.state()["aliveworkers"] == workers)
        except BaseException:
            self.stop()
            raise

    def start(self, program, *arguments):
        log = (self.folder / f"spark{len(self.processes)}.log").open("w")
        command = [f"{self.spark}/bin/{program}", *map(str, arguments)]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=self.env)
        self.processes.append(process)

    def state(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ui}/json/", timeout=10) as answer:
            return json.load(answer)

    def until(self, ask, seconds=180):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if ask():
                    return
            except (OSError, ValueError):
                pass
            time.sleep(0.05)
        log = self.folder / f"spark{len(self.processes) - 1}.log"
        raise RuntimeError(f"Spark does not answer: {log.read_text()[-3000:]}")

    def conf(self):
        small = {"spark.executor.memory": self.memory, "spark.ui.enabled": "false"}
        return [x for k, v in small.items() for x in ("--conf", f"{k}={v}")]

    def connect(self):
        """Start a Connect server on the cluster; return its address."""
        port = free_port()
        more = ("--conf", f"spark.connect.grpc.binding.port={port}")
        server = "org.apache.spark.sql.connect.service.SparkConnectServer"
        command = ["--master", self.url, *self.conf(), *more, "--class", server, "spark-internal"]
        self.start("spark-submit", *command)
        self.until(lambda: socket.create_connection(("127.0.0.1", port), 1).close() or True)
        return f"sc://127.0.0.1:{port}"

    def submit(self, *arguments):
        command = [f"{self.spark}/bin/spark-submit", "--master", self.url, *self.conf()]
        subprocess.run(
            command + [str(x) for x in arguments],
            check=True,
            env=self.env,
            stderr=subprocess.DEVNULL,
        )

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(60)


def groups(folder, line):
    """Run the job with a builder as `line` says; return what it wrote."""
    folder.mkdir()
    text = JOB.read_text()
    assert text.count("SparkSession.builder.appName") == 1
    job = folder / "job.py"
    job.write_text(
        text.replace("SparkSession.builder.appName", f"SparkSession.builder{line}.appName")
    )
    out = folder / "out"
    began = time.perf_counter()
    subprocess.run([sys.executable, str(job), str(DATA), str(out)], check=True)
    print(f"builder{line}: {time.perf_counter() - began:.2f} s", flush=True)
    assert (out / "_SUCCESS").exists()
    (part,) = out.glob("part-*.csv")
    return part.read_text()


def main(spark):
    sys.path.insert(0, str(Path(__file__).parent))
    from harness import Cluster

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        embedded = groups(folder / "embedded", "")
        cluster = Cluster(folder / "cluster")
        try:
            for _ in range(2):
                cluster.add()
            ours = groups(folder / "ours", f'.master("spark://127.0.0.1:{cluster.port}")')
        finally:
            cluster.stop()
        standalone = Standalone(spark, folder, 2)
        try:
            theirs = groups(folder / "theirs", f'.remote("{standalone.connect()}")')
        finally:
            standalone.stop()
    same = [re.sub(r"\d+", "n", x) for x in (embedded, ours, theirs)]
    assert same[0] == same[1] == same[2], "rows differ in number"
    assert ours == embedded, "our cluster gives other groups"
    counts = [sorted(map(x.split().count, set(x.split()[1:]))) for x in (embedded, theirs)]
    assert counts[0] == counts[1], "Spark finds groups of other sizes"
    print(f"the same groups three times: {counts[0]}")


if __name__ == "__main__":
    main(sys.argv[1])
