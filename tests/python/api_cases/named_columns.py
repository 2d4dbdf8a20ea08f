# SPDX-License-Identifier: Apache-2.0
"""Methods that take columns as text (`df.na`, `df.stat`): how names are read, what does not fit, what is refused."""

METHODS = {
    "fill": lambda df, name: df.na.fill(1, [name]),
    "fill by dict": lambda df, name: df.na.fill({name: 1}),
    "drop": lambda df, name: df.na.drop(subset=[name]),
    "replace": lambda df, name: df.na.replace(5, 2, [name]),
    "corr": lambda df, name: df.stat.corr(name, "d"),
    "cov": lambda df, name: df.stat.cov("d", name),
    "freqItems": lambda df, name: [
        (key, sorted(map(repr, values)))
        for key, values in df.stat.freqItems([name]).first().asDict().items()
    ],
    "join": lambda df, name: df.join(df, name).count(),
}
NAMES = (
    "zz",
    "z.z",
    "`zz`",
    "zz.",
    "`z",
    "ZI",
    "`zi`",
    "`a.s`",
    "a.s",
    "st.x",
    "`st`.`x`",
    "st.q",
    "st",
)


def wide(s):
    names = "zi int, `a.s` int, d int, b int, c1 int, c2 int, c3 int"
    df = s.createDataFrame([(None, 5, 2, 3, 4, 5, 6), (0, None, 1, 1, 1, 1, 1)], names)
    return df.selectExpr("*", "struct(zi AS x, 5 AS y) AS st")


def named(use, name):
    return lambda s, F, W: use(wide(s), name)


CASES = {
    f"{method} {name}": named(use, name)
    for method, use in METHODS.items()
    for name in NAMES
    if not (method == "join" and name == "st.x")
}

# A value, the type of the column that it fills.
FILLED = (
    (2**40, "int"),
    (300, "tinyint"),
    (1e20, "int"),
    (1.7, "int"),
    (float("nan"), "int"),
    (float("inf"), "tinyint"),
    (2**40, "smallint"),
    (1e300, "float"),
    (1000, "decimal(3,1)"),
    (1.25, "decimal(3,1)"),
    (1, "date"),
    (1, "boolean"),
    (True, "boolean"),
    (1.5, "string"),
    ("5", "int"),
    ("x", "string"),
    (True, "int"),
)


def filled(value, kind):
    return lambda s, F, W: s.sql(f"SELECT CAST(null AS {kind}) AS v").na.fill(value)


def replaced(old, new, kind):
    return lambda s, F, W: s.sql(f"SELECT CAST('5' AS {kind}) AS v").na.replace(old, new)


CASES |= {f"fill {kind} with {value!r}": filled(value, kind) for value, kind in FILLED}
CASES |= {
    f"replace {old!r} in {kind} by {new!r}": replaced(old, new, kind)
    for old, new, kind in (
        (5, 2**40, "int"),
        (5, 300, "tinyint"),
        (5, 2.5, "int"),
        (2**32 + 5, 6, "int"),
        (5.0, 1000.0, "decimal(3,1)"),
        (5, None, "int"),
        ("5", "6", "string"),
    )
}


def texts(s):
    return s.sql("SELECT 'a' AS t, 1 AS n, array(1) AS l, map(1, 2) AS m, struct(1 AS x) AS r")


CASES |= {
    f"{method} of {name}": lambda s, F, W, use=METHODS[method], name=name: use(
        texts(s).withColumnRenamed("n", "d"), name
    )
    for method in ("corr", "cov")
    for name in ("t", "l", "m", "r")
}
CASES |= {
    f"quantiles of {name}": lambda s, F, W, name=name: texts(s).stat.approxQuantile(
        name, [0.5], 0.1
    )
    for name in ("t", "l", "m", "r", "`n`")
}
CASES |= {
    f"transpose by {name}": lambda s, F, W, name=name: texts(s).select(name).transpose(name)
    for name in ("l", "m", "r")
}
CASES |= {
    "sampleBy above 1": lambda s, F, W: texts(s).stat.sampleBy("n", {0: 1.5}),
    "sampleBy below 0": lambda s, F, W: texts(s).stat.sampleBy("t", {"0": -1.0, "b": 0.5}),
    "freqItems of little": lambda s, F, W: texts(s).stat.freqItems(["n"], 0.00001),
    "freqItems of nulls": lambda s, F, W: s.sql(
        "SELECT explode(array(null, null, 1, 2, null)) AS v"
    ).stat.freqItems(["v"], 0.5),
    "sort by a map": lambda s, F, W: texts(s).orderBy("m"),
    "sort by a map, descending": lambda s, F, W: texts(s).orderBy(F.desc("m")),
    "sort by a made map": lambda s, F, W: texts(s).orderBy(F.create_map("n", "n")),
    "sort by a map, nulls first": lambda s, F, W: texts(s).orderBy(F.desc_nulls_first("m")),
    "window over a map": lambda s, F, W: texts(s).select(F.row_number().over(W.orderBy("m"))),
    "dropDuplicates of nothing": lambda s, F, W: texts(s).select("n").dropDuplicates([]),
    "tail below 0": lambda s, F, W: texts(s).select("n").tail(-1),
    "range in 0 parts": lambda s, F, W: s.range(0, 5, 1, 0),
    "range in -1 parts": lambda s, F, W: s.range(0, 5, 1, -1),
    "limit below 0": lambda s, F, W: texts(s).select("n").limit(-1),
    "offset below 0": lambda s, F, W: texts(s).select("n").offset(-1),
}
