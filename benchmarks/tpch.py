# SPDX-License-Identifier: Apache-2.0
"""TPC-H over Parquet files, beside other engines: ./dev bench tpch --sf 1 --peers duckdb,datafusion,pysail,pyspark

Makes the data (tpchgen-cli) and each peer's environment under build/bench, runs one process per engine in turn, compares all rows with DuckDB's
of the same run, and prints seconds, ratios and peaks. Query texts come from DuckDB's tpch_queries() at run time. With --save the numbers go to
benchmarks/results/tpch_sf<SF>.json and docs/performance.md is made anew from all such files.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = Path(os.environ.get("NBASPARK_BENCH_DATA", ROOT / "build" / "bench"))
RESULTS = ROOT / "benchmarks" / "results"
# What each environment holds. The texts come from the last wheel of DuckDB that carries its TPC-H extension: later ones fetch it from a server.
PACKAGES = {
    "tools": ["tpchgen-cli==4.0.0", "duckdb==1.2.2"],
    "duckdb": ["duckdb>=2.0", "pytz"],
    "datafusion": ["datafusion", "pyarrow"],
    "pysail": ["pysail", "pyspark-client==4.1.0", "pandas<3"],
    "pyspark": ["pyspark[ml]==4.2.0"],
}
TEXTS = (
    "import duckdb, json, sys; "
    "rows = duckdb.sql('select query_nr, query from tpch_queries()').fetchall(); "
    "json.dump({str(n): q.strip().rstrip(';') for n, q in rows}, open(sys.argv[1], 'w'))"
)


# Environments hold all that they need; a path for the benchmarks' own peers would bring other versions in.
CLEAN = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}


def environment(name: str) -> Path:
    """Return the interpreter of an environment, made when it is not there."""
    if name == "nbaspark":
        return Path(sys.executable)
    folder = PLACE / f"env-{name}"
    stamp = folder / "packages"
    wanted = "\n".join(PACKAGES[name])
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"making the environment of {name}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "-q", *PACKAGES[name]], check=True)
        stamp.write_text(wanted)
    return folder / "bin" / "python"


def data(scale: str) -> Path:
    folder = PLACE / f"tpch-sf{scale}"
    if not (folder / "complete").exists():
        tool = environment("tools").with_name("tpchgen-cli")
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [tool, "parquet", "-s", scale, "--output-dir", folder],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        (folder / "complete").touch()
    return folder


def texts(wanted: list[str]) -> dict[str, str]:
    path = PLACE / "tpch-queries.json"
    if not path.exists():
        PLACE.mkdir(parents=True, exist_ok=True)
        subprocess.run([environment("tools"), "-c", TEXTS, path], check=True, env=CLEAN)
    queries = json.loads(path.read_text())
    return {n: queries[n] for n in wanted or sorted(queries, key=int)}


def same_value(a: object, b: object) -> bool:
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) <= 1e-6 * max(abs(a), abs(b)) + 1e-6
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
    name: str, folder: Path, queries: dict[str, str], threads: int, repeat: int
) -> dict | None:
    asked, answer = PLACE / f"asked-{os.getpid()}.json", PLACE / f"answer-{os.getpid()}.json"
    asked.write_text(json.dumps(queries))
    env = {**CLEAN, "RAYON_NUM_THREADS": str(threads), "TOKIO_WORKER_THREADS": str(threads)}
    command = [environment(name), ROOT / "benchmarks" / "tpch_engine.py", name, folder]
    command += [str(threads), str(repeat), asked, answer]
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
    right = True
    for name, made in engines.items():
        for number, entry in made["queries"].items():
            expected = engines[reference]["queries"][number].get("rows")
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
    print("query" + "".join(f"{n:>18}" for n in engines) + "   " + ", ".join(peers))
    for q in engines[ours]["queries"]:
        line = f"{q:>5}"
        for n in engines:
            line += f"{wall[n][q]:10.3f}{cpu[n][q]:8.3f}" if q in wall[n] else f"{'-':>18}"
        for n in peers:
            both = q in wall[ours] and q in wall[n]
            line += (
                f"{wall[ours][q] / wall[n][q]:8.2f}{cpu[ours][q] / cpu[n][q]:6.2f}" if both else "-"
            )
        error = engines[ours]["queries"][q].get("error", "")
        print(line + (f"  {error}" if error else ""))
    for title, of in (("total", sum), ("geo.", geometric_mean)):
        print(
            f"{title:5}"
            + "".join(
                f"{of(list(wall[n].values())):10.3f}{of(list(cpu[n].values())):8.3f}"
                for n in engines
            )
        )
    print("MiB  " + "".join(f"{engines[n]['peak_mib']:10.0f}{'':8}" for n in engines))
    for n in peers:
        shared = [q for q in wall[n] if q in wall[ours]]
        print(
            f"geometric mean of the ratios to {n}: wall {geometric_mean([wall[ours][q] / wall[n][q] for q in shared]):.3f}, "
            f"CPU {geometric_mean([cpu[ours][q] / cpu[n][q] for q in shared]):.3f} ({len(shared)} queries)"
        )


def save(scale: str, engines: dict[str, dict], threads: int) -> None:
    import performance_page
    import profile_query

    cpu = next((x.split(":")[1].strip() for x in open("/proc/cpuinfo") if x.startswith("model name")), "")  # fmt: skip
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    for made in engines.values():
        for entry in made["queries"].values():
            entry.pop("rows", None)
            entry["wall"] = [round(v, 4) for v in entry["wall"]]
            entry["cpu"] = [round(v, 4) for v in entry["cpu"]]
    head = {
        "scale": scale,
        "threads": threads,
        "load": round(os.getloadavg()[1], 1),
        "machine": {"cpu": cpu, "cores": os.cpu_count(), "system": platform.platform()},
        "python": platform.python_version(),
        "commit": commit.stdout.strip(),
    }
    budget = {q: profile_query.budget(q, data(scale)) for q in engines["nbaspark"]["queries"]}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"tpch_sf{scale}.json"
    path.write_text(json.dumps({**head, "engines": engines, "budget": budget}, indent=1) + "\n")
    performance_page.write()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sf", default="1")
    parser.add_argument("--peers", default="duckdb")
    parser.add_argument("--queries", default="", help="numbers, by commas")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3, help="runs of a query in a process")
    parser.add_argument("--rounds", type=int, default=1, help="processes per engine, in turn")
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    names = ["nbaspark", *filter(None, given.peers.split(","))]
    queries = texts([q for q in given.queries.split(",") if q])
    folder = data(given.sf)
    for name in names:
        environment(name)
    engines: dict[str, dict] = {}
    for _ in range(given.rounds):
        for name in names:
            made = run_engine(name, folder, queries, given.threads, given.repeat)
            if made:
                engines[name] = merge(engines.get(name), made)
    right = "duckdb" not in engines or compare(engines, "duckdb")
    show(engines)
    if given.save:
        save(given.sf, engines, given.threads)
    if not right:
        sys.exit("rows of nbaspark differ from DuckDB's, or are missing")


if __name__ == "__main__":
    main()
