# SPDX-License-Identifier: Apache-2.0
"""Processes of a cluster, and ways to ask them: Spark's client, raw calls, networks that are cut.

NBASPARKD names another executable than .venv/bin/nbasparkd, one with sanitizers for example; NBASPARK_TEST_SLOW says how many times longer
than usual it may take, and is left alone by workers that seem silent, NBASPARK_TEST_ROOM how many times more memory.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from pathlib import Path

import grpc
import pyspark.sql.connect.proto as pb2
from pyspark.sql.connect.proto import base_pb2_grpc
from pyspark.sql.connect.session import SparkSession

EXECUTABLE = os.environ.get("NBASPARKD") or str(Path(sys.executable).parent / "nbasparkd")
SLOW = float(os.environ.get("NBASPARK_TEST_SLOW", "1"))
ROOM = float(os.environ.get("NBASPARK_TEST_ROOM", "1"))
PROCESS_S = 20 * SLOW
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("SPARK_")}
if "NBASPARKD" in os.environ:  # there is no interpreter beside it
    CLEAN.setdefault("PYSPARK_PYTHON", sys.executable)


class Master:
    """nbasparkd master on free ports of loopback."""

    def __init__(self, *options, env=None, ports=("--port", "0", "--connect-port", "0")):
        self.lines = []
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [EXECUTABLE, "master", *ports, *options],
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**CLEAN, "TZ": "UTC", **(env or {})},
        )
        self.ready = threading.Event()
        self.port = self.cluster_port = None
        threading.Thread(target=self._read, daemon=True).start()
        self.ready.wait(30 * SLOW)

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            found = re.search(r"spark://\S+:(\d+), Spark Connect at sc://\S+:(\d+)", line)
            if found:
                self.cluster_port, self.port = int(found.group(1)), int(found.group(2))
                self.ready_after = time.monotonic() - self.started
                self.ready.set()
        self.ready.set()

    @property
    def log(self):
        return "".join(self.lines)

    @property
    def url(self):
        return f"sc://127.0.0.1:{self.port}"

    def rss(self):
        """Return the resident memory in bytes, of which a build with sanitizers takes ROOM times as much."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(int(line.split()[1]) * 1024 / ROOM)
        raise AssertionError("no VmRSS")

    def wait(self, timeout=30 * SLOW):
        return self.process.wait(timeout)

    def stop(self):
        """End it, and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


class Cluster:
    """A master and workers that come and go.

    Each has its own log, and all the same local directory, below `path`. With a Network, each has a network namespace of its own.
    """

    def __init__(self, path, network=None, conf="", env=None):
        self.path = path
        path.mkdir(exist_ok=True)
        self.workers = []
        self.processes = []
        self.network = network
        self.conf = path / "spark-defaults.conf"
        # all of a test's small tables are spread; a silent worker is given up soon
        self.conf.write_text(
            f"nbaspark.cluster.minRows 1\nspark.worker.timeout {int(1500 * SLOW)}ms\n{conf}"
        )
        self.environment = env or {}
        self.port = 0
        self.start_master()

    def _start(self, name, *arguments, local=None):
        local = local or self.path / "local"
        local.mkdir(exist_ok=True)
        log = self.path / f"{name}.log"
        host = self.network.add() if self.network else None
        prefix = host.prefix if host else []
        if host:
            arguments = (*arguments, "--host", host.address, "--insecure")
        with log.open("w") as out:
            process = subprocess.Popen(
                [*prefix, EXECUTABLE, *arguments, "--properties-file", str(self.conf)],
                stderr=out,
                stdout=out,
                env={**CLEAN, "SPARK_LOCAL_DIRS": str(local), **self.environment},
            )
        process.log = log
        process.host = host
        self.processes.append(process)
        return process

    def _wait(self, log, pattern, seconds=PROCESS_S):
        until = time.monotonic() + seconds
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
        self.port = int(self._wait(self.master.log, r"spark://[\d.]+:(\d+)").group(1))
        self.address = f"{self.master.host.address if self.network else '127.0.0.1'}:{self.port}"

    def add(self, cores=1, memory="512m", local=None, wait=PROCESS_S):
        """Add a worker and wait until it is attached."""
        worker = self._start(
            f"worker{len(self.processes)}",
            "worker",
            f"spark://{self.address}",
            "--cores",
            str(cores),
            "--memory",
            memory,
            "--webui-port",
            "0",
            local=local,
        )
        self._wait(worker.log, r"attached to", wait)
        self.workers.append(worker)
        return worker

    def page(self, process, path):
        """Return what the process answers to GET path on its web port, as text."""
        port = self._wait(process.log, r"web pages? at http://127\.0\.0\.1:(\d+)").group(1)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PROCESS_S) as answer:
            return answer.read().decode()

    def kill(self, worker, how=signal.SIGKILL):
        worker.send_signal(how)
        if how in (signal.SIGKILL, signal.SIGTERM):
            worker.wait(PROCESS_S)
            self.workers.remove(worker)

    def session(self, token=None):
        from nbaspark.sql import SparkSession

        shown = f"/;token={token}" if token else ""
        return SparkSession.builder.remote(f"sc://{self.address}{shown}").create()

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
                process.wait(PROCESS_S)
        for process in self.processes:
            found = re.search(r".*(Sanitizer|runtime error:)(.*\n){,40}", process.log.read_text())
            assert not found, found.group()


class Network:
    """Network namespaces on one bridge: hosts that can be cut off from each other. Needs root."""

    made = 0

    def __init__(self):
        Network.made += 1
        self.name = f"nb{os.getpid() % 10000}x{Network.made}"
        self.hosts = []
        self.net = f"10.{200 + Network.made % 50}.{os.getpid() % 250}"
        self._run("link", "add", self.name, "type", "bridge")
        self._run("addr", "add", f"{self.net}.1/24", "dev", self.name)
        self._run("link", "set", self.name, "up")

    @staticmethod
    def possible():
        """Whether this process may make namespaces."""
        if os.geteuid() != 0 or not shutil.which("ip"):
            return False
        name = f"nbtry{os.getpid()}"
        tried = subprocess.run(["ip", "netns", "add", name], capture_output=True)
        subprocess.run(["ip", "netns", "del", name], capture_output=True)
        return tried.returncode == 0

    def _run(self, *arguments):
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    def add(self):
        """Add a host."""
        host = Host(self, f"{self.name}h{len(self.hosts)}", f"{self.net}.{10 + len(self.hosts)}")
        self.hosts.append(host)
        self._run("netns", "add", host.name)
        self._run(
            "link", "add", host.link, "type", "veth", "peer", "name", "eth0", "netns", host.name
        )
        self._run("link", "set", host.link, "master", self.name, "up")
        self._run("-n", host.name, "addr", "add", f"{host.address}/24", "dev", "eth0")
        self._run("-n", host.name, "link", "set", "eth0", "up")
        self._run("-n", host.name, "link", "set", "lo", "up")
        return host

    def close(self):
        for host in self.hosts:
            subprocess.run(["ip", "netns", "del", host.name], capture_output=True)
        subprocess.run(["ip", "link", "del", self.name], capture_output=True)


class Host:
    """One namespace of a Network."""

    def __init__(self, network, name, address):
        self.network = network
        self.name = name
        self.link = name
        self.address = address
        self.prefix = ["ip", "netns", "exec", name]

    def cut(self, other, again=False):
        """Let no packet pass between the two, without a word to either; again: let them pass."""
        for a, b in ((self, other), (other, self)):
            self.network._run(
                *("-n", a.name, "route", "del" if again else "add", "blackhole", f"{b.address}/32")
            )

    def heal(self, other):
        self.cut(other, again=True)


def connect(url):
    """Return a new session of Spark's client."""
    return SparkSession.builder.remote(url).create()


class Raw:
    """The service without a client's cleverness: requests in, answers out."""

    def __init__(self, port, token=None):
        self.pb2 = pb2
        self.channel = grpc.insecure_channel(
            f"127.0.0.1:{port}",
            options=[
                ("grpc.max_receive_message_length", -1),
                ("grpc.use_local_subchannel_pool", 1),
            ],
        )
        self.stub = base_pb2_grpc.SparkConnectServiceStub(self.channel)
        self.session_id = str(uuid.uuid4())
        self.metadata = [("authorization", f"Bearer {token}")] if token else []

    def head(self):
        return {
            "session_id": self.session_id,
            "user_context": self.pb2.UserContext(user_id="tests"),
        }

    def range_plan(self, n):
        plan = self.pb2.Plan()
        plan.root.common.plan_id = 0
        plan.root.range.end = n
        plan.root.range.step = 1
        return plan

    def sql_plan(self, text):
        plan = self.pb2.Plan()
        plan.root.common.plan_id = 0
        plan.root.sql.query = text
        return plan

    def execute(self, plan, timeout=60 * SLOW, **fields):
        request = self.pb2.ExecutePlanRequest(plan=plan, **self.head(), **fields)
        return self.stub.ExecutePlan(request, metadata=self.metadata, timeout=timeout)

    def config(self, key="spark.sql.ansi.enabled", timeout=30 * SLOW):
        request = self.pb2.ConfigRequest(**self.head())
        request.operation.get.keys.append(key)
        return self.stub.Config(request, metadata=self.metadata, timeout=timeout)

    def call(self, method, data, timeout=30):
        """Send bytes to a method, whatever they are; return the answer's bytes."""
        ask = self.channel.unary_unary(f"/spark.connect.SparkConnectService/{method}")
        return ask(data, metadata=self.metadata, timeout=timeout)

    def close(self):
        self.channel.close()
