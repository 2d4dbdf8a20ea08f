# SPDX-License-Identifier: Apache-2.0
"""What all suites of queries share: the peers' environments, one process per engine in turn, rows compared, numbers shown and saved.

A suite (weblog, tpch, …) is a name, tables and queries. `measure` runs nbaspark and the peers one after the other, each in a process of its own
with an environment that is made from PyPI when it is not there, compares all rows with DuckDB's of the same run, prints seconds, ratios and peaks,
and writes benchmarks/results/<name>.json and docs/performance.md when asked to save.

    suite = Suite("weblog", "Web log", tables, queries)
    engines.main(suite_of, __doc__)     # the command line of a script
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = Path(os.environ.get("NBASPARK_BENCH_DATA", ROOT / "build" / "bench"))
RESULTS = ROOT / "benchmarks" / "results"
# What each environment holds. TPC-H's texts come from the last wheel of DuckDB that carries its extension: later ones fetch it from a server.
PACKAGES = {
    "tools": ["tpchgen-cli==4.0.0", "duckdb==1.2.2"],
    "duckdb": ["duckdb>=2.0", "pytz"],
    "datafusion": ["datafusion", "pyarrow"],
    "polars": ["polars"],
    "pysail": ["pysail", "pyspark-client==4.1.0", "pandas<3"],
    "pyspark": ["pyspark[ml]==4.2.0"],
}
SPARK_LIKE = ("nbaspark", "pysail", "pyspark")
# An environment holds all that it needs. A path of other packages would let pip believe that they are in it, and then not be there.
CLEAN = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

# A query is its text, or its text per engine: "spark" for those with Spark's dialect, a name for a peer, "" for all others. A peer without one skips it.
Query = str | dict[str, str]


@dataclass
class Suite:
    name: str
    title: str
    tables: dict[str, dict]
    queries: dict[str, Query]
    about: str = ""
    more: dict = field(default_factory=dict)

    def texts(self, engine: str, wanted: list[str]) -> dict[str, str]:
        """Give the queries in an engine's dialect, without those that it has none of."""
        made = {}
        for number, query in self.queries.items():
            if wanted and number not in wanted:
                continue
            if isinstance(query, dict):
                shared = query.get("spark" if engine in SPARK_LIKE else "")
                query = query.get(engine, shared)  # type: ignore[assignment]
            if query is not None:
                made[number] = query
        return made  # type: ignore[return-value]


def environment(name: str) -> Path:
    """Return the interpreter of an environment; one that is not there, or was not finished, is made."""
    if name == "nbaspark":
        return Path(sys.executable)
    folder = PLACE / f"env-{name}"
    stamp = folder / "complete"
    wanted = "\n".join(PACKAGES[name])
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"making the environment of {name}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, env=CLEAN)
        install = [folder / "bin" / "python", "-m", "pip", "install", "-q", *PACKAGES[name]]
        subprocess.run(install, check=True, env=CLEAN)
        stamp.write_text(wanted)
    return folder / "bin" / "python"


def tpchgen(form: str, scale: str, folder: Path, *more: str) -> None:
    """Write tables of TPC-H; `form` is parquet or csv."""
    tool = environment("tools").with_name("tpchgen-cli")
    folder.mkdir(parents=True, exist_ok=True)
    command = [tool, form, "-s", scale, "--output-dir", folder, *more]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def same_value(a: object, b: object) -> bool:
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b or abs(a - b) <= 1e-6 * max(abs(a), abs(b)) + 1e-6
    return a == b


def same_rows(ours: list[list], theirs: list[list]) -> bool:
    """Are the rows the same, up to the order of rows that ORDER BY leaves open?"""
    if len(ours) != len(theirs):
        return False

    def key(row: list) -> list:
        return [(v is None, "" if isinstance(v, float) else str(v)) for v in row]

    def equal(a: list[list], b: list[list]) -> bool:
        return all(len(x) == len(y) and all(map(same_value, x, y)) for x, y in zip(a, b))

    return equal(ours, theirs) or equal(sorted(ours, key=key), sorted(theirs, key=key))


def run_engine(
    name: str, tables: dict[str, dict], queries: dict[str, str], threads: int, repeat: int
) -> dict | None:
    asked, answer = PLACE / f"asked-{os.getpid()}.json", PLACE / f"answer-{os.getpid()}.json"
    request = {"tables": tables, "queries": queries, "threads": threads, "repeat": repeat}
    asked.write_text(json.dumps(request))
    limits = ("RAYON_NUM_THREADS", "TOKIO_WORKER_THREADS", "POLARS_MAX_THREADS")
    env = {**CLEAN, **dict.fromkeys(limits, str(threads))}
    command = [environment(name), ROOT / "benchmarks" / "engine_process.py", name, asked, answer]
    done = subprocess.run(command, env=env, stderr=subprocess.PIPE, text=True)
    result = None
    if done.returncode == 0 and answer.exists():
        result = json.loads(answer.read_text())
    else:
        print(f"{name} ended with {done.returncode}\n{done.stderr[-2000:]}")
    asked.unlink()
    answer.unlink(missing_ok=True)
    return result


def merge(into: dict | None, new: dict) -> dict:
    """Put the runs of a further round behind those before."""
    if into is None:
        return new
    into["peak_mib"] = max(into["peak_mib"], new["peak_mib"])
    for number, entry in new["queries"].items():
        into["queries"][number]["wall"] += entry["wall"]
        into["queries"][number]["cpu"] += entry["cpu"]
    return into


def geometric_mean(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def compare(engines: dict[str, dict], reference: str) -> bool:
    """Compare all rows with the reference's; are all of nbaspark's there and right?"""
    right = True
    for name, made in engines.items():
        for number, entry in made["queries"].items():
            expected = engines[reference]["queries"].get(number, {}).get("rows")
            if "rows" in entry and expected is not None:
                entry["same_rows"] = same_rows(entry["rows"], expected)
                if not entry["same_rows"]:
                    print(f"{name}: query {number} differs from {reference}")
            right &= name != "nbaspark" or entry.get("same_rows", False)
    return right


def best_of(made: dict, key: str) -> dict[str, float]:
    return {q: min(e[key]) for q, e in made["queries"].items() if e[key] and "error" not in e}


def show(engines: dict[str, dict]) -> None:
    ours, *peers = engines
    wall = {n: best_of(made, "wall") for n, made in engines.items()}
    cpu = {n: best_of(made, "cpu") for n, made in engines.items()}
    print("wall seconds, then CPU seconds of all threads, then ours divided by theirs: wall, CPU")
    print(f"{'query':>12}" + "".join(f"{n:>18}" for n in engines) + "   " + ", ".join(peers))
    for q in engines[ours]["queries"]:
        line = f"{q:>12}"
        for n in engines:
            line += f"{wall[n][q]:10.3f}{cpu[n][q]:8.3f}" if q in wall[n] else f"{'-':>18}"
        for n in peers:
            both = q in wall[ours] and q in wall[n] and cpu[n][q] > 0
            line += (
                f"{wall[ours][q] / wall[n][q]:8.2f}{cpu[ours][q] / cpu[n][q]:6.2f}"
                if both
                else f"{'-':>14}"
            )
        error = engines[ours]["queries"][q].get("error", "")
        print(line + (f"  {error}" if error else ""))
    for title, of in (("total", sum), ("geo.", geometric_mean)):
        print(
            f"{title:>12}"
            + "".join(
                f"{of(list(wall[n].values())):10.3f}{of([v for v in cpu[n].values() if v]):8.3f}"
                for n in engines
            )
        )
    print(f"{'MiB':>12}" + "".join(f"{engines[n]['peak_mib']:10.0f}{'':8}" for n in engines))
    for n in peers:
        shared = [q for q in wall[n] if q in wall[ours] and cpu[n][q] > 0 and cpu[ours][q] > 0]
        print(
            f"geometric mean of the ratios to {n}: wall {geometric_mean([wall[ours][q] / wall[n][q] for q in shared]):.3f}, "
            f"CPU {geometric_mean([cpu[ours][q] / cpu[n][q] for q in shared]):.3f} ({len(shared)} queries)"
        )
        for q, entry in engines[n]["queries"].items():
            if "error" in entry:
                print(f"{n}: query {q}: {entry['error'][:160]}")


def save(suite: Suite, engines: dict[str, dict], threads: int) -> None:
    import performance_page

    cpu = next((x.split(":")[1].strip() for x in open("/proc/cpuinfo") if x.startswith("model name")), "")  # fmt: skip
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    for made in engines.values():
        for entry in made["queries"].values():
            entry.pop("rows", None)
            entry["wall"] = [round(v, 4) for v in entry["wall"]]
            entry["cpu"] = [round(v, 4) for v in entry["cpu"]]
    head = {
        "title": suite.title,
        "about": suite.about,
        "threads": threads,
        "load": round(os.getloadavg()[1], 1),
        "machine": {"cpu": cpu, "cores": os.cpu_count(), "system": platform.platform()},
        "python": platform.python_version(),
        "commit": commit.stdout.strip(),
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{suite.name}.json"
    path.write_text(json.dumps({**head, "engines": engines, **suite.more}, indent=1) + "\n")
    performance_page.write()


def measure(suite: Suite, given: argparse.Namespace) -> bool:
    """Run a suite; are all of nbaspark's rows there and DuckDB's?"""
    names = ["nbaspark", *filter(None, given.peers.split(","))]
    for name in names:
        environment(name)
    wanted = [q for q in given.queries.split(",") if q]
    engines: dict[str, dict] = {}
    for _ in range(given.rounds):
        for name in names:
            texts = suite.texts(name, wanted)
            made = run_engine(name, suite.tables, texts, given.threads, given.repeat)
            if made:
                engines[name] = merge(engines.get(name), made)
    if "nbaspark" not in engines:
        return False
    right = "duckdb" not in engines or compare(engines, "duckdb")
    show(engines)
    if given.save:
        save(suite, engines, given.threads)
    return right


def arguments(about: str, peers: str) -> argparse.ArgumentParser:
    """The options that all suites have."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--peers", default=peers)
    parser.add_argument("--queries", default="", help="names, by commas")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3, help="runs of a query in a process")
    parser.add_argument("--rounds", type=int, default=1, help="processes per engine, in turn")
    parser.add_argument("--save", action="store_true")
    return parser


def main(make: Callable[[argparse.Namespace], Suite], parser: argparse.ArgumentParser) -> None:
    given = parser.parse_args()
    if not measure(make(given), given):
        sys.exit("rows of nbaspark differ from DuckDB's, or are missing")
