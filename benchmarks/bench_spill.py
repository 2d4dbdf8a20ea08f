# SPDX-License-Identifier: Apache-2.0
"""Sort, join and aggregate of several hundred megabytes within a tenth of that, beside DuckDB with the same limit.

`bench_spill.py [ROWS_IN_MILLIONS] [LIMIT_IN_MIB]`; each query runs in a process of its own, which reports its time, its peak of resident
memory, and what the engine says it spilled. `--long` tests check the same bound (peak <= limit + 64 MiB).
"""

import json
import subprocess
import sys
import time

OURS = {
    "sort": "select count(*), max(s), min(k) from (select * from t order by k, s)",
    "join": "select count(*), max(t.s), max(u.s) from t join u on t.id = u.id",
    "aggregate": "select count(*), max(m) from (select id, max(s) m, sum(k) from t group by id)",
    "window": "select count(*), max(r) from (select *, row_number() over (partition by k order by id) r from t)",
}


def peak_mib():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1024


def nbaspark(query, rows, limit):
    from nbaspark.sql import SparkSession

    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.memory.limit", f"{limit}m")
        .getOrCreate()
    )
    text = f"""select id, id * 7919 % 1000003 k, concat('payload number ', cast(id * 31 % {rows} as string)) s
               from range({rows})"""
    spark.sql(text).createOrReplaceTempView("t")
    spark.sql(text.replace("id * 7919", "id * 104729")).createOrReplaceTempView("u")
    start = time.perf_counter()
    answer = spark.sql(OURS[query]).collect()[0]
    return time.perf_counter() - start, list(answer)


def duckdb(query, rows, limit):
    import duckdb

    db = duckdb.connect()
    db.execute(
        f"set memory_limit = '{limit}MiB'; set threads = 2; set preserve_insertion_order = false"
    )
    text = f"""select range as id, range * 7919 % 1000003 k, 'payload number ' || (range * 31 % {rows}) s
               from range({rows})"""
    db.execute(f"create view t as {text}")
    db.execute(f"create view u as {text.replace('range * 7919', 'range * 104729')}")
    start = time.perf_counter()
    answer = db.execute(OURS[query]).fetchone()
    return time.perf_counter() - start, list(answer)


def main():
    if sys.argv[1:2] == ["one"]:
        engine, query, rows, limit = sys.argv[2:]
        try:
            seconds, answer = globals()[engine](query, int(rows), int(limit))
            print(json.dumps({"seconds": seconds, "answer": answer, "peak": peak_mib()}))
        except Exception as e:
            print(json.dumps({"error": str(e)[:100], "peak": peak_mib()}))
        return
    rows = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else 4_000_000
    limit = sys.argv[2] if len(sys.argv) > 2 else "32"
    for query in OURS:
        for engine in ("nbaspark", "duckdb"):
            done = subprocess.run(
                [sys.executable, __file__, "one", engine, query, str(rows), limit],
                capture_output=True,
                text=True,
            )
            r = json.loads(done.stdout or json.dumps({"error": done.stderr[-200:], "peak": 0}))
            what = f"{r['seconds']:7.2f} s  {r['answer']}" if "seconds" in r else r["error"]
            print(
                f"{query:10} {engine:9} limit {limit} MiB  peak {r['peak']:6.0f} MiB  {what}",
                flush=True,
            )


if __name__ == "__main__":
    main()
