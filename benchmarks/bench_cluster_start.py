# SPDX-License-Identifier: Apache-2.0
"""Processes of a cluster: when they answer, what they hold, a whole job; the history server on many and on large logs.

Usage: ./dev bench bench_cluster_start
NBASPARK_BENCH_SPARK names a pyspark package with its jars (…/site-packages/pyspark), for Spark standalone beside the job.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from harness import RUNS, Report

ROOT = Path(__file__).resolve().parent.parent
DAEMON = ROOT / "build" / "release" / "nbasparkd"
JOB = ROOT / "jobs" / "customer_segmentation.py"
DATA = ROOT / "jobs" / "data" / "clientes_demo.csv"
SPARK = os.environ.get("NBASPARK_BENCH_SPARK", "")

sys.path[:0] = [str(ROOT / "tests" / "ui"), str(ROOT / "tests" / "cluster")]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(ask, seconds=60, pause=0.0005):
    """Ask until there is an answer; return when that was."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if ask():
                return time.perf_counter()
        except OSError:
            pass
        time.sleep(pause)
    raise RuntimeError("no answer")


def fetch(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return answer.read()


def resident(pid: int, what: str = "VmRSS") -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    return 0.0


class Processes:
    """Those of one cluster on free ports."""

    def __init__(self, folder: Path):
        self.folder, self.all = folder, []
        self.port, self.ui = free_port(), free_port()

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [str(DAEMON), *map(str, arguments)],
            stderr=(self.folder / f"{len(self.all)}.log").open("w"),
            env={**os.environ, "SPARK_LOCAL_DIRS": str(self.folder)},
        )
        self.all.append(process)
        return process

    def master(self) -> subprocess.Popen[bytes]:
        ports = ("--port", self.port, "--connect-port", 0, "--webui-port", self.ui)
        return self.start("master", *ports)

    def worker(self) -> subprocess.Popen[bytes]:
        more = ("--cores", 1, "--memory", "512m", "--webui-port", 0)
        return self.start("worker", f"spark://127.0.0.1:{self.port}", *more)

    def wait_for_workers(self, n: int) -> float:
        return until(lambda: len(json.loads(fetch(self.ui, "/api/v1/workers"))) == n)

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        stop(self.all)


def stop(processes: list) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(30)


def start_once(folder: Path) -> tuple[float, float, float, float]:
    with Processes(folder) as cluster:
        began = time.perf_counter()
        master = cluster.master()
        answers = until(lambda: fetch(cluster.ui, "/health")) - began
        began = time.perf_counter()
        worker = cluster.worker()
        joins = cluster.wait_for_workers(1) - began
        time.sleep(0.5)
        return answers, joins, resident(master.pid), resident(worker.pid)


def start_times(report: Report) -> None:
    all_of = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            all_of.append(start_once(Path(folder)))
    answers, joins, master, worker = (statistics.median(x) for x in zip(*all_of))
    report.add("master answers (peer: its limit)", answers, "0.05 s", 0.05)
    report.add("worker is registered (peer: its limit)", joins, "0.1 s", 0.1)
    print(f"idle MiB: master {master:.0f}, worker {worker:.0f} (limit 40)")


def job_once(folder: Path) -> float:
    out = folder / "out"
    with Processes(folder) as cluster:
        began = time.perf_counter()
        cluster.master()
        for _ in range(3):
            cluster.worker()
        cluster.wait_for_workers(3)
        url = f"spark://127.0.0.1:{cluster.port}"
        submit = [str(Path(sys.executable).parent / "nbaspark-submit"), "--master", url]
        subprocess.run([*submit, str(JOB), str(DATA), str(out)], check=True)
        took = time.perf_counter() - began
        assert (out / "_SUCCESS").exists()
        return took


def whole_job(report: Report) -> None:
    ours = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            ours.append(job_once(Path(folder)))
    peer = standalone() if SPARK else float("nan")
    report.add("3 workers up, customer job done", statistics.median(ours), "Spark standalone", peer)


def standalone() -> float:
    """The same on Spark: a master, three workers, the job by spark-submit. Once: it takes long."""
    from spark_standalone import Standalone

    with tempfile.TemporaryDirectory() as folder:
        job, out = Path(folder) / "job.py", Path(folder) / "out"
        job.write_text(JOB.read_text().replace("nbaspark", "pyspark"))
        began = time.perf_counter()
        cluster = Standalone(SPARK, folder, 3)
        try:
            cluster.submit(job, DATA, out)
            assert (out / "_SUCCESS").exists()
            return time.perf_counter() - began
        finally:
            cluster.stop()


APPS = "/api/v1/applications"


def listed(folder: Path) -> float:
    from make_log import lines

    logs = folder / "many"
    logs.mkdir()
    for i in range(1000):
        name = f"app-{i:06}"
        text = "\n".join(lines(jobs=1, tasks=2, name=name, app_id=name))
        (logs / name).write_text(text + "\n")
    port, times = free_port(), []
    with Processes(folder) as cluster:
        cluster.start("history", "--dir", logs, "--port", port)
        until(lambda: fetch(port, APPS).count(b'"id"') >= 1000, pause=0.05)
        for _ in range(RUNS):
            began = time.perf_counter()
            fetch(port, APPS)
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def large_log(logs: Path) -> int:
    from make_log import lines

    logs.mkdir()
    with (logs / "large").open("w") as out:
        for line in lines(jobs=700, tasks=1000, name="large", app_id="large"):
            out.write(line + "\n")
            if out.tell() > 1_000_000_000:
                break
    return (logs / "large").stat().st_size


def open_once(folder: Path, logs: Path) -> tuple[float, float]:
    port = free_port()
    with Processes(folder) as cluster:
        began = time.perf_counter()
        process = cluster.start("history", "--dir", logs, "--port", port)
        path = APPS + "/large/stages"
        took = until(lambda: fetch(port, path)[:1] == b"[", pause=0.02) - began
        return took, resident(process.pid, "VmHWM")


def history(report: Report) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report.add("1,000 applications listed (peer: limit)", listed(folder), "0.2 s", 0.2)
        size = large_log(folder / "large")
        runs = [open_once(folder, folder / "large") for _ in range(min(RUNS, 3))]
        seconds, peak = statistics.median(r[0] for r in runs), max(r[1] for r in runs)
        text = f"a log of {size / 1e9:.2f} GB opened (peer: limit)"
        report.add(text, seconds, "5 s", 5, mib=peak)
        print(f"peak MiB: {peak:.0f} (limit 300)")


def main() -> None:
    report = Report("cluster_start")
    start_times(report)
    whole_job(report)
    history(report)
    report.save()


if __name__ == "__main__":
    main()
