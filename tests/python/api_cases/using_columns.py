# SPDX-License-Identifier: Apache-2.0
"""The order of columns of joins by USING and NATURAL joins: of `*`, of one table's, of names that both have."""

HOWS = ("inner", "left", "right", "full", "left semi", "left anti")
LISTS = ("*", "ua.*", "ub.*", "ua.*, ub.*", "ub.s, ua.s, s", "ua.v, ub.v")
DEEPER = (
    "* FROM ua JOIN ub USING (s) JOIN ua uc USING (s)",
    "ub.*, uc.* FROM ua JOIN ub USING (s) JOIN ua uc USING (s)",
    "ub.* FROM ua LEFT JOIN ub USING (s) LEFT JOIN ua uc USING (s)",
    "ub.* FROM ua LEFT JOIN ub USING (s) WHERE ub.s IS NOT NULL",
    "k.* FROM (SELECT * FROM ua LEFT JOIN ub USING (s)) k",
)


def frames(s):
    a = s.createDataFrame([(1, "a", 10.0), (2, "b", None)], "i int, s string, v double")
    b = s.createDataFrame([(1.5, "a", 7), (2.5, "c", 8)], "v double, s string, z int")
    a.createOrReplaceTempView("ua")
    b.createOrReplaceTempView("ub")
    return a, b


def sql(text):
    def case(s, F, W):
        frames(s)
        return s.sql("SELECT " + text)

    return case


def joined(names, how):
    def case(s, F, W):
        a, b = frames(s)
        return a.join(b, names, how)

    return case


def semi(how):
    return "semi" in how or "anti" in how


CASES = {
    f"{names} {how}": joined(names, how.replace(" ", ""))
    for how in HOWS
    for names in ("s", ["v", "s"], ["s", "v"])
}
CASES |= {
    text: sql(text)
    for how in HOWS
    for names in ("s", "v, s", "s, v")
    for columns in LISTS
    if not (semi(how) and "ub" in columns)
    for text in (f"{columns} FROM ua {how} JOIN ub USING ({names})",)
}
CASES |= {
    text: sql(text)
    for how in HOWS
    for columns in LISTS[:4]
    if not (semi(how) and "ub" in columns)
    for text in (f"{columns} FROM ua NATURAL {how} JOIN ub",)
}
CASES |= {text: sql(text) for text in DEEPER}
CASES |= {
    "select t.* of frames": lambda s, F, W: (
        frames(s)[0].alias("ua").join(frames(s)[1].alias("ub"), "s", "right").select("ua.*", "ub.*")
    ),
}
