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
# What a core does apart from queries: bytes per ns from the page cache and out of Snappy blocks in pairs, values per ns.
READ, UNPACK, DECODE = 14.0, 2.5, 2.0
# Benchmarks of single measurements, each with a peer or a limit: title, and what is to be known of it.
REPORTS = {
    "start": ("Whole processes", "From the start of Python to its end, MiB at the peak."),
    "engine": ("In memory", "10 M rows that are cached, two threads."),
    "parquet": (
        "Parquet written, and nested columns read",
        "TPC-H's lineitem at scale 1, read and written with the same codec; two million rows of lists and structs.",
    ),
    "write": (
        "CSV to files",
        "Processor seconds for TPC-H's lineitem at scale 1 from CSV, and MiB at the peak.",
    ),
    "spill": (
        "Within a quarter of the memory",
        "TPC-H's tables at scale 10; DuckDB has the same limit, which it does not count all of its memory to. MiB at the peak.",
    ),
    "kmeans": ("K-means", "Rows × columns, three groups."),
    "cluster_start": (
        "Cluster and history server",
        "Where there is no peer, beside the limit that we set us.",
    ),
    "remote": ("Through Spark Connect, on loopback", "Spark's own client on the same server."),
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
        "Counted by the engine (metrics of the event log) in one run: megabytes read from files, compressed as they are, and those that came out of"
        " decompressed pages (pages that are one literal are used where they lie, and not counted); thousands of values decoded, of rows that leave scans after"
        " filters and join keys, that are grouped, that go into tables of joins and that are looked up there; *CPU* of the best run. *Files* is what reading, decompressing"
        f" and decoding would take at {READ:.0f} GB/s, {UNPACK} GB/s and {DECODE:.0f} values per ns, as measured apart from queries; the rest is the query's own.\n",
        "| query | MB read | MB out | decoded | scanned | grouped | built | probed | CPU ms | files ms | ns per row scanned, grouped or probed |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for query, made in counts.items():
        cpu = best(given["engines"]["nbaspark"], query, "cpu") or math.nan
        rows = made["scanned"] + made["grouped"] + made["probed"]
        kinds = ("decoded", "scanned", "grouped", "built", "probed")
        thousands = [f"{made[k] / 1e3:,.0f}" if k in made else "–" for k in kinds]
        unpacked, floor = "–", "–"
        if "decompressed" in made:
            unpacked = f"{made['decompressed'] / 1e6:.1f}"
            ns = (
                made["bytes read"] / READ + made["decompressed"] / UNPACK + made["decoded"] / DECODE
            )
            floor = f"{ns / 1e6:.0f}"
        lines.append(
            f"| {query} | {made['bytes read'] / 1e6:.1f} | {unpacked} | {' | '.join(thousands)} | {cpu * 1e3:.0f} | {floor} | {cpu * 1e9 / max(rows, 1):.0f} |"
        )
    return lines


BOUNDS = """
### What bounds the queries of TPC-H

Measured by sampling (`./dev profile`) at scale 1. *Snappy* of dictionaries that have about one entry per row (l_extendedprice, l_partkey, orderkeys) is the largest
part of nearly all queries: 2 GB/s of output alone, 3 GB/s for two blocks in turn; a core waits for the place of the next element. Copying from the page
cache is next (14 GB/s), then unpacking of codes (10 values per ns), then what the query itself computes.

- Tried and kept: strides of a short literal and a copy in Snappy; two row groups in hand so that two blocks are always there, and two pages of texts; values
  unpacked four at a time; sums of few groups in 64 bits per batch; group keys of several dictionaries, and of integers of small ranges, by their codes; runs of
  equal keys looked up once; equal aggregations computed once; groups by a key that files are in order of (query 18: 1.5 M groups by l_orderkey) leave with
  their row group, without hashing or merging; texts searched 16 places at a time; texts of few values sorted by rank; memory of a query kept for the next.
- Tried and dropped: tables that grow fourfold (spilling queries then run out of their budget), a spare list without a bound on all memory (344 MiB at the peak).
- The least ahead is query 16: 118,000 rows of four keys, two of them strings, go through a table that finds what is distinct and one that counts, and 18,314 rows
  become Python's, on one thread, which is a sixth of it and as long in DuckDB. Numbers of groups in place of their keys in the first table would save about a quarter.
- Query 10 groups by seven columns, four of them strings; query 13 decompresses and searches all of o_comment; query 7 is bound by l_orderkey and l_suppkey of the third
  of lineitem that its dates leave.
"""

WEBLOG = """
### What bounds the queries of the web log

Measured by sampling, on a busy machine: processor time, the best of several runs, both sides in turn.

- *Distinct users and many groups* (5, 9, 10, 12, 16, 17, 36): two cache misses per row, overlapped by prefetching: about 17 ns each in tables of some 50 MB.
- *Nearly unique keys* (14, 19, 33): tables grow as the rows do. Kept: their rows are put aside in waves by ranges of the hash, and equal keys meet range by range
  in a table that fits into the cache (query 33: 0.5 of the processor time before, 19: 0.6, 14: 0.8). Dropped: the same as soon as 60 % of the rows are new
  groups: where a key comes two or three times in all, each row is written and read once more, in pieces that are too short for the processor to fetch ahead: query 5
  took 1.6 times as long, 9 and 16 as well. So it begins when 97 % of the latest rows are new.
- *Characters of addresses* (28): counted 16 bytes at a time, whatever their alphabet, instead of character by character as soon as one is not ASCII: 1.15 of
  DuckDB's processor time before, 0.77 with it.
- *Addresses* (37, 39, 40): 570 MB come out of Snappy at about 2 GB/s, of which a filter then leaves 4 %; a view per string, also of rows that the filter has left out,
  is an eighth.
"""


def report(given: dict, title: str, about: str) -> list[str]:
    machine, seconds = given["machine"], ("seconds", "peer_seconds")
    lines = [
        f"\n## {title}\n",
        f"{about} Medians of {given['runs']} runs, seconds; {machine['cores']} cores ({machine['cpu']}); commit {given['commit']}.\n",
        "| what | nbaspark | peer | | ratio | MiB | peer's |",
        "|---|---|---|---|---|---|---|",
    ]
    for line in given["results"]:
        ours, peer = (line[k] for k in seconds)
        mib = [line.get(k, line.get(f"{k.removesuffix('mib')}peak_mib")) for k in ("mib", "peer_mib")]  # fmt: skip
        cells = [f"{m:.0f}" if m else "" for m in mib]
        lines.append(f"| {line['what']} | {ours:.4f} | {peer:.4f} | {line['peer']} | {ours / peer:.2f} | {' | '.join(cells)} |")  # fmt: skip
    return lines


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
        if path.stem == "weblog":
            lines.append(WEBLOG)
    for name, (title, about) in REPORTS.items():
        path = RESULTS / f"{name}.json"
        if path.exists():
            lines += report(json.loads(path.read_text()), title, about)
    PAGE.write_text("\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    write()
