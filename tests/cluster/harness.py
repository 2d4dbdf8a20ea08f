# SPDX-License-Identifier: Apache-2.0
"""A master as a process of its own, and ways to ask it: Spark's client, raw calls, a proxy that cuts connections.

NBASPARKD names another executable than .venv/bin/nbasparkd, one with sanitizers for example.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import grpc
import pyspark.sql.connect.proto as pb2
from pyspark.sql.connect.proto import base_pb2_grpc
from pyspark.sql.connect.session import SparkSession

EXECUTABLE = os.environ.get("NBASPARKD") or str(Path(sys.executable).parent / "nbasparkd")
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("SPARK_")}


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
        self.ready.wait(30)

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            found = re.search(r"spark://\S+:(\d+), Spark Connect at sc://\S+?:(\d+)", line)
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
        """Return the resident memory in bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def wait(self, timeout=30):
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

    def execute(self, plan, timeout=60, **fields):
        request = self.pb2.ExecutePlanRequest(plan=plan, **self.head(), **fields)
        return self.stub.ExecutePlan(request, metadata=self.metadata, timeout=timeout)

    def config(self, key="spark.sql.ansi.enabled", timeout=30):
        request = self.pb2.ConfigRequest(**self.head())
        request.operation.get.keys.append(key)
        return self.stub.Config(request, metadata=self.metadata, timeout=timeout)

    def call(self, method, data, timeout=30):
        """Send bytes to a method, whatever they are; return the answer's bytes."""
        ask = self.channel.unary_unary(f"/spark.connect.SparkConnectService/{method}")
        return ask(data, metadata=self.metadata, timeout=timeout)

    def close(self):
        self.channel.close()


class Proxy:
    """A TCP proxy that can cut its connections after so many bytes to the client."""

    def __init__(self, port, cut_after=None):
        self.target = port
        self.cut_after = cut_after
        self.cuts = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source, sink, to_client):
        passed = 0
        try:
            while data := source.recv(65536):
                passed += len(data)
                if to_client and self.cut_after and passed > self.cut_after:
                    self.cut_after = None  # once
                    self.cuts += 1
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
