# SPDX-License-Identifier: Apache-2.0
"""Random queries over the retailer's star schema (benchmarks/retail.py), whose answers must not depend on how they are computed.

    python sql_fuzz.py [--seed N] [--count N] [--seconds N] [--spark URL] [--folder FOLDER]

Each query runs in the session as it is, with the optimizer off, in batches of three rows, with spill forced and on one thread, and on DuckDB
where both dialects mean the same. --spark asks Apache Spark about every twentieth too. Differences are printed with the query and its seed.

A query is a tree of clauses; every expression has one of the types i(nteger), d(ecimal), s(tring), t (date) and b(oolean). Only what has one right
answer is made: LIMIT behind a total order, frames by rows over unique orders, no comparisons of averages for equality.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from decimal import Decimal
from pathlib import Path

TABLES = {
    "calendar": {
        "i": ["day_id", "year", "quarter", "month", "month_no", "week_no"],
        "t": ["day"],
        "s": ["weekday", "holiday"],
        "b": ["is_weekend"],
    },
    "product": {
        "i": ["product_id", "maker_id"],
        "d": ["price", "cost"],
        "s": ["sku", "title", "brand", "category", "class", "colour"],
        "t": ["offered_from"],
    },
    "address": {"i": ["address_id"], "s": ["street", "city", "state", "zip"]},
    "client": {
        "i": ["client_id", "address_id", "profile_id", "since_id"],
        "s": ["first_name", "last_name", "email"],
        "t": ["born"],
    },
    "shop": {"i": ["shop_id", "area", "closed_id"], "s": ["name", "state", "manager"]},
    "promo": {
        "i": ["promo_id", "first_id", "last_id"],
        "s": ["name"],
        "b": ["by_mail", "by_radio"],
        "d": ["budget"],
    },
    "depot": {"i": ["depot_id", "area"], "s": ["name", "state"]},
    "shop_sales": {
        "i": ["day_id", "product_id", "client_id", "shop_id", "promo_id", "ticket_no", "quantity"],
        "d": ["unit_price", "discount", "amount", "profit"],
    },
    "shop_returns": {
        "i": ["day_id", "product_id", "client_id", "reason_id", "ticket_no", "quantity"],
        "d": ["refund"],
    },
    "web_sales": {
        "i": ["day_id", "product_id", "client_id", "depot_id", "site_id", "order_no", "quantity"],
        "d": ["unit_price", "discount", "amount", "profit"],
    },
    "web_returns": {
        "i": ["day_id", "product_id", "client_id", "reason_id", "order_no", "quantity"],
        "d": ["refund"],
    },
}
KEYS = ["day_id", "product_id", "client_id", "shop_id", "address_id", "depot_id", "promo_id"]
WORDS = ["'Books'", "'blue'", "'SP'", "'a'", "''", "'Monday'", "'shop A'", "'Ana'", "'O''Hara'"]
PATTERNS = ["'%a%'", "'B%'", "'_o%'", "'%s'", "'%no 1%'", "'K-%0!%' escape '!'", "'%'", "''"]
COMPARISONS = ["=", "<>", "<", "<=", ">", ">="]


class Scope:
    """Columns that may be named: (text, type)."""

    def __init__(self, columns):
        self.columns = columns

    def of(self, kind):
        return [text for text, k in self.columns if k == kind]

    def __add__(self, other):
        return Scope(self.columns + other.columns)


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.n = 0

    def chance(self, p):
        return self.r.random() < p

    def pick(self, items):
        return items[self.r.randrange(len(items))]

    def name(self, stem):
        self.n += 1
        return f"{stem}{self.n}"

    # ---- expressions ----

    def literal(self, kind):
        if self.chance(0.04):
            return f"cast(null as {dict(i='int', d='decimal(9,2)', s='string', t='date', b='boolean')[kind]})"
        if kind == "i":
            return str(self.pick([0, 1, 2, 3, 7, 12, 50, 2020, 2021, 7300, 8000]))
        if kind == "d":
            return self.pick(["0.50", "10.00", "99.99", "250.00", "1000.00"])
        if kind == "s":
            return self.pick(WORDS)
        if kind == "t":
            return f"date '{self.pick([1970, 2019, 2020, 2021])}-0{self.r.randrange(1, 10)}-1{self.r.randrange(10)}'"
        return self.pick(["true", "false"])

    def value(self, scope, kind, depth=2):
        names = scope.of(kind)
        if depth <= 0 or self.chance(0.35):
            return self.pick(names) if names and self.chance(0.85) else self.literal(kind)
        if kind == "b":
            return self.condition(scope, depth - 1)
        form = self.r.randrange(8)
        v = lambda k=kind: self.value(scope, k, depth - 1)  # noqa: E731
        if form == 0:
            return f"case when {self.condition(scope, depth - 1)} then {v()} else {v()} end"
        if form == 1:
            return f"coalesce({v()}, {v()})"
        if form == 2:
            return f"nullif({v()}, {v()})"
        if form == 3:
            return f"case when {self.condition(scope, depth - 1)} then {v()} end"
        if form == 4 and kind != "b":
            return f"{self.pick(['greatest', 'least'])}({v()}, {v()})"
        if kind == "i":
            return self.pick(
                [
                    lambda: f"({v()} + {self.literal('i')})",
                    lambda: f"({v()} - {v()})",
                    lambda: f"({self.pick(names) if names else 5} * {self.pick([2, 3, -1])})",
                    lambda: f"({v()} % {self.pick([2, 3, 7])})",
                    lambda: f"length({v('s')})",
                    lambda: f"abs({v()})",
                    lambda: (
                        f"cast(extract({self.pick(['year', 'month', 'day'])} from {v('t')}) as int)"
                    ),
                ]
            )()
        if kind == "d":
            return self.pick(
                [
                    lambda: f"({v()} + {v()})",
                    lambda: f"({v()} - {self.literal('d')})",
                    lambda: f"(-{v()})",
                    lambda: f"abs({v()})",
                    lambda: f"cast({v()} as decimal(14, 2))",
                ]
            )()
        if kind == "s":
            return self.pick(
                [
                    lambda: f"upper({v()})",
                    lambda: f"lower({v()})",
                    lambda: f"substring({v()}, {self.r.randrange(1, 4)}, {self.r.randrange(1, 5)})",
                    lambda: f"({v()} || {v()})",
                    lambda: f"({v()} || '-')",
                    lambda: f"replace({v()}, 'a', 'x')",
                    lambda: f"cast({v('i')} as string)",
                    lambda: f"trim({v()})",
                ]
            )()
        return self.pick(
            [
                lambda: f"cast({v()} + interval {self.r.randrange(1, 40)} days as date)",
                lambda: f"cast({v()} - interval {self.r.randrange(1, 14)} months as date)",
            ]
        )()

    def condition(self, scope, depth=2):
        if depth > 0 and self.chance(0.35):
            return self.pick(
                [
                    lambda: (
                        f"({self.condition(scope, depth - 1)} and {self.condition(scope, depth - 1)})"
                    ),
                    lambda: (
                        f"({self.condition(scope, depth - 1)} or {self.condition(scope, depth - 1)})"
                    ),
                    lambda: f"not ({self.condition(scope, depth - 1)})",
                ]
            )()
        kind = self.pick([k for k in "iidssbt" if scope.of(k)] or ["i"])
        v = lambda: self.value(scope, kind, depth - 1)  # noqa: E731
        if kind == "b" and self.chance(0.5):
            return self.pick(scope.of("b"))
        text = self.pick(
            [
                lambda: f"{v()} {self.pick(COMPARISONS)} {v()}",
                lambda: f"{v()} {self.pick(COMPARISONS)} {self.literal(kind)}",
                lambda: f"{v()} is {self.pick(['', 'not '])}null",
                lambda: f"{v()} {self.pick(['', 'not '])}between {self.literal(kind)} and {v()}",
                lambda: (
                    f"{v()} {self.pick(['', 'not '])}in ({', '.join(self.literal(kind) for _ in range(self.r.randrange(1, 5)))})"
                ),
                lambda: f"{v()} is {self.pick(['', 'not '])}distinct from {v()}",
                lambda: (
                    f"{self.value(scope, 's', depth - 1)} {self.pick(['', 'not '])}like {self.pick(PATTERNS)}"
                ),
            ]
        )()
        return f"({text})"

    def subquery_condition(self, scope, depth):
        table, inner = self.table()
        outer = self.pick(scope.of("i") or ["1"])
        mine = self.pick(inner.of("i"))
        where = self.condition(inner, 1)
        return self.pick(
            [
                lambda: (
                    f"{outer} {self.pick(['', 'not '])}in (select {mine} from {table} where {where})"
                ),
                lambda: (
                    f"{self.pick(['', 'not '])}exists (select 1 from {table} where {mine} = {outer} and {where})"
                ),
                lambda: (
                    f"{self.pick(['', 'not '])}exists (select 1 from {table} where {mine} = {outer} and {self.condition(scope + inner, 1)})"
                ),
                lambda: (
                    f"{outer} {self.pick(COMPARISONS)} (select {self.pick(['max', 'min', 'count'])}({self.pick(inner.of('i'))}) from {table} where {mine} = {outer})"
                ),
                lambda: (
                    f"{outer} {self.pick(COMPARISONS)} (select {self.pick(['max', 'min'])}({mine}) from {table} where {where})"
                ),
            ]
        )()

    # ---- FROM ----

    def table(self, name=None):
        name = name or self.pick(list(TABLES))
        alias = self.name("r")
        columns = [(f"{alias}.{c}", k) for k, cs in TABLES[name].items() for c in cs]
        return f"{name} {alias}", Scope(columns)

    def relation(self, depth, ctes):
        if ctes and self.chance(0.4):
            name, columns = self.pick(ctes)
            alias = self.name("r")
            return f"{name} {alias}", Scope([(f"{alias}.{c}", k) for c, k in columns])
        if depth > 0 and self.chance(0.3):
            text, columns = self.query(depth - 1, ctes)
            alias = self.name("q")
            return f"({text}) {alias}", Scope([(f"{alias}.{c}", k) for c, k in columns])
        return self.table()

    def source(self, depth, ctes):
        text, scope = self.relation(depth, ctes)
        for _ in range(self.pick([0, 0, 1, 1, 2])):
            other, more = self.relation(depth - 1, ctes)
            mine, theirs = scope.of("i"), more.of("i")
            if not mine or not theirs:
                continue
            shared = [
                (a, b) for a in mine for b in theirs if a.split(".")[1] == b.split(".")[1] in KEYS
            ]
            a, b = self.pick(shared) if shared else (self.pick(mine), self.pick(theirs))
            both = scope + more
            kind = self.pick(["join", "join", "left join", "right join", "full join"])
            on = f"{a} = {b}"
            if self.chance(0.3):
                extra = self.condition(self.pick([scope, more, both]), 1)
                on += f" and {extra}"
            text = f"{text} {kind} {other} on {on}"
            scope = both
        return text, scope

    # ---- SELECT ----

    def aggregate(self, scope):
        k = self.pick([k for k in "iidst" if scope.of(k)] or ["i"])
        v = self.value(scope, k, 1)
        filtered = f" filter (where {self.condition(scope, 1)})" if self.chance(0.15) else ""
        form = self.pick(["count", "distinct", "min", "max", "sum", "avg", "star"])
        if form == "star":
            return f"count(*){filtered}", "i"
        if form == "count":
            return f"count({v}){filtered}", "i"
        if form == "distinct":
            return f"count(distinct {v}){filtered}", "i"
        if form in ("sum", "avg") and k in "id":
            if form == "avg":
                return f"avg({v}){filtered}", "x"
            return f"sum({v}){filtered}", "l" if k == "i" else "x"
        return f"{self.pick(['min', 'max'])}({v}){filtered}", k

    def window(self, scope):
        part = f"partition by {self.value(scope, self.pick('is'), 0)} " if self.chance(0.7) else ""
        order = f"order by {self.pick(scope.of('i') or ['1'])}{self.pick(['', ' desc'])}"
        v = self.pick(scope.of("i") or ["1"])
        return self.pick(
            [
                lambda: (f"{self.pick(['rank', 'dense_rank'])}() over ({part}{order})", "i"),
                lambda: (f"sum({v}) over ({part}{order})", "l"),
                lambda: (f"count(*) over ({part.strip()})", "i"),
                lambda: (f"{self.pick(['min', 'max'])}({v}) over ({part}{order})", "i"),
                lambda: (
                    f"sum({v}) over ({part}{order} range between {self.r.randrange(0, 9)} preceding and {self.r.randrange(0, 9)} following)",
                    "l",
                ),
                lambda: (
                    f"max({v}) over ({part}{order} range between unbounded preceding and 2 preceding)",
                    "i",
                ),
                lambda: (
                    f"count({v}) over ({part}{order} range between current row and unbounded following)",
                    "i",
                ),
            ]
        )()

    def select(self, depth, ctes):
        text, scope = self.source(depth, ctes)
        where = []
        if self.chance(0.7):
            where.append(self.condition(scope, 2))
        if depth > 0 and self.chance(0.35):
            where.append(self.subquery_condition(scope, depth))
        tail = f" where {' and '.join(f'({w})' for w in where)}" if where else ""
        items, columns = [], []

        def add(value, kind):
            name = self.name("c")
            items.append(f"{value} as {name}")
            columns.append((name, kind))

        form = self.r.random()
        if form < 0.45:
            keys = [
                (self.value(scope, k, 1), k)
                for k in self.r.choices("iisst", k=self.r.randrange(0, 4))
            ]
            keys = [(v, k) for v, k in keys if any(c in v for c, _ in scope.columns)]
            keys = list(dict(keys).items())
            for v, k in keys:
                add(v, k)
            for _ in range(self.r.randrange(1, 4)):
                add(*self.aggregate(scope))
            if keys:
                texts = [v for v, _ in keys]
                how = self.r.random()
                if how < 0.7:
                    tail += f" group by {', '.join(texts)}"
                elif how < 0.85:
                    tail += f" group by rollup ({', '.join(texts)})"
                elif how < 0.93:
                    tail += f" group by cube ({', '.join(texts)})"
                else:
                    tail += f" group by grouping sets (({', '.join(texts)}), ({texts[0]}), ())"
                if self.chance(0.3):
                    tail += (
                        f" having {self.pick(['count(*) > 1', 'count(*) % 2 = 1', 'min(1) = 1'])}"
                    )
        else:
            for k in self.r.choices("iidsstb", k=self.r.randrange(1, 5)):
                add(self.value(scope, k, 2), k)
            if self.chance(0.3):
                add(*self.window(scope))
            if depth > 0 and self.chance(0.15):
                table, inner = self.table()
                mine, outer = self.pick(inner.of("i")), self.pick(scope.of("i") or ["1"])
                add(
                    f"(select {self.pick(['max', 'count', 'min'])}({self.pick(inner.of('i'))}) from {table} where {mine} = {outer})",
                    "i",
                )
        distinct = "distinct " if self.chance(0.12) else ""
        return f"select {distinct}{', '.join(items)} from {text}{tail}", columns

    def query(self, depth, ctes=()):
        text, columns = self.select(depth, list(ctes))
        if self.chance(0.2):
            kinds = [k for _, k in columns]
            if all(k in "idstb" for k in kinds):
                table, scope = self.table()
                other = ", ".join(self.value(scope, k, 1) for k in kinds)
                operation = self.pick(
                    ["union all", "union", "intersect", "except", "intersect all", "except all"]
                )
                text = f"({text}) {operation} (select {other} from {table} where {self.condition(scope, 1)})"
        # averages stay at the top: their digits differ between engines
        return text, columns

    def statement(self):
        ctes, parts = [], []
        for _ in range(self.pick([0, 0, 0, 1, 2])):
            text, columns = self.query(1, ctes)
            if any(k == "x" for _, k in columns):
                continue
            name = self.name("w")
            parts.append(f"{name} as ({text})")
            ctes.append((name, [(c, "i" if k == "l" else k) for c, k in columns]))
        text, columns = self.query(2, ctes)
        if not any(k == "x" for _, k in columns) and self.chance(0.3):
            text = f"select * from ({text}) z order by {', '.join(str(i + 1) for i in range(len(columns)))} limit {self.r.randrange(1, 60)}"
        return f"with {', '.join(parts)} {text}" if parts else text


def rounded(value):
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float, Decimal)):
        value = float(value)
        return value if value == 0 or not math.isfinite(value) else float(f"{value:.7g}")
    return value


def comparable(rows):
    return sorted(
        (tuple(rounded(v) for v in row) for row in rows),
        key=lambda row: [(v is not None, str(type(v)), str(v)) for v in row],
    )


def equal(a, b):
    return a == b or (
        isinstance(a, float)
        and isinstance(b, float)
        and math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-5)
    )


def difference(ours, theirs):
    """Say how two sorted lists of rows differ; None when they do not."""
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, not {len(theirs)}"
    for a, b in zip(ours, theirs):
        if len(a) != len(b) or not all(map(equal, a, b)):
            return f"{a}, not {b}"
    return None


CONFIGURATIONS = {
    "optimizer off": {"nbaspark.debug.optimizer": "false"},
    "three-row batches": {"nbaspark.debug.batchRows": "3"},
    "spilling": {"nbaspark.debug.forceSpill": "true"},
    "one thread": {"nbaspark.debug.threads": "1"},
}


class Bench:
    """The engines beside each other, with the tables of a folder open in each."""

    def __init__(self, spark, folder, remote=None):
        import duckdb

        self.plain = spark.newSession()
        self.others = {}
        sessions = [self.plain]
        for name, settings in CONFIGURATIONS.items():
            self.others[name] = spark.newSession()
            for key, value in settings.items():
                self.others[name].conf.set(key, value)
            sessions.append(self.others[name])
        self.remote = remote
        self.duckdb = duckdb.connect()
        self.duckdb.execute("set default_null_order = 'nulls_first_on_asc_last_on_desc'")
        for path in Path(folder).glob("*.parquet"):
            for session in sessions + ([remote] if remote else []):
                session.read.parquet(str(path)).createOrReplaceTempView(path.stem)
            self.duckdb.execute(f"create view {path.stem} as select * from '{path}'")

    def ask(self, session, text):
        """Return sorted rows, or the condition of an error."""
        from nbaspark.errors import PySparkException

        try:
            return comparable(session.sql(text).collect())
        except PySparkException as error:
            return f"{error.getCondition()} {str(error)[:300]}"

    def check(self, text, ask_remote=False):
        """Yield (engine, difference) for each that disagrees with the plain session."""
        import duckdb

        ours = self.ask(self.plain, text)
        if isinstance(ours, str) and "OVERFLOW" not in ours:
            yield "this engine", ours
            return
        for name, session in self.others.items():
            theirs = self.ask(session, text)
            if isinstance(ours, str) or isinstance(theirs, str):
                if isinstance(theirs, str) and "OVERFLOW" not in theirs:
                    yield name, f"{str(ours)[:200]} and {theirs[:300]}"
            elif found := difference(ours, theirs):
                yield name, found
        if isinstance(ours, str):
            return
        # of no rows, DuckDB makes the grand total of a ROLLUP, and Spark nothing
        if any(word in text for word in ("rollup", "cube", "grouping sets")):
            return
        try:
            theirs = comparable(self.duckdb.execute(text).fetchall())
        except duckdb.Error:
            return  # what DuckDB cannot type or compute
        if found := difference(ours, theirs):
            yield "duckdb", found
        if ask_remote and self.remote:
            try:
                theirs = comparable(tuple(r) for r in self.remote.sql(text).collect())
            except Exception as error:  # noqa: BLE001
                theirs = None
                if "UNSUPPORTED" not in str(error):
                    yield "spark", str(error)[:300]
            if theirs is not None and (found := difference(ours, theirs)):
                yield "spark", found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--spark")
    parser.add_argument("--folder", required=True)
    asked = parser.parse_args()
    from nbaspark.sql import SparkSession

    spark = SparkSession.builder.master("local[2]").create()
    remote = SparkSession.builder.remote(asked.spark).create() if asked.spark else None
    bench = Bench(spark, asked.folder, remote)
    end, seed, found = time.monotonic() + asked.seconds, asked.seed, 0
    while seed < asked.seed + asked.count and time.monotonic() < end:
        text = Maker(seed).statement()
        for engine, what in bench.check(text, seed % 20 == 0):
            found += 1
            print(f"-- seed {seed}, {engine}: {what}\n{text}\n", flush=True)
        seed += 1
    print(f"{seed - asked.seed} queries, {found} differences", flush=True)
    sys.exit(found > 0)


if __name__ == "__main__":
    main()
