# SPDX-License-Identifier: Apache-2.0
"""A cluster of real processes: one master, workers that come and go."""

import os
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

DAEMON = Path(__file__).parents[2] / "build" / "release" / "nbasparkd"
TIMEOUT_S = 20


class Cluster:
    """Starts and stops the processes; each has its own log and local directory below `path`."""

    def __init__(self, path):
        self.path = path
        path.mkdir(exist_ok=True)
        self.workers = []
        self.processes = []
        self.conf = path / "spark-defaults.conf"
        # all of a test's small tables are spread; a silent worker is given up soon
        self.conf.write_text("nbaspark.cluster.minRows 1\nspark.worker.timeout 1500ms\n")
        self.port = 0
        self.start_master()

    def _start(self, name, *arguments):
        local = self.path / "local"
        local.mkdir(exist_ok=True)
        log = self.path / f"{name}.log"
        environment = {**os.environ, "SPARK_LOCAL_DIRS": str(local)}
        with log.open("w") as out:
            process = subprocess.Popen(
                [str(DAEMON), *arguments, "--properties-file", str(self.conf)],
                stderr=out,
                stdout=out,
                env=environment,
            )
        process.log = log
        self.processes.append(process)
        return process

    def _wait(self, log, pattern):
        until = time.monotonic() + TIMEOUT_S
        while time.monotonic() < until:
            match = re.search(pattern, log.read_text())
            if match:
                return match
            time.sleep(0.01)
        raise AssertionError(f"{pattern} is not in {log}:\n{log.read_text()}")

    def start_master(self):
        """Start it, or start it again at the same port."""
        self.master = self._start(
            f"master{len(self.processes)}",
            "master",
            "--port",
            str(self.port),
            "--connect-port",
            "0",
            "--webui-port",
            "0",
        )
        self.port = int(self._wait(self.master.log, r"spark://127\.0\.0\.1:(\d+)").group(1))

    def add(self, cores=1, memory="512m"):
        """Add a worker and wait until it is attached."""
        worker = self._start(
            f"worker{len(self.processes)}",
            "worker",
            f"spark://127.0.0.1:{self.port}",
            "--cores",
            str(cores),
            "--memory",
            memory,
            "--webui-port",
            "0",
        )
        self._wait(worker.log, r"attached to")
        self.workers.append(worker)
        return worker

    def page(self, process, path):
        """Return what the process answers to GET path on its web port, as text."""
        port = self._wait(process.log, r"web pages? at http://127\.0\.0\.1:(\d+)").group(1)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=TIMEOUT_S) as answer:
            return answer.read().decode()

    def kill(self, worker, how=signal.SIGKILL):
        worker.send_signal(how)
        if how in (signal.SIGKILL, signal.SIGTERM):
            worker.wait(TIMEOUT_S)
            self.workers.remove(worker)

    def session(self):
        from nbaspark.sql import SparkSession

        return SparkSession.builder.remote(f"sc://127.0.0.1:{self.port}").create()

    def open_files(self, worker):
        """Files of blocks that the worker still has open (they have no names)."""
        found = []
        for entry in Path(f"/proc/{worker.pid}/fd").iterdir():
            try:
                target = os.readlink(entry)
            except OSError:
                continue
            if str(self.path / "local") in target:
                found.append(target)
        return found

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait(TIMEOUT_S)
