# SPDX-License-Identifier: Apache-2.0
"""Queries within a limit of memory that is a fraction of what they work on, beside DuckDB with the same limit.

    bench_spill.py                  sort, join and aggregate of TPC-H's tables at scale 10 (--sf), each within a quarter of its working set
    bench_spill.py --rows 4 --limit 32      of so many million rows that are made up, within so many MiB

Each query runs in a process of its own with two threads, which reports its time and its peak of resident memory; both must give the same rows.
`--long` tests check the bound of memory (peak <= limit + 64 MiB).
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

import engines
import tpch
from harness import RUNS, Report

OURS = {
    "sort": "select count(*), max(s), min(k) from (select * from t order by k, s)",
    "join": "select count(*), max(t.s), max(u.s) from t join u on t.id = u.id",
    "aggregate": "select count(*), max(m) from (select id, max(s) m, sum(k) from t group by id)",
    "window": "select count(*), max(r) from (select *, row_number() over (partition by k order by id) r from t)",
}
# With limits in MiB per unit of scale: a quarter of the rows that are sorted, kept per group, or built into a table.
TPCH = {
    "sort": ("select l_orderkey, l_linenumber, l_comment from lineitem order by l_comment, l_orderkey, l_linenumber limit 5 offset {last}", 80),
    "aggregate": ("select count(*), max(s), max(c) from (select l_orderkey, l_partkey, sum(l_quantity) s, max(l_comment) c from lineitem group by l_orderkey, l_partkey)", 90),
    "join": ("select count(*), max(l_comment), max(o_comment) from lineitem join orders on l_orderkey = o_orderkey", 25),
}  # fmt: skip
TABLES = ("lineitem", "orders")


def peak_mib():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1024


def nbaspark(given):
    from nbaspark.sql import SparkSession

    limit = f"{given['limit']}m"
    builder = SparkSession.builder.master("local[2]").config("spark.memory.limit", limit)
    spark = builder.getOrCreate()
    rows = given["rows"]
    text = f"""select id, id * 7919 % 1000003 k, concat('payload number ', cast(id * 31 % {rows} as string)) s
               from range({rows})"""
    for name in TABLES:
        spark.read.parquet(f"{given['folder']}/{name}.parquet").createOrReplaceTempView(name)
    spark.sql(text).createOrReplaceTempView("t")
    spark.sql(text.replace("id * 7919", "id * 104729")).createOrReplaceTempView("u")
    return lambda: [list(r) for r in spark.sql(given["query"]).collect()]


def duckdb(given):
    import duckdb

    db = duckdb.connect()
    db.execute(
        f"set memory_limit = '{given['limit']}MiB'; set threads = 2; set preserve_insertion_order = false"
    )
    rows = given["rows"]
    text = f"""select range as id, range * 7919 % 1000003 k, 'payload number ' || (range * 31 % {rows}) s
               from range({rows})"""
    for name in TABLES:
        db.execute(f"create view {name} as from '{given['folder']}/{name}.parquet'")
    db.execute(f"create view t as {text}")
    db.execute(f"create view u as {text.replace('range * 7919', 'range * 104729')}")
    return lambda: [list(r) for r in db.execute(given["query"]).fetchall()]


def one(engine, given):
    """Run a query in this process and print what it took."""
    try:
        run = globals()[engine](given)
        start = time.perf_counter()
        rows = run()
        took = time.perf_counter() - start
        print(json.dumps({"seconds": took, "rows": rows, "mib": peak_mib()}, default=float))
    except Exception as e:
        print(json.dumps({"error": str(e)[:100], "mib": peak_mib()}))


def process(engine, given):
    command = [sys.executable, __file__, "one", engine, json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True)
    return json.loads(done.stdout or json.dumps({"error": done.stderr[-200:], "mib": 0}))


def main():
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sf", default="10")
    parser.add_argument("--rows", type=float, default=0)
    parser.add_argument("--limit", type=int, default=32)
    asked = parser.parse_args()
    scale = float(asked.sf)
    cases = {n: (q, asked.limit) for n, q in OURS.items()}
    if not asked.rows:
        last = int(5_900_000 * scale)
        cases = {n: (q.format(last=last), int(mib * scale)) for n, (q, mib) in TPCH.items()}
    where = {"folder": str(tpch.data(asked.sf)), "rows": int(asked.rows * 1e6)}
    report = Report("spill")
    for name, (query, limit) in cases.items():
        given = {"query": query, "limit": limit, **where}
        runs = {e: [] for e in ("nbaspark", "duckdb")}
        for _ in range(RUNS):
            for engine in runs:
                runs[engine].append(process(engine, given))
        failed = [
            f"{e}: {r['error']}" for e, all_of in runs.items() for r in all_of if "error" in r
        ]
        if failed:
            print(f"{name} within {limit} MiB: {failed[0]}")
            continue
        rows = [r["rows"] for all_of in runs.values() for r in all_of]
        if any(not engines.same_rows(r, rows[0]) for r in rows):
            sys.exit(f"{name}: rows differ")
        ours, peer = (statistics.median(r["seconds"] for r in runs[e]) for e in runs)
        mib, peer_mib = (max(r["mib"] for r in runs[e]) for e in runs)
        report.add(f"{name} within {limit} MiB", ours, "duckdb", peer, mib=mib, peer_mib=peer_mib)
        print(f"{'  peak, MiB':34}{mib:10.0f}{peer_mib:10.0f}{mib / peer_mib:8.2f}")
    if not asked.rows:
        report.save()


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        one(sys.argv[2], json.loads(sys.argv[3]))
    else:
        main()
