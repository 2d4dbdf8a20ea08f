# SPDX-License-Identifier: Apache-2.0
"""Queries of unusual size, run by test_large_plans.py in a process with a small stack.

    python large_plans.py

prints one line of JSON per query: its name, the CPU seconds that planning took, and whether its answer was right.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from functools import reduce

from nbaspark.sql import SparkSession
from nbaspark.sql import functions as F

N_ROWS = 100


def every(n, form):
    return [form(i) for i in range(n)]


def nested(n, query, around):
    return reduce(lambda inner, i: around(inner, i), range(n), query)


def columns(n):
    return ", ".join(every(n, lambda i: f"a + {i} as c{i}"))


def joined(n, kind, condition):
    steps = " ".join(every(n, lambda i: f"{kind} join t t{i + 1} on " + condition.format(i, i + 1)))
    return f"select count(*) from t t0 {steps}"


TEXTS = {
    "1,000 columns": (
        f"select sum(c7), max(c999) from (select *, {columns(1000)} from t) where c5 > 3",
        (5650, 1098),
    ),
    "1,000 columns joined with themselves": (
        f"with w as (select a, {columns(1000)} from t) "
        "select count(*), sum(x.c9 + y.c8) from w x join w y on x.a = y.a where x.c1 = y.c1",
        (100, 11600),
    ),
    "1,000 aggregates": (
        "select sum(s999) from (select b, "
        + ", ".join(every(1000, lambda i: f"sum(case when a = {i} then a else 0 end) as s{i}"))
        + " from t group by b)",
        (0,),
    ),
    "10,000 aggregates": (
        "select sum(s9 + s9999) from (select "
        + ", ".join(every(10000, lambda i: f"sum(a + {i}) as s{i}"))
        + " from t)",
        (2 * sum(range(100)) + 100 * (9 + 9999),),
    ),
    "1,000 keys": (
        "select count(*) from (select "
        + ", ".join(every(1000, lambda i: f"k{i}"))
        + ", count(*) as n from (select "
        + ", ".join(every(1000, lambda i: f"a % {i + 2} as k{i}"))
        + " from t) group by "
        + ", ".join(every(1000, lambda i: f"k{i}"))
        + ")",
        (100,),
    ),
    "500 branches": (
        "select count(*), sum(x) from ("
        + " union all ".join(every(500, lambda i: f"select a + {i} as x, b from t"))
        + ") where b = 3",
        (7000, sum(a + i for i in range(500) for a in range(100) if a % 7 == 3)),
    ),
    "500 distinct branches": (
        "select count(*) from ("
        + " union ".join(every(500, lambda i: f"select a + {i} from t"))
        + ")",
        (599,),
    ),
    "200 queries in FROM": (
        "select count(*) from ("
        + nested(200, "select a from t", lambda q, i: f"select a from ({q}) where a >= {i % 5}")
        + ")",
        (96,),
    ),
    "200 scalar subqueries in each other": (
        nested(200, "select max(a) from t", lambda q, i: f"select max(a) from t where a <= ({q})"),
        (99,),
    ),
    "200 IN subqueries in each other": (
        "select count(*) from ("
        + nested(200, "select a from t", lambda q, i: f"select a from t where a in ({q})")
        + ")",
        (100,),
    ),
    "200 EXISTS side by side": (
        "select count(*) from t where "
        + " and ".join(every(200, lambda i: "exists (select 1 from t u where u.a = t.a)")),
        (100,),
    ),
    "200 correlated subqueries in a list": (
        "select sum(s199) from (select "
        + ", ".join(
            every(
                200,
                lambda i: f"(select max(a) from t u where u.b = t.b and u.a < {i + 20}) as s{i}",
            )
        )
        + " from t)",
        (sum(max(a for a in range(100) if a % 7 == b % 7) for b in range(100)),),
    ),
    "200 common table expressions": (
        "with "
        + ", ".join(every(200, lambda i: f"q{i} as (select a from {f'q{i - 1}' if i else 't'})"))
        + " select count(*) from q199",
        (100,),
    ),
    "IN of 100,000 numbers": (
        f"select count(*) from t where a in ({', '.join(every(100000, str))})",
        (100,),
    ),
    "IN of 100,000 strings": (
        "select count(*) from t where cast(a as string) in ("
        + ", ".join(every(100000, lambda i: f"'{i * 2}'"))
        + ")",
        (50,),
    ),
    "CASE of 1,000 branches": (
        "select count(distinct x) from (select case "
        + " ".join(every(1000, lambda i: f"when a = {i} then 'v{i}'"))
        + " else 'z' end as x from t)",
        (100,),
    ),
    "1,000 CASEs in each other": (
        "select sum("
        + nested(1000, "0", lambda q, i: f"case when a = {i} then {i} else {q} end")
        + ") from t",
        (4950,),
    ),
    "200 joins in a chain": (joined(200, "", "t{1}.a = t{0}.a"), (100,)),
    "200 joins of one table": (joined(200, "", "t{1}.a = t0.a"), (100,)),
    "200 outer joins": (joined(200, "left", "t{1}.a = t{0}.a"), (100,)),
    "200 tables in a list": (
        "select count(*) from "
        + ", ".join(every(200, lambda i: f"t t{i}"))
        + " where "
        + " and ".join(every(199, lambda i: f"t{i}.a = t{i + 1}.a")),
        (100,),
    ),
    "10,000 conditions": (
        "select count(*) from t where " + " or ".join(every(10000, lambda i: f"a = {i * 2}")),
        (50,),
    ),
    "500 aliases on each other": (
        "select sum(x500) from (select a as x0, "
        + ", ".join(every(500, lambda i: f"x{i} + 1 as x{i + 1}"))
        + " from t)",
        (54950,),
    ),
    "an expression doubled 40 times": (
        "select count(*), min(x) from ("
        + nested(40, "select a % 2 as x from t", lambda q, i: f"select (x + x) % 7 as x from ({q})")
        + ") where x > 1 or x < 1",
        (100, 0),
    ),
    "300 windows": (
        "select sum(w299) from (select "
        + ", ".join(every(300, lambda i: f"sum(a + {i}) over (partition by a order by b) as w{i}"))
        + " from t)",
        (34850,),
    ),
    "1,000 opening brackets": (f"select {'(' * 1000}1{')' * 1000}", (1,)),
    "CUBE of ten": (
        "select count(*) from (select count(*) as n from (select "
        + ", ".join(every(10, lambda i: f"a % 2 as k{i}"))
        + f" from t) group by cube ({', '.join(every(10, lambda i: f'k{i}'))}))",
        (2047,),
    ),
}


def added(frame, name):
    return reduce(lambda d, i: d.withColumn(name(i), F.col("a") + 1), range(3000), frame)


FRAMES = {
    "3,000 columns added": (
        lambda t: added(t, lambda i: f"x{i % 50}").agg(F.sum("x49")),
        (5050,),
    ),
    "one column replaced 3,000 times": (
        lambda t: added(t, lambda i: "a").filter("a > 3000 and b = 2").agg(F.count("*")),
        (14,),
    ),
    "3,000 filters": (
        lambda t: reduce(lambda d, i: d.filter(F.col("a") >= i % 5), range(3000), t).agg(
            F.count("*")
        ),
        (96,),
    ),
    "1,000 unions": (
        lambda t: reduce(lambda d, i: d.union(t), range(1000), t).agg(F.count("*")),
        (100100,),
    ),
    "a column doubled 60 times": (
        lambda t: (
            reduce(lambda d, i: d.withColumn("a", (F.col("a") + F.col("a")) % 11), range(60), t)
            .filter("a < 11")
            .agg(F.count("*"))
        ),
        (100,),
    ),
}


def main() -> None:
    spark = SparkSession.builder.getOrCreate()
    spark.sql(f"select id as a, id % 7 as b from range({N_ROWS})").createOrReplaceTempView("t")

    def report(name, plan, frame, expected):
        start = time.process_time()
        spark.sql(plan).collect()
        planned = time.process_time() - start
        rows = [tuple(row) for row in frame.collect()]
        print(json.dumps([name, planned, rows == [expected] or repr(rows[:2])]), flush=True)

    for name, (text, expected) in TEXTS.items():
        report(name, "explain " + text, spark.sql(text), expected)
    for name, (build, expected) in FRAMES.items():
        frame = build(spark.table("t"))
        frame.createOrReplaceTempView("large")
        report(name, "explain select * from large", frame, expected)


if __name__ == "__main__":
    if sys.argv[1:] == ["--thread"]:
        threading.stack_size(512 * 1024)
        thread = threading.Thread(target=main)
        thread.start()
        thread.join()
    else:
        main()
