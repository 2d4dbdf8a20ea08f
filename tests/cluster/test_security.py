# SPDX-License-Identifier: Apache-2.0
"""Who may come in, and what those who may not can do: nothing, slowly or fast."""

import json
import os
import random
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from pathlib import Path

import grpc
import pytest
from harness import EXECUTABLE, SLOW, Cluster, Raw

from nbaspark.sql import functions as F

METHODS = (
    "ExecutePlan",
    "AnalyzePlan",
    "Config",
    "AddArtifacts",
    "ArtifactStatus",
    "Interrupt",
    "ReattachExecute",
    "ReleaseExecute",
    "ReleaseSession",
    "FetchErrorDetails",
    "CloneSession",
    "GetStatus",
    "NoSuchMethod",
)


def code_of(function, *arguments):
    """Return the status with which a call ends."""
    try:
        function(*arguments)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize("token", [None, "", "wrong", "righ", "rightt", "right "])
def test_check_19_every_method_asks_for_the_token(start_master, token):
    one = start_master(env={"SPARK_CONNECT_AUTHENTICATE_TOKEN": "right"})
    raw = Raw(one.port, token)
    for method in METHODS:
        assert code_of(raw.call, method, b"") == grpc.StatusCode.UNAUTHENTICATED
    for method in ("Master/Attach", "Master/Report", "Master/Beat", "Worker/Fetch", "Master/None"):
        other = raw.channel.unary_unary(f"/nbaspark.cluster.{method}")
        assert code_of(other, b"") == grpc.StatusCode.UNAUTHENTICATED
    raw.close()
    good = Raw(one.port, "right")
    assert good.config().pairs[0].value == "true"
    assert sum(r.arrow_batch.row_count for r in good.execute(good.range_plan(9))) == 9
    good.close()
    assert "right" not in one.log


def test_stock_client_with_token(start_master):
    from harness import connect

    one = start_master(env={"SPARK_CONNECT_AUTHENTICATE_TOKEN": "right"})
    session = connect(f"sc://localhost:{one.port}/;token=right")
    assert session.range(4).count() == 4
    session.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_check_20_beyond_loopback_needs_authentication(start_master, host):
    arguments = [EXECUTABLE, "master", "--host", host, "--port", "0", "--connect-port", "0"]
    refused = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1 and "--insecure" in refused.stderr
    loud = start_master("--host", host, "--insecure")
    assert loud.port and "INSECURE" in loud.log
    safe = start_master("--host", host, env={"SPARK_CONNECT_AUTHENTICATE_TOKEN": "right"})
    assert safe.port and "INSECURE" not in safe.log


# ---- TLS ----


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority, and certificates of a server, a client and a stranger."""
    if not shutil.which("openssl"):
        pytest.fail("these tests need openssl")
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "stranger"):
        openssl(
            *f"req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -days 2".split(),
            *("-subj", f"/CN={name}"),
        )
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
    for name in ("server", "client"):
        openssl(
            *f"req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr".split(),
            *("-subj", f"/CN={name}"),
        )
        openssl(
            *f"x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial".split(),
            *f"-out {name}.pem -days 2 -extfile names".split(),
        )
    return folder


@pytest.fixture
def tls_master(start_master, certificates, tmp_path):
    def start(mutual=False):
        file = tmp_path / "tls.conf"
        file.write_text(
            f"spark.ssl.enabled true\nspark.ssl.certChain {certificates}/server.pem\n"
            f"spark.ssl.privateKey {certificates}/server.key\n"
            f"spark.ssl.trustStore {certificates}/ca.pem\n"
            f"spark.ssl.needClientAuth {str(mutual).lower()}\n"
        )
        return start_master("--properties-file", str(file))

    return start


def ask_over_tls(port, certificates, ca="ca", client=None, host="localhost"):
    """Return whether a call came through."""
    text = [(certificates / f"{ca}.pem").read_bytes()]
    if client:
        text = [
            *text,
            (certificates / f"{client}.key").read_bytes(),
            (certificates / f"{client}.pem").read_bytes(),
        ]
    options = [] if host == "localhost" else [("grpc.ssl_target_name_override", host)]
    with grpc.secure_channel(
        f"localhost:{port}", grpc.ssl_channel_credentials(*text), options
    ) as channel:
        call = channel.unary_unary("/spark.connect.SparkConnectService/NoSuchMethod")
        return code_of(lambda: call(b"", timeout=10)) == grpc.StatusCode.UNIMPLEMENTED


def test_check_19_tls(tls_master, certificates):
    one = tls_master()
    assert ask_over_tls(one.port, certificates)
    assert not ask_over_tls(one.port, certificates, ca="stranger")
    assert not ask_over_tls(one.port, certificates, host="other.example")
    plain = Raw(one.port)
    assert code_of(lambda: plain.config(timeout=5)) != grpc.StatusCode.OK
    plain.close()


def test_check_19_mutual_tls(tls_master, certificates):
    one = tls_master(mutual=True)
    assert ask_over_tls(one.port, certificates, client="client")
    assert not ask_over_tls(one.port, certificates)
    assert not ask_over_tls(one.port, certificates, client="stranger")


class Encrypted(Cluster):
    """Processes that show each other certificates of one authority."""

    def __init__(self, path, certificates):
        self.certificates = certificates
        super().__init__(path)

    def write(self, certificate):
        folder = self.certificates
        self.conf.write_text(
            "nbaspark.cluster.minRows 1\nspark.ssl.enabled true\nspark.ssl.needClientAuth true\n"
            f"spark.ssl.certChain {folder}/{certificate}.pem\n"
            f"spark.ssl.privateKey {folder}/{certificate}.key\n"
            f"spark.ssl.trustStore {folder}/ca.pem\n"
        )

    def start_master(self):
        self.write("server")
        super().start_master()

    def session(self, token=None):
        from nbaspark.sql import SparkSession

        folder = self.certificates
        builder = SparkSession.builder.remote(f"sc://127.0.0.1:{self.port}/;use_ssl=true")
        for key, file in (("trustStore", "ca.pem"), ("certChain", "client.pem")):
            builder = builder.config(f"spark.ssl.{key}", f"{folder}/{file}")
        return builder.config("spark.ssl.privateKey", f"{folder}/client.key").create()


def test_workers_and_master_over_mutual_tls(certificates, tmp_path):
    cluster = Encrypted(tmp_path, certificates)
    try:
        for _ in range(2):
            cluster.add()
        spark = cluster.session()
        left = spark.range(200_000).selectExpr("id % 1000 AS k", "id AS v")
        right = spark.range(1000).selectExpr("id AS k", "id * 2 AS w")
        rows = left.join(right, "k").groupBy("w").count().collect()
        assert len(rows) == 1000 and {r["count"] for r in rows} == {200}
        executors = json.loads(cluster.page(cluster.master, "/api/v1/workers"))
        for port in [cluster.port, *(w["port"] for w in executors)]:
            assert not speaks_plain(port), port
        spark.stop()
        # whose certificate no authority of ours has signed is no worker
        cluster.write("stranger")
        with pytest.raises(AssertionError, match="attached to"):
            cluster.add(wait=3)
    finally:
        cluster.stop()


def speaks_plain(port):
    """Whether a listener answers HTTP/2 without TLS."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
        s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
        try:
            answer = s.recv(9)
        except OSError:
            return False
        return answer[3:4] == b"\4"


def test_check_19_old_tls_is_refused(tls_master):
    one = tls_master()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", one.port)) as s:
        with pytest.raises((ssl.SSLError, OSError)):
            context.wrap_socket(s)


# ---- load and malice ----

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return (
        struct.pack(">I", len(payload))[1:]
        + bytes([kind, flags])
        + struct.pack(">I", stream)
        + payload
    )


def literal(name, value):
    def text(s):
        return (bytes([len(s)]) if len(s) < 127 else b"\x7f" + varint(len(s) - 127)) + s.encode()

    return b"\x00" + text(name) + text(value)


def varint(n):
    out = b""
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


COMMON = (
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/spark.connect.SparkConnectService/Config"),
    (":authority", "localhost"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
)


def headers():
    return b"".join(literal(*field) for field in COMMON)


HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION = 1, 3, 4, 6, 9
END_HEADERS = 4


def http2(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=20)
    s.sendall(PREFACE + frame(SETTINGS, 0, 0))
    return s


def latency(raw, n=20):
    """Return the slowest of some short calls."""
    slowest = 0
    for _ in range(n):
        started = time.monotonic()
        raw.config()
        slowest = max(slowest, time.monotonic() - started)
    return slowest


def test_check_18_idle_half_requests(master, raw):
    """A thousand connections that begin a call and say nothing more cost no thread, and others are answered."""
    raw.config()
    before, threads = master.rss(), len(list(master_tasks(master).iterdir()))
    sockets = []
    for i in range(1000):
        s = http2(master.port)
        if i % 2:  # half of them have begun a call
            s.sendall(frame(HEADERS, END_HEADERS, 1, headers()))
        sockets.append(s)
    assert latency(raw) < 2 * SLOW
    grown = master.rss() - before
    more = len(list(master_tasks(master).iterdir())) - threads
    for s in sockets:
        s.close()
    assert (
        more < 250
    )  # gRPC's own pool grows while the machine is busy; one for each would be 1,000
    assert grown < 150 << 20
    assert latency(raw) < 2 * SLOW


def master_tasks(master):
    from pathlib import Path

    return Path(f"/proc/{master.process.pid}/task")


def test_check_18_rapid_reset(master, raw):
    """Streams that are opened and reset as fast as they can be sent (CVE-2023-44487)."""
    raw.config()
    before = master.rss()
    head = headers()
    s = http2(master.port)
    stop = threading.Event()

    def drain():
        try:
            while s.recv(65536):
                pass
        except OSError:
            pass

    threading.Thread(target=drain, daemon=True).start()
    slow = []

    def watch():
        while not stop.is_set():
            slow.append(latency(raw, 3))

    watcher = threading.Thread(target=watch)
    watcher.start()
    sent = 0
    try:
        for batch in range(100):
            data = b""
            for i in range(200):
                stream = 1 + 2 * (batch * 200 + i)
                data += frame(HEADERS, END_HEADERS, stream, head)
                data += frame(RST_STREAM, 0, stream, struct.pack(">I", 8))
            s.sendall(data)
            sent += 200
    except OSError:
        pass  # the server has had enough of us: as good
    stop.set()
    watcher.join()
    s.close()
    assert sent > 0 and max(slow) < 20 * SLOW
    assert master.rss() - before < 128 << 20  # 20,000 calls that are kept have 200 MiB
    assert latency(raw) < 2 * SLOW


@pytest.mark.parametrize("frames", ["ping", "settings", "continuation"])
def test_floods_of_frames(master, raw, frames):
    raw.config()
    before = master.rss()
    s = http2(master.port)
    try:
        if frames == "continuation":  # headers that never end
            s.sendall(frame(HEADERS, 0, 1, headers()))
            part = literal("x", "y" * 100)
            for _ in range(2000):
                s.sendall(frame(CONTINUATION, 0, 1, part * 20))
        else:
            one = frame(PING, 0, 0, b"12345678") if frames == "ping" else frame(SETTINGS, 0, 0)
            for _ in range(200):
                s.sendall(one * 200)
    except OSError:
        pass
    assert latency(raw) < 2 * SLOW
    s.close()
    assert master.rss() - before < 100 << 20


def test_check_18_oversized_headers(master, raw):
    call = raw.channel.unary_unary("/spark.connect.SparkConnectService/Config")
    code = code_of(lambda: call(b"", metadata=[("x-large", "y" * 60000)], timeout=20))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    other = Raw(master.port)  # the connection of the offender may have been closed
    assert other.config().pairs
    other.close()


def test_oversized_message(raw):
    code = code_of(lambda: raw.call("Config", bytes(130 << 20), timeout=60))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert raw.config().pairs


def nested(levels):
    """A plan of so many filters, written from the inside without recursion."""
    from pyspark.sql.connect.proto import base_pb2, relations_pb2

    inner = relations_pb2.Relation()
    inner.range.end = 3
    inner.range.step = 1
    data = inner.SerializeToString()
    for _ in range(levels):  # Relation.filter = 4 { input = 1, condition = 2 }
        body = b"\x0a" + varint(len(data)) + data + b"\x12\x04\x0a\x02\x18\x01"
        data = b"\x22" + varint(len(body)) + body
    plan = b"\x0a" + varint(len(data)) + data
    return base_pb2, plan


@pytest.mark.parametrize("levels", [1000, 10_000, 20_000])
def test_deep_plans(raw, levels):
    """An answer or an error, and the server goes on."""
    base_pb2, plan = nested(levels)
    request = raw.pb2.ExecutePlanRequest(**raw.head()).SerializeToString()
    request += b"\x1a" + varint(len(plan)) + plan
    ask = raw.channel.unary_stream("/spark.connect.SparkConnectService/ExecutePlan")
    try:
        assert len(list(ask(request, timeout=60))) > 0
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INTERNAL and "INVALID_PLAN" in error.details()
    assert raw.config().pairs


def seeds(raw):
    """A good request of each method."""
    pb2, head = raw.pb2, raw.head()
    execute = pb2.ExecutePlanRequest(plan=raw.range_plan(3), tags=["t"], **head)
    analyze = pb2.AnalyzePlanRequest(**head)
    analyze.schema.plan.CopyFrom(raw.range_plan(3))
    config = pb2.ConfigRequest(**head)
    config.operation.get.keys.append("spark.sql.ansi.enabled")
    artifacts = pb2.AddArtifactsRequest(**head)
    artifacts.batch.artifacts.add(name="cache/x").data.data = b"12345"
    return [
        ("ExecutePlan", execute),
        ("AnalyzePlan", analyze),
        ("Config", config),
        ("AddArtifacts", artifacts),
        ("ArtifactStatus", pb2.ArtifactStatusesRequest(names=["cache/x"], **head)),
        ("Interrupt", pb2.InterruptRequest(interrupt_type=1, **head)),
        ("ReattachExecute", pb2.ReattachExecuteRequest(operation_id=raw.session_id, **head)),
        ("ReleaseExecute", pb2.ReleaseExecuteRequest(operation_id=raw.session_id, **head)),
        ("FetchErrorDetails", pb2.FetchErrorDetailsRequest(error_id="x", **head)),
        ("GetStatus", pb2.GetStatusRequest(**head)),
        ("CloneSession", pb2.CloneSessionRequest(**head)),
    ]


def test_mutated_requests(raw):
    """Bits flipped, bytes cut and doubled: errors or answers, never more."""
    rng = random.Random(4)
    allowed = {
        grpc.StatusCode.OK,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    }
    for round_number in range(60):
        for method, request in seeds(raw):
            data = bytearray(request.SerializeToString())
            for _ in range(rng.randrange(1, 5)):
                at = rng.randrange(len(data))
                what = rng.randrange(4)
                if what == 0:
                    data[at] ^= 1 << rng.randrange(8)
                elif what == 1:
                    del data[at : at + rng.randrange(1, 9)]
                elif what == 2:
                    data[at:at] = data[at : at + rng.randrange(1, 20)]
                else:
                    data[at] = rng.randrange(256)
                if not data:
                    data = bytearray(b"\x00")
            code = code_of(lambda m=method, d=data: raw.call(m, bytes(d), timeout=3))
            assert code in allowed or code == grpc.StatusCode.UNKNOWN, (round_number, method)
    assert raw.config().pairs


@pytest.mark.parametrize(
    "first", [("te", "x"), (":scheme", "x"), ("grpclb_client_stats", "x"), ("x-bin", "!!!")]
)
def test_headers_that_are_wrong_and_long(master, raw, first):
    """Known ways to end a gRPC process or its connections by headers (CVE-2023-1428, CVE-2023-32732)."""
    raw.config()
    name, value = first
    fields = [pair for pair in COMMON if pair[0] != name] + [first]
    fields += [(f"x-{i}", "y" * 100) for i in range(300)]
    block = b"".join(literal(*field) for field in sorted(fields, key=lambda f: f[0][0] != ":"))
    s = http2(master.port)
    s.settimeout(2)
    try:
        s.sendall(frame(HEADERS, 0, 1, block[:16000]))
        s.sendall(frame(CONTINUATION, 0, 1, block[16000:32000]))
        s.sendall(frame(CONTINUATION, END_HEADERS, 1, block[32000:]))
        while s.recv(65536):
            pass
    except OSError:
        pass  # the server has closed it: as good
    s.close()
    assert master.process.poll() is None
    other = Raw(master.port)
    assert other.config().pairs
    other.close()


def test_secrets_are_in_no_environment(make_cluster_of_secrets):
    """Neither children, which run users' functions, nor /proc/PID/environ show them."""
    cluster, secrets = make_cluster_of_secrets
    seen = cluster.session("client-token-1")
    seen.conf.set("nbaspark.cluster.minRows", "1")

    def look(_):
        parent = open(f"/proc/{os.getppid()}/environ", "rb").read().decode("latin-1")
        return " ".join(os.environ.values()) + parent

    looked = F.udf(look, "string")
    texts = [row[0] for row in seen.range(2).select(looked("id")).collect()]
    texts += [
        row[0] for row in seen.range(0, 8, 1, 4).repartition(2).select(looked("id")).collect()
    ]
    seen.stop()
    for process in cluster.processes:
        texts.append(Path(f"/proc/{process.pid}/environ").read_bytes().decode("latin-1"))
        texts.append(process.log.read_text())
    for secret in secrets:
        assert not [text for text in texts if secret in text], secret


@pytest.fixture
def make_cluster_of_secrets(tmp_path):
    """A master and a worker that got three secrets by variables."""
    secrets = ["client-token-1", "process-secret-2", "ui-token-3"]
    names = ["SPARK_CONNECT_AUTHENTICATE_TOKEN", "SPARK_AUTHENTICATE_SECRET", "NBASPARK_UI_TOKEN"]
    cluster = Cluster(tmp_path, env=dict(zip(names, secrets, strict=True)))
    cluster.add()
    yield cluster, secrets
    cluster.stop()
