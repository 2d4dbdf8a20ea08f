# SPDX-License-Identifier: Apache-2.0
"""Writes docs/performance.md, with a chart per suite, from the files that engines.py wrote into benchmarks/results."""

from __future__ import annotations

import json
import math
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"
TITLES = {
    "nbaspark": "nbaspark",
    "duckdb": "DuckDB",
    "datafusion": "DataFusion",
    "polars": "polars",
    "pysail": "LakeSail",
    "pyspark": "Spark",
}
SUITES = ("weblog", "groupby_join", "star", "csv", "json")
INTRO = """<!-- written by benchmarks/performance_page.py from benchmarks/results -->

# Performance

Queries over the same files, one process per engine, in turn, page cache warm. A cell is the best wall time of all runs in seconds; *ratio* is ours
divided by DuckDB's, so below 1 is faster. Every run compares all rows with DuckDB's; an engine whose rows differ, or that refuses a query, has no
time. *CPU* is user and system time of all threads, ours and DuckDB's, in the best run: on a machine that others use as well it is the steadier
measure. All of it is made by

    ./dev bench suites --save

and one suite by `./dev bench tpch --sf 1 --peers duckdb,datafusion,pysail,pyspark --save`, `./dev bench bench_weblog --save`, and so on.
`./dev profile 6` and `./dev profile weblog:13` show where the time of a query goes.
"""


def best(made: dict, query: str, key: str = "wall") -> float | None:
    entry = made["queries"].get(query, {})
    wrong = "error" in entry or entry.get("same_rows") is False
    return None if wrong or not entry.get(key) else min(entry[key])


def geometric_mean(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def chart(given: dict, path: Path) -> None:
    """Draw a bar per query: our time divided by DuckDB's, on a logarithmic axis."""
    engines = given["engines"]
    ratios = []
    for query in engines["duckdb"]["queries"]:
        ours, theirs = best(engines["nbaspark"], query), best(engines["duckdb"], query)
        if ours and theirs:
            ratios.append((query, ours / theirs))
    left, width, height, step = 46, 30, 220, 28
    full = left + step * len(ratios) + 16
    low, high = math.log2(0.125), math.log2(8)

    def y(ratio: float) -> float:
        at = (min(max(math.log2(ratio), low), high) - low) / (high - low)
        return 14 + height * (1 - at)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{full}" height="{height + 52}" font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for tick in (0.125, 0.25, 0.5, 1, 2, 4, 8):
        dark = "#444" if tick == 1 else "#ddd"
        parts.append(
            f'<line x1="{left}" x2="{full - 8}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="{dark}"/>'
            f'<text x="{left - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        )
    for i, (query, ratio) in enumerate(ratios):
        top, bottom = min(y(ratio), y(1)), max(y(ratio), y(1))
        color = "#2a7f4f" if ratio < 1 else "#b5482a"
        x = left + i * step + (step - width * 0.6) / 2
        label = query if len(query) < 5 else f"{i + 1}."
        parts.append(
            f'<rect x="{x:.1f}" y="{top:.1f}" width="{width * 0.6:.1f}" height="{max(bottom - top, 1):.1f}" fill="{color}"/>'
            f'<text x="{x + width * 0.3:.1f}" y="{height + 30}" text-anchor="middle">{label}</text>'
        )
    parts.append(
        f'<text x="{left}" y="{height + 46}">{given["title"]}: nbaspark / DuckDB, below 1 is faster</text></svg>'
    )
    path.write_text("\n".join(parts) + "\n")


def section(given: dict, stem: str) -> list[str]:
    engines = given["engines"]
    names = [n for n in TITLES if n in engines]
    machine = given["machine"]
    versions = ", ".join(f"{TITLES[n]} {engines[n]['version']}" for n in names)
    lines = [
        f"\n## {given['title']}\n",
        *([given["about"] + "\n"] if given.get("about") else []),
        f"{given['threads']} threads, {machine['cores']} cores ({machine['cpu']}); {versions}; commit {given['commit']}; load average of the machine {given['load']}.\n",
    ]
    if given["load"] > 2 * machine["cores"]:
        lines.append(
            "Other work kept the machine busy during this run: wall times say little, CPU times are to be compared.\n"
        )
    if "duckdb" in engines:
        chart(given, PAGE.with_name(f"performance_{stem}.svg"))
        lines.append(f"![ratios to DuckDB](performance_{stem}.svg)\n")
    head = ["query", *(TITLES[n] for n in names), "ratio", "CPU", "DuckDB's CPU", "ratio"]
    lines.append("| " + " | ".join(head) + " |")
    lines.append("|---|" + "---|" * (len(head) - 1))
    cpu_ratios = []
    columns: dict[str, list[float]] = {n: [] for n in names}
    ratios = []
    for query in engines["nbaspark"]["queries"]:
        times = {n: best(engines[n], query) for n in names}
        cells = [f"{t:.3f}" if t else "–" for t in times.values()]
        for n, t in times.items():
            if t:
                columns[n].append(t)
        ours, theirs = times["nbaspark"], times.get("duckdb")
        ratios += [ours / theirs] if ours and theirs else []
        cells.append(f"{ours / theirs:.2f}" if ours and theirs else "–")
        cpu = best(engines["nbaspark"], query, "cpu")
        peer = best(engines["duckdb"], query, "cpu") if "duckdb" in engines else None
        cpu_ratios += [cpu / peer] if cpu and peer else []
        cells += [f"{v:.3f}" if v else "–" for v in (cpu, peer)]
        cells.append(f"{cpu / peer:.2f}" if cpu and peer else "–")
        lines.append(f"| {query} | " + " | ".join(cells) + " |")
    for title, value in (
        ("total", lambda n: f"{sum(columns[n]):.2f}"),
        ("geometric mean", lambda n: f"{geometric_mean(columns[n]):.3f}"),
        ("peak MiB", lambda n: f"{engines[n]['peak_mib']:.0f}"),
    ):
        wall_ratio = cpu_ratio = ""
        if title == "geometric mean":
            wall_ratio, cpu_ratio = (f"**{geometric_mean(r):.2f}**" for r in (ratios, cpu_ratios))
        cells = [title, *(value(n) for n in names), wall_ratio, "", "", cpu_ratio]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def budget(given: dict) -> list[str]:
    """What each query cannot avoid, beside its time."""
    counts = given.get("budget")
    if not counts:
        return []
    lines = [
        f"\n### Budget of {given['title']}\n",
        "Counted by the engine (metrics of the event log) in one run: megabytes read from files, compressed as they are; thousands of rows that leave scans"
        " after filters and join keys, that are grouped, that go into tables of joins and that are looked up there; *CPU* of the best run.\n",
        "| query | MB read | scanned | grouped | built | probed | CPU ms | ns per row scanned, grouped or probed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for query, made in counts.items():
        cpu = best(given["engines"]["nbaspark"], query, "cpu") or math.nan
        rows = made["scanned"] + made["grouped"] + made["probed"]
        thousands = [f"{made[k] / 1e3:,.0f}" for k in ("scanned", "grouped", "built", "probed")]
        lines.append(
            f"| {query} | {made['bytes read'] / 1e6:.1f} | {' | '.join(thousands)} | {cpu * 1e3:.0f} | {cpu * 1e9 / max(rows, 1):.0f} |"
        )
    return lines


BOUNDS = """
### What bounds the queries of TPC-H

Measured by sampling (`./dev profile`) at scale 1. *Snappy* of dictionaries that have about one entry per row (l_extendedprice, l_partkey, orderkeys) is the largest
part of nearly all queries: 2 GB/s of output alone, 3 GB/s for two blocks in turn; a core waits for the place of the next element. Copying from the page
cache is next (14 GB/s), then unpacking of codes (10 values per ns), then what the query itself computes.

- Tried and kept: strides of a short literal and a copy in Snappy; two row groups in hand so that two blocks are always there; values unpacked four at a time;
  sums of few groups in 64 bits per batch; group keys of several dictionaries by their codes; equal aggregations computed once; memory of a query kept for the next.
- Tried and dropped: tables that grow fourfold (spilling queries then run out of their budget), a spare list without a bound on all memory (344 MiB at the peak).
- Query 18 groups 6 M rows into 1.5 M groups: cache misses in the table and clearing of fresh pages are half of it. Query 16 counts distinct suppliers for keys with long
  strings, which are hashed and compared three times on the way. Query 10 groups by seven columns, four of them strings.
"""


def write() -> None:
    lines = [INTRO]
    tpch = sorted(RESULTS.glob("tpch_sf*.json"), key=lambda p: float(p.stem[7:]))
    for path in (*tpch, *(RESULTS / f"{name}.json" for name in SUITES)):
        given = json.loads(path.read_text()) if path.exists() else {}
        if "engines" in given:
            given.setdefault("title", f"TPC-H at scale {given.get('scale')}")
            lines += section(given, path.stem) + budget(given)
        if tpch and path == tpch[-1]:
            lines.append(BOUNDS)
    PAGE.write_text("\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    write()
