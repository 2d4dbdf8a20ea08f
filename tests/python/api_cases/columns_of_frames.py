# SPDX-License-Identifier: Apache-2.0
"""Columns taken from a DataFrame (d.s) where it, or what was made of it, stands more than once."""


def _forms(s, F, W):
    d = s.createDataFrame(
        [(1, "a", 10.0), (2, "b", None), (3, "a", 5.0)], "i int, s string, v double"
    )
    o = s.createDataFrame([(1, "x"), (3, "y")], "i int, w string")
    return {
        "agg": lambda: (lambda g: d.join(g, d.s == g.s).select(d.i, g.m))(
            d.groupBy("s").agg(F.max("v").alias("m"))
        ),
        "agg all": lambda: (lambda g: d.join(g, d.s == g.s))(
            d.groupBy("s").agg(F.max("v").alias("m"))
        ),
        "agg2": lambda: (lambda g: d.join(g, (d.s == g.s) & (d.v == g.m)).select("i"))(
            d.groupBy("s").agg(F.max("v").alias("m"))
        ),
        "agg rev": lambda: (lambda g: g.join(d, d.s == g.s).select(d.i, g.m))(
            d.groupBy("s").agg(F.max("v").alias("m"))
        ),
        "filter": lambda: (lambda e: d.join(e, d.i == e.i, "left").select(e.s))(d.filter("i>1")),
        "filter2": lambda: (lambda e: d.join(e, d.i == e.i, "left").select(d.s, e.s))(
            d.filter("i>1")
        ),
        "filter self": lambda: (lambda e: e.join(d, d.i == e.i).select(d.s, e.v))(d.filter("i>1")),
        "filters": lambda: (lambda e, f: e.join(f, e.i == f.i).select(e.s, f.v))(
            d.filter("i>1"), d.filter("i<3")
        ),
        "filters d": lambda: (lambda e, f: e.join(f, e.i == f.i).select(d.s))(
            d.filter("i>1"), d.filter("i<3")
        ),
        "withColumn": lambda: (lambda e: d.join(e, d.s == e.s).select(d.i, e.i, "z"))(
            d.withColumn("z", F.lit(1))
        ),
        "withColumn s": lambda: (lambda e: d.join(e, d.i == e.i).select(d.s, e.s))(
            d.withColumn("s", F.upper("s"))
        ),
        "distinct": lambda: (lambda e: d.join(e, d.s == e.s).drop(e.s))(d.select("s").distinct()),
        "dropdup": lambda: (lambda e: d.join(e, d.s == e.s, "semi"))(d.dropDuplicates(["s"])),
        "using": lambda: d.join(d.select(d.i.alias("i2"), "s"), "s").select(d.i),
        "using2": lambda: (lambda e: d.join(e, "s").select(d.s, e.s, "s"))(d.select("v", "s", "i")),
        "using3": lambda: (lambda e: d.join(e, d.s == e.s).drop("s"))(d.select("v", "s", "i")),
        "drop e.s": lambda: (lambda e: d.join(e, d.s == e.s).drop(e.s))(d.select("v", "s", "i")),
        "drop d.s": lambda: (lambda e: d.join(e, d.s == e.s).drop(d.s))(d.select("v", "s", "i")),
        "self": lambda: d.join(d, d.i == d.i),
        "self2": lambda: d.join(d, "i").select(d.s),
        "self alias": lambda: (
            d.alias("a").join(d.alias("b"), F.col("a.i") == F.col("b.i")).select("a.s", "b.v")
        ),
        "self alias d": lambda: (lambda a, b: a.join(b, a.i == b.i).select(a.s, b.v))(
            d.alias("a"), d.alias("b")
        ),
        "self alias d2": lambda: (lambda a, b: a.join(b, a.i == b.i).select(d.s))(
            d.alias("a"), d.alias("b")
        ),
        "sel": lambda: (lambda e: e.select(d.v))(d.withColumn("v", F.col("v") * 2)),
        "sel drop": lambda: (lambda e: e.select(d.v))(d.drop("v")),
        "filter re": lambda: (lambda e: e.filter(d.v > 5))(d.withColumn("v", F.col("v") * 2)),
        "filter drop": lambda: (lambda e: e.filter(d.v > 5))(d.drop("v")),
        "sort drop": lambda: (lambda e: e.orderBy(d.v))(d.drop("v")),
        "sort re": lambda: (lambda e: e.orderBy(d.v))(d.withColumn("v", -F.col("v"))),
        "sort sel": lambda: d.select("s").orderBy(d.i.desc()),
        "agg re": lambda: (lambda e: e.groupBy(d.s).agg(F.sum(d.v)))(
            d.withColumn("v", F.col("v") * 2)
        ),
        "agg ok": lambda: (lambda e: e.groupBy(d.s).agg(F.sum(d.i)))(
            d.withColumn("v", F.col("v") * 2)
        ),
        "wc re": lambda: (lambda e: e.withColumn("q", d.v))(d.withColumn("v", F.col("v") * 2)),
        "union": lambda: d.union(d).select(d.i),
        "union2": lambda: d.union(d.filter("i>1")).select(d.i),
        "three": lambda: (
            lambda g, h: d.join(g, d.s == g.s).join(h, d.s == h.s).select(d.i, g.m, h.n)
        )(d.groupBy("s").agg(F.max("v").alias("m")), d.groupBy("s").agg(F.count("*").alias("n"))),
        "three2": lambda: (
            lambda g: d.join(o, d.i == o.i).join(g, d.s == g.s).select(d.i, o.w, g.m)
        )(d.groupBy("s").agg(F.max("v").alias("m"))),
        "three3": lambda: (lambda j: j.join(d, j.w == d.s, "left").select(j.i2, d.s))(
            d.join(o, "i").withColumnRenamed("i", "i2")
        ),
        "j of j": lambda: (lambda j: j.join(o, j.i == o.i).select(d.s, o.w, j.v))(d.filter("i>0")),
        "win": lambda: (lambda e: e.join(d, (e.i == d.i) & (e.r == 1)).select(d.v, e.r))(
            d.withColumn("r", F.row_number().over(W.partitionBy("s").orderBy("i")))
        ),
        "rename": lambda: (lambda e: d.join(e, d.i == e.j).select(d.s, e.s))(
            d.withColumnRenamed("i", "j")
        ),
        "toDF": lambda: (lambda e: d.join(e, d.i == e.a).select(d.s, e.b))(d.toDF("a", "b", "c")),
        "limit": lambda: (lambda e: d.join(e, d.i == e.i).select(d.s, e.s))(d.limit(2)),
        "cross": lambda: (lambda e: d.crossJoin(e).select(d.i, e.s).where(d.i > 1))(d.limit(1)),
        "where after": lambda: (lambda e: d.join(e, d.i == e.i).where(e.v > 1).select(e.s, d.v))(
            d.filter("i<3")
        ),
        "sort after": lambda: (
            lambda e: d.join(e, d.i == e.i).orderBy(e.v.desc(), d.s).select(d.s, e.v)
        )(d.filter("i<9")),
        "agg after": lambda: (lambda e: d.join(e, d.i == e.i).groupBy(d.s).agg(F.sum(e.v)))(
            d.filter("i<9")
        ),
        "wc after": lambda: (
            lambda e: d.join(e, d.i == e.i).withColumn("k", d.v + e.v).select("k")
        )(d.filter("i<9")),
        "full": lambda: (lambda e: d.join(e, d.i == e.i, "full").select(d.i, e.i))(d.filter("i>2")),
        "anti": lambda: (lambda e: d.join(e, d.i == e.i, "anti").select(d.i))(d.filter("i>2")),
        "semi e": lambda: (lambda e: d.join(e, d.i == e.i, "semi").select(e.i))(d.filter("i>2")),
        "nested field": lambda: (
            lambda p: (lambda q: p.join(q, p.t.i == q.t.i).select(p.t.s, q.t.v))(p.filter("t.i>1"))
        )(d.select(F.struct("*").alias("t"))),
        "cond both d": lambda: (lambda e: d.join(e, d.i == d.i))(d.filter("i>2")),
        "cond d.v e": lambda: (lambda e: d.join(e, d.i < e.i).select(d["*"]))(d.filter("i>2")),
        "star e": lambda: (lambda e: d.join(e, d.i < e.i).select(e["*"]))(d.filter("i>2")),
        "colRegex": lambda: (lambda e: d.join(e, d.i < e.i).select(d.colRegex("`[is]`")))(
            d.filter("i>2")
        ),
        "exists": lambda: (
            lambda e: d.where(d.i.isin([1, 2])).join(e, [d.i == e.i, d.s == e.s]).select(d.i)
        )(d.filter("i>0")),
        "sub in agg": lambda: (
            lambda e: e.join(e.groupBy(e.s).agg(F.avg(e.v).alias("av")), "s").select(e.i, "av")
        )(d.filter("i>0")),
        "sub in agg2": lambda: (lambda g: d.join(g, "s").select(d.i, d.s, g.s, "av").orderBy(d.i))(
            d.groupBy("s").agg(F.avg(d.v).alias("av"))
        ),
        "asof": lambda: d.join(d.withColumn("i", d.i + 1), "i", "left").select(d.s),
        "lag self": lambda: (lambda e: d.join(e, d.i == e.i).select(d.i, e.s))(
            d.withColumn("i", d.i + 1)
        ),
        "lag self2": lambda: (lambda e: d.join(e, d.i == e.j).select(d.i, e.s, e.i))(
            d.withColumn("j", d.i + 1)
        ),
        "drop two": lambda: (lambda e: d.join(e, d.i == e.i).drop(e.i, e.s))(d.filter("i>1")),
        "drop dv": lambda: (lambda e: d.join(e, "i").drop(d.v))(d.filter("i>1")),
        "dropna": lambda: (lambda e: d.join(e, d.i == e.i).select(e.v))(d.na.drop()),
        "fillna": lambda: (lambda e: d.join(e, d.i == e.i).select(d.v, e.v))(d.na.fill(0.0)),
        "hint": lambda: (lambda e: d.join(F.broadcast(e), d.i == e.i).select(d.v, e.v))(
            d.filter("i>1")
        ),
        "cache": lambda: (lambda e: d.join(e, d.i == e.i).select(d.v, e.v))(
            d.filter("i>1").cache()
        ),
    }


NAMES = [
    "agg",
    "agg all",
    "agg2",
    "agg rev",
    "filter",
    "filter2",
    "filter self",
    "filters",
    "filters d",
    "withColumn",
    "withColumn s",
    "distinct",
    "dropdup",
    "using",
    "using2",
    "using3",
    "drop e.s",
    "drop d.s",
    "self",
    "self2",
    "self alias",
    "self alias d",
    "self alias d2",
    "sel",
    "sel drop",
    "filter re",
    "filter drop",
    "sort drop",
    "sort re",
    "sort sel",
    "agg re",
    "agg ok",
    "wc re",
    "union",
    "union2",
    "three",
    "three2",
    "three3",
    "j of j",
    "win",
    "rename",
    "toDF",
    "limit",
    "cross",
    "where after",
    "sort after",
    "agg after",
    "wc after",
    "full",
    "anti",
    "semi e",
    "nested field",
    "cond both d",
    "cond d.v e",
    "star e",
    "colRegex",
    "exists",
    "sub in agg",
    "sub in agg2",
    "asof",
    "lag self",
    "lag self2",
    "drop two",
    "drop dv",
    "dropna",
    "fillna",
    "hint",
    "cache",
]
CASES = {name: (lambda s, F, W, name=name: _forms(s, F, W)[name]()) for name in NAMES}
