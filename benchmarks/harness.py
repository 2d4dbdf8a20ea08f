# SPDX-License-Identifier: Apache-2.0
"""Times two sides in turn and prints medians.

Each measurement calls ours and the peer's function alternately, so that a machine whose speed drifts treats both alike;
results go to benchmarks/results/<name>.json with the machine and the versions.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

RUNS = int(os.environ.get("NBASPARK_BENCH_RUNS", "5"))
RESULTS = Path(__file__).resolve().parent / "results"


class Report:
    """Lines of `what, ours, peer, seconds`, printed as they come and saved at the end."""

    def __init__(self, name: str):
        self.name = name
        self.lines: list[dict[str, object]] = []
        print(f"{name}: medians of {RUNS} runs, seconds")
        print(f"{'':34}{'nbaspark':>10}{'peer':>10}{'ratio':>8}")

    def pair(
        self, what: str, ours: Callable[[], object], peer: Callable[[], object], peer_name: str
    ) -> None:
        """Measure two functions in turn; their results are not compared here."""
        times: tuple[list[float], list[float]] = ([], [])
        for side in (ours, peer):
            side()  # warm
        for _ in range(RUNS):
            for side, list_ in zip((ours, peer), times):
                start = time.perf_counter()
                side()
                list_.append(time.perf_counter() - start)
        self.add(what, statistics.median(times[0]), peer_name, statistics.median(times[1]))

    def add(
        self, what: str, seconds: float, peer_name: str, peer_seconds: float, **more: object
    ) -> None:
        print(
            f"{what:34}{seconds:10.3f}{peer_seconds:10.3f}{seconds / peer_seconds:8.2f}  {peer_name}",
            flush=True,
        )
        self.lines.append(
            {
                "what": what,
                "seconds": seconds,
                "peer": peer_name,
                "peer_seconds": peer_seconds,
                **more,
            }
        )

    def save(self) -> None:
        RESULTS.mkdir(exist_ok=True)
        cpu = next(
            (x.split(":")[1].strip() for x in open("/proc/cpuinfo") if x.startswith("model name")),
            "",
        )
        head = {
            "machine": {"cpu": cpu, "cores": os.cpu_count(), "system": platform.platform()},
            "python": platform.python_version(),
            "runs": RUNS,
            "commit": subprocess.run(
                ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True
            ).stdout.strip(),
        }
        text = json.dumps({**head, "results": self.lines}, indent=1)
        (RESULTS / f"{self.name}.json").write_text(text + "\n")


def process(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak MiB of a whole process, medians."""
    walls, peaks = [], []
    # As users have it: modules are compiled once, not in each process.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env)
        _, status, usage = os.wait4(child.pid, 0)
        walls.append(time.perf_counter() - start)
        peaks.append(usage.ru_maxrss / 1024)
        if status:
            sys.exit(f"{command} failed")
    return statistics.median(walls[1:]), statistics.median(peaks[1:])


def own_peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
