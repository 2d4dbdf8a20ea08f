# SPDX-License-Identifier: Apache-2.0
"""A session on nbasparkd over loopback: latency, results, many clients. Peer: Spark's own client on the same server.

Usage: ./dev bench bench_remote [sc://host:port]     (without a server, one is started)
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from harness import Report

ROOT = Path(__file__).resolve().parent.parent
DAEMON = ROOT / "build" / "release" / "nbasparkd"
ROWS = 10_000_000
CLIENTS = 100
PAUSE = 0.2  # seconds between two queries of a client that does something with the answers

# Run once per package, so that the two clients never share a process.
PART = """
import json, sys, time
package, remote, part = sys.argv[1:4]
if package == "nbaspark":
    from nbaspark.sql import SparkSession
else:
    from pyspark.sql import SparkSession
spark = SparkSession.builder.remote(remote).getOrCreate()
spark.range(3).collect()

def timed(f, n):
    out = []
    for _ in range(n):
        t = time.perf_counter()
        f()
        out.append(time.perf_counter() - t)
    return out

if part == "latency":
    timed(lambda: spark.range(3).collect(), 50)
    print(json.dumps(timed(lambda: spark.range(3).collect(), 300)))
elif part == "result":
    df = spark.range(0, %d).selectExpr("id", "id * 2 AS twice")
    assert df.toArrow().nbytes >= %d * 16
    print(json.dumps(timed(df.toArrow, 5)))
""" % (ROWS, ROWS)

# One process holds all clients; each has a session, and so a connection, of its own. Without a pause each asks again as soon as it has its answer
# (a closed loop: the time of a query is then what all queries together cost); with one, it waits for a random time of that mean.
MANY = """
import json, random, sys, threading, time
from nbaspark.sql import SparkSession
n, pause = int(sys.argv[2]), float(sys.argv[3])
sessions = [SparkSession.builder.remote(sys.argv[1]).create() for _ in range(n)]
times, errors = [], []
barrier = threading.Barrier(n)

def run(session):
    try:
        session.range(3).collect()
        barrier.wait()
        for _ in range(10):
            if pause:
                time.sleep(random.expovariate(1 / pause))
            t = time.perf_counter()
            session.range(3).collect()
            times.append(time.perf_counter() - t)
    except Exception as e:
        errors.append(repr(e))
        barrier.abort()

threads = [threading.Thread(target=run, args=(s,)) for s in sessions]
for t in threads: t.start()
for t in threads: t.join()
for s in sessions: s.stop()
print(json.dumps({"times": times, "errors": errors}))
"""


def run(code: str, *arguments: str):
    # A file, because Spark's client takes `python -c` for a run of its own tests.
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "part.py"
        script.write_text(code)
        command = [sys.executable, str(script), *arguments]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def start_server():
    command = [str(DAEMON), "master", "--port", "0", "--connect-port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        found = re.search(r"sc://[^,\s]+", line)
        if found:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return process, found.group()
    raise RuntimeError("nbasparkd did not start")


def main() -> None:
    process, remote = (None, sys.argv[1]) if len(sys.argv) > 1 else start_server()
    report = Report("remote")
    try:
        one, peer = (
            statistics.median(run(PART, package, remote, "latency"))
            for package in ("nbaspark", "pyspark")
        )
        report.add("range(3).collect() over loopback", one, "pyspark client", peer)
        rows, peer_rows = (
            statistics.median(run(PART, package, remote, "result"))
            for package in ("nbaspark", "pyspark")
        )
        report.add("toArrow of 10 M rows of two bigints", rows, "pyspark client", peer_rows)
        print(f"result: {ROWS * 16 / rows / 1e9:.2f} GB/s, peer {ROWS * 16 / peer_rows / 1e9:.2f}")
        for pause, what in ((0, "at once"), (PAUSE, f"pausing {PAUSE * 1000:.0f} ms")):
            many = run(MANY, remote, str(CLIENTS), str(pause))
            assert not many["errors"], many["errors"][:3]
            times = sorted(many["times"])
            p99 = times[len(times) * 99 // 100]
            report.add(f"{CLIENTS} clients {what}, p99 (peer: 20 × one)", p99, "limit", 20 * one)
            print(f"{CLIENTS} clients {what}: median {statistics.median(times) * 1e3:.1f} ms")
        report.save()
    finally:
        if process is not None:
            process.terminate()
            process.wait(20)


if __name__ == "__main__":
    main()
