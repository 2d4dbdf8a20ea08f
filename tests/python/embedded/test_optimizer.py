# SPDX-License-Identifier: Apache-2.0
"""What the optimizer makes of plans, read from EXPLAIN; each rewritten query gives the rows of the plan as it was written."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture(scope="module")
def tables(session, tmp_path_factory):
    """Four Parquet tables: big(k, m, v) refers to mid(m, s), mid to small(s, name); other(k) is for semi joins."""
    spark = session.newSession()
    folder = tmp_path_factory.mktemp("optimizer")
    made = {
        "big": {
            "k": [i % 500 for i in range(20000)],
            "m": [i % 300 for i in range(20000)],
            "v": [i % 97 for i in range(20000)],
        },
        "mid": {"m": list(range(300)), "s": [i % 20 for i in range(300)]},
        "small": {"s": list(range(20)), "name": [f"name {i}" for i in range(20)]},
        "other": {"k": [i * 7 for i in range(40)]},
    }
    for name, columns in made.items():
        path = str(folder / f"{name}.parquet")
        pq.write_table(pa.table(columns), path)
        spark.read.parquet(path).createOrReplaceTempView(name)
    return spark


def plan(spark, text):
    return spark.sql("explain " + text).collect()[0][0]


def check(spark, text):
    """Compare the rows with those of the plan as it was written; return the optimized plan."""
    rows = sorted(map(repr, spark.sql(text).collect()))
    spark.conf.set("nbaspark.debug.optimizer", "false")
    try:
        assert rows == sorted(map(repr, spark.sql(text).collect()))
    finally:
        spark.conf.unset("nbaspark.debug.optimizer")
    assert rows
    return plan(spark, text)


def test_joins_are_ordered_by_size(tables):
    text = check(
        tables,
        "select count(*) from big, small, mid where big.m = mid.m and mid.s = small.s and small.name = 'name 3'",
    )
    # no cross product of big and small: the filtered small table meets mid first
    lines = [line for line in text.splitlines() if "HashJoin" in line]
    assert len(lines) == 2
    assert "[m#" in lines[0] and "[s#" in lines[1]
    assert "[]" not in "".join(lines)


def test_equal_columns_meet_through_a_third(tables):
    text = check(
        tables,
        "select count(*) from big b, mid x, mid y where b.m = x.m and b.m = y.m and y.m < 10",
    )
    # the filter on y.m holds for x.m and b.m as well
    assert text.count("(m < 10)") == 3


def test_common_conjunct_of_a_disjunction_is_a_key(tables):
    text = check(
        tables,
        "select count(*) from big, mid where (big.m = mid.m and big.v < 5) or (big.m = mid.m and mid.s = 3)",
    )
    assert "HashJoin [m#" in text


def test_disjunction_filters_each_side(tables):
    text = check(
        tables,
        "select count(*) from mid, small where mid.s = small.s and "
        "((mid.m = 5 and small.name = 'name 5') or (mid.m = 7 and small.name = 'name 7'))",
    )
    assert "Filter ((m = 5) OR (m = 7))" in text
    assert "Filter ((name = name 5) OR (name = name 7))" in text


@pytest.mark.parametrize(
    ("join", "condition", "becomes"),
    [
        ("left", "small.name > 'a'", "Inner"),
        ("left", "small.name is null or small.s > 3", "LeftOuter"),
        ("left", "coalesce(small.name, 'x') = 'x' or mid.m > 3", "LeftOuter"),
        ("right", "mid.m > 3", "Inner"),
        ("full", "mid.m > 3", "LeftOuter"),
        ("full", "small.s > 3", "RightOuter"),
        ("full", "small.s + mid.s > 3", "Inner"),
        ("full", "mid.m is null or small.s > 1", "FullOuter"),
    ],
)
def test_outer_joins_narrow(tables, join, condition, becomes):
    text = check(
        tables,
        f"select * from mid {join} join small on mid.s + 15 = small.s where {condition}",
    )
    assert f", {becomes}, " in text


def test_scalar_subquery_is_a_join(tables):
    text = check(
        tables,
        "select count(*) from big where v > (select avg(b2.v) from big b2 where b2.k = big.k)",
    )
    assert "LeftSingle" not in text
    assert ", Inner, " in text


def test_semi_join_comes_early(tables):
    text = check(
        tables,
        "select count(*) from big, mid, small where big.m = mid.m and mid.s = small.s "
        "and small.name in ('name 1', 'name 2') and mid.m in (select k from other where k < 100)",
    )
    lines = [line for line in text.splitlines() if "HashJoin" in line]
    assert len(lines) == 3
    assert "LeftSemi" not in lines[0]


def test_build_side_is_the_smaller(tables):
    assert "BuildRight" in check(tables, "select count(*) from big join mid on big.m = mid.m")
    assert "BuildLeft" in check(tables, "select count(*) from mid join big on big.m = mid.m")
    assert "LeftSemi, BuildLeft" in check(
        tables, "select count(*) from other where k in (select k from big)"
    )


def test_a_small_table_is_built_rather_than_what_joins_are_thought_to_give(tables):
    """Conditions that go together make many joins give more than was estimated, and a table of 20 rows costs nothing."""
    same = " ".join(f"join big b{i} using (k, m, v)" for i in range(5))
    text = check(
        tables,
        f"select count(*) from (select v from big {same} where k = 3 and m = 3 and v = 3 limit 100000) join small on s = v",
    )
    joins = [line for line in text.splitlines() if "HashJoin" in line]
    assert len(joins) == 6 and "s#" in joins[0] and "BuildRight" in joins[0]


def test_many_relations(tables):
    chain = " and ".join(f"t{i}.s = t{i + 1}.s" for i in range(15))
    names = ", ".join(f"small t{i}" for i in range(16))
    text = check(tables, f"select count(*) from {names} where {chain}")
    assert text.count("HashJoin") == 15
    assert "HashJoin []" not in text


def test_many_small_relations_make_no_product(tables, tmp_path):
    """Beyond what is searched through: relations of one row each meet the facts one by one, not all at once by many keys."""
    columns = {f"c{i}": [k * (i + 3) % 20 for k in range(2000)] for i in range(13)}
    pq.write_table(pa.table(columns), str(tmp_path / "facts.parquet"))
    tables.read.parquet(str(tmp_path / "facts.parquet")).createOrReplaceTempView("facts13")
    names = ", ".join(f"small s{i}" for i in range(13))
    keys = " and ".join(f"c{i} = s{i}.s and s{i}.name = 'name {i}'" for i in range(13))
    text = check(tables, f"select count(*) from facts13, {names} where {keys}")
    assert text.count("HashJoin") == 13
    assert "HashJoin []" not in text


def test_sort_over_joins_keeps_the_columns_order(tables):
    rows = tables.sql(
        "select * from big, mid, small where big.m = mid.m and mid.s = small.s and v = 1 order by k, name limit 1"
    )
    assert rows.columns == ["k", "m", "v", "m", "s", "s", "name"]
    first = rows.collect()[0]
    assert first["v"] == 1 and first["name"] == f"name {first[4]}" and first[1] == first[3]


def test_classes_of_equal_columns_keep_apart(spark):
    """Two classes that become one leave a place; the next class must not find the columns of another one there."""
    for i in range(1, 7):
        frame = spark.range(12).selectExpr("id as a", f"id % {i + 2} as b", f"(id * {i}) % 7 as d")
        frame.createOrReplaceTempView(f"apart{i}")
    tables = ", ".join(f"apart{i} t{i}" for i in range(1, 7))
    check(
        spark,
        f"select count(*), sum(t6.d), sum(t1.d) from {tables} where t6.a = t4.a and t5.a = t3.a "
        "and t4.b = t2.b and t4.a = t3.a and t3.d = t1.d",
    )


@pytest.fixture(scope="module")
def sales(session, tmp_path_factory):
    """sold(t, p): ten lines of each ticket; back(t, p, c): one line of each ticket came back; wanted(c), web(c, p)."""
    spark = session.newSession()
    folder = tmp_path_factory.mktemp("sales")
    made = {
        "sold": {
            "t": [i // 10 for i in range(20000)],
            "p": [i * 7 % 150 for i in range(20000)],
            "c": [i // 10 % 500 for i in range(20000)],
            "day": [i % 1000 for i in range(20000)],
        },
        "back": {
            "t": list(range(2000)),
            "p": [i * 70 % 150 for i in range(2000)],
            "c": list(range(2000)),
            "day": [i % 1000 for i in range(2000)],
        },
        "wanted": {"c": [i % 2000 for i in range(4000)]},
        "web": {"c": [i % 500 for i in range(10000)], "p": [i * 11 % 150 for i in range(10000)]},
        "days": {"day": list(range(1000)), "year": [i // 100 for i in range(1000)]},
    }
    for name, columns in made.items():
        path = str(folder / f"{name}.parquet")
        pq.write_table(pa.table(columns), path)
        spark.read.parquet(path).createOrReplaceTempView(name)
    return spark


def test_two_keys_are_one_of_the_larger_side(sales):
    """A ticket names one line that came back, so ticket and product are a key of what was sold: that join gives no more rows than came back."""
    text = check(
        sales,
        "select count(*), sum(s.day) from sold s join back r on s.t = r.t and s.p = r.p join wanted w on w.c = r.c",
    )
    joins = [line for line in text.splitlines() if "HashJoin" in line]
    assert "[c#" in joins[0] and "p#" in joins[1] and "t#" in joins[1]


def test_keys_between_three_members_count_once(sales):
    """Client and product join three relations; the filtered days still meet what came back before the rest."""
    text = check(
        sales,
        "select count(*) from sold s join back r on s.t = r.t and s.p = r.p and s.c = r.c % 500 "
        "join web w on w.p = r.p and w.c = s.c join days d on d.day = r.day where d.year = 3",
    )
    joins = [line for line in text.splitlines() if "HashJoin" in line]
    assert "[day#" in joins[-1]


def test_correlated_aggregates_come_before_the_outer_join(tables):
    """What an aggregate gives over no rows is null or 0: the groups meet the outer rows, not the rows of the groups."""
    few = "(select * from small where s < 6)"
    counts = f"select o.s, (select count(*) from big where m = o.s and k <> o.s) as c from {few} o"
    text = check(tables, counts)
    assert text.count("LeftOuter") == 1
    assert text.index("LeftOuter") < text.index("HashAggregate (keys=[s#")
    rows = dict(tables.sql(counts).collect())
    assert rows == {s: sum(i % 300 == s and i % 500 != s for i in range(20000)) for s in range(6)}
    text = check(
        tables,
        f"select o.s from {few} o where o.s > 0.1 * (select avg(v) from big where m = o.s and k <> o.s)",
    )
    assert "LeftOuter" not in text
    none = f"select o.s, (select count(k) + count(*) from big where m = o.s - 3 and k > o.s) from {few} o"
    assert [r[1] == 0 for r in sorted(tables.sql(none).collect())] == [True] * 3 + [False] * 3
    lists = f"select o.s, (select collect_list(k) from big where m = o.s - 3 and k > 490 + o.s) from {few} o"
    assert [r[1] == [] for r in sorted(tables.sql(lists).collect())][:3] == [True] * 3


@pytest.fixture(scope="module")
def channels(session, tmp_path_factory):
    """lines(k, p, day, x) with nulls; came(k, p, q, why): some of them came back; reasons(why, name); days(day, week, year); seen(day, p): what was there on every tenth of some of these days."""
    spark = session.newSession()
    folder = tmp_path_factory.mktemp("channels")
    n = 12000
    made = {
        "lines": {
            "k": [None if i % 31 == 0 else i // 4 for i in range(n)],
            "p": [i * 7 % 90 for i in range(n)],
            "day": [3000 + i % 500 for i in range(n)],
            "x": [None if i % 13 == 0 else (i % 5 - 2) * 0.0 for i in range(n)],
        },
        "came": {
            "k": [None if i % 17 == 0 else i for i in range(0, n // 4)],
            "p": [i * 28 % 90 for i in range(n // 4)],
            "q": [None if i % 3 == 0 else i % 4 for i in range(n // 4)],
            "why": [i % 20 for i in range(n // 4)],
            "x": [None if i % 7 == 0 else 0.0 for i in range(n // 4)],
        },
        "reasons": {"why": list(range(20)), "name": [f"reason {i}" for i in range(20)]},
        "days": {
            "day": list(range(30000)),
            "week": [i // 7 for i in range(30000)],
            "year": [i // 365 for i in range(30000)],
        },
        "seen": {
            "day": [3000 + i % 50 * 10 for i in range(100000)],
            "p": [i // 50 % 90 for i in range(100000)],
        },
    }
    for name, columns in made.items():
        path = str(folder / f"{name}.parquet")
        pq.write_table(pa.table(columns), path)
        spark.read.parquet(path).createOrReplaceTempView(name)
    return spark


@pytest.mark.parametrize(
    "text",
    [
        "select count(*), sum(l.p) from lines l left join came c on l.k = c.k and l.p = c.p, reasons r where c.why = r.why and r.name = 'reason 3'",
        "select l.p, u.why from lines l left join (select k, p, why + 1 as why from came) u on l.k = u.k join reasons r on u.why = r.why where l.p < 3",
        "select l.p from lines l left join came c on l.k = c.k left semi join reasons r on c.why = r.why where l.day = 3003",
        "select r.name, t.n from reasons r join (select c.why, count(*) as n from lines l left join came c on l.k = c.k group by c.why) t on t.why = r.why",
        "select r.name, t.p from reasons r join (select c.why, l.p from lines l left join came c on l.k = c.k where l.p < 4 union all select why, p from came) t on t.why = r.why",
    ],
)
def test_keys_of_joins_above_narrow_outer_joins(channels, text):
    """A join above drops rows whose key is null, so an outer join need not make them."""
    assert "LeftOuter" not in check(channels, text)


@pytest.mark.parametrize(
    "text",
    [
        "select l.p, c.why from lines l left join came c on l.k = c.k where l.day = 3003",
        "select l.p, r.name from lines l left join came c on l.k = c.k left join reasons r on c.why = r.why where l.day = 3003",
        "select l.p from lines l left join came c on l.k = c.k join reasons r on c.why <=> r.why where l.day = 3003",
        "select l.p from lines l left join came c on l.k = c.k join reasons r on coalesce(c.why, 4) = r.why where l.day = 3003",
        "select l.p from lines l left join came c on l.k = c.k left anti join reasons r on c.why = r.why where l.day = 3003",
        "select r.name, t.n from reasons r left join (select c.why, count(*) as n from lines l left join came c on l.k = c.k group by c.why) t on t.why is null",
    ],
)
def test_outer_joins_stay_for_rows_without_a_match(channels, text):
    assert "LeftOuter" in check(channels, text)


@pytest.mark.parametrize(
    ("text", "anti"),
    [
        (
            "select l.p, c.q, c.why from lines l left join came c on l.k = c.k and l.p = c.p where c.k is null",
            True,
        ),
        (
            "select count(*), count(c.q) from lines l left join came c on l.k = c.k and l.day > 3100 where c.k is null",
            True,
        ),
        (
            "select count(*) from lines l left join came c on l.k < c.k and c.k < 9 where c.k is null",
            True,
        ),
        (
            "select l.p, c.flag from lines l left join (select k, 1 as flag from came) c on l.k = c.k where c.flag is null and c.k is null and l.p = 3",
            True,
        ),
        (
            "select l.p from lines l left join came c on l.k = c.k where c.k is null and coalesce(c.q, 7) = 7 and l.p = 3",
            True,
        ),
        ("select count(*) from lines l left join came c on l.k = c.k where c.q is null", False),
        ("select count(*) from lines l left join came c on l.k <=> c.k where c.k is null", False),
        (
            "select count(*) from lines l left join came c on coalesce(l.k, 1) = coalesce(c.k, 1) where c.k is null",
            False,
        ),
        (
            "select count(*) from lines l left join came c on l.k = c.k where c.k is null or c.q = 1",
            False,
        ),
        (
            "select l.p from lines l right join came c on l.k = c.k where c.k is null and c.why = 1",
            False,
        ),
    ],
)
def test_left_join_without_a_match_is_an_anti_join(channels, text, anti):
    assert ("LeftAnti" in check(channels, text)) == anti


def test_anti_joins_of_outer_joins_come_in_any_order(channels):
    text = check(
        channels,
        "select d.year, l.p, c.q, count(*) from lines l left join came c on l.k = c.k and l.p = c.p "
        "join days d on l.day = d.day where c.k is null and d.week = 430 group by d.year, l.p, c.q",
    )
    joins = [line for line in text.splitlines() if "HashJoin" in line]
    assert "LeftAnti" in joins[0] and "[day#" in joins[1]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (
            "select l.p, c.q from lines l left join came c on l.k = c.k where l.k in (3, 34, 1500)",
            2,
        ),
        (
            "select l.p, c.q from came c right join lines l on l.k = c.k where l.k in (3, 34, 1500)",
            2,
        ),
        (
            "select l.p from lines l left anti join came c on l.k = c.k where l.k in (3, 34, 1500)",
            2,
        ),
        (
            "select l.p from lines l left semi join came c on l.k = c.k where l.k in (3, 34, 1500)",
            2,
        ),
        (
            "select t.k, t.n, c.n from (select k, count(*) n from lines group by k) t left join (select k, count(*) n from came group by k) c on t.k = c.k where t.k in (3, 34, 1500)",
            2,
        ),
        (
            "select l.p, c.q from lines l full join came c on l.k = c.k and l.k in (3, 34, 1500) where l.p = 3",
            0,
        ),
        (
            "select l.p, c.q from lines l left join came c on l.k <=> c.k where l.k in (3, 34, 1500)",
            1,
        ),
    ],
)
def test_conditions_of_keys_hold_on_both_sides_of_outer_joins(channels, text, times):
    """Rows of the side that may be missing could match nothing if they fail a condition on the other side's key."""
    made = check(channels, text)
    assert len([line for line in made.splitlines() if "IN (3, 34, 1500)" in line and "Filter (" in line]) == times  # fmt: skip


def test_equal_floats_are_not_alike(channels):
    """-0.0 equals 0.0, and is another text."""
    check(
        channels,
        "select count(*), count(c.x) from lines l left join came c on l.x = c.x and l.p = c.p where cast(l.x as string) = '-0.0' and l.day < 3010",
    )


@pytest.mark.parametrize(
    "text",
    [
        "select d.year, count(*) from lines l, days d, came c where l.day = d.day and l.k = c.k and d.week = (select distinct week from days where day = 3015) group by d.year",
        "select d.year, w.x from lines l join days d on l.day = d.day cross join (select 1 as x) w where d.week between (select distinct week from days where day = 3015) and (select distinct week + 1 from days where day = 3015)",
        "select d.year from lines l join days d on l.day = d.day left join came c on c.k = l.k where d.week + 1 > (select distinct week from days where day = 3470) and d.day < (select distinct day from days where day = 3480)",
        "select d.year, (select distinct year from days where day = 99) from lines l join days d on l.day = d.day where d.week = (select distinct week from days where day = 3015)",
    ],
)
def test_scalar_subqueries_filter_the_relation_they_are_compared_with(channels, text):
    lines = check(channels, text).splitlines()
    single = max(i for i, line in enumerate(lines) if "LeftSingle" in line)
    joins = [line for line in lines[:single] if "HashJoin" in line and "LeftSingle" not in line]
    assert joins and any("FileScan parquet [day,week" in line for line in lines[single:])


def test_scalar_subquery_of_two_rows_is_an_error_wherever_it_stands(channels):
    with pytest.raises(Exception, match="SCALAR_SUBQUERY_TOO_MANY_ROWS"):
        channels.sql(
            "select count(*) from lines l, days d where l.day = d.day and d.week = (select distinct week from days where day < 9)"
        ).collect()
    none = "select count(*) from lines l, days d where l.day = d.day and d.week = (select distinct week from days where day < 0)"
    assert channels.sql(none).collect()[0][0] == 0


def test_weeks_of_a_calendar_are_those_of_the_days_that_facts_have(channels):
    """The calendar has more weeks than the facts: by weeks alone each fact meets many days, so that what else is little comes before."""
    text = check(
        channels,
        "select count(*) from lines l join came c on c.k = l.k join days d1 on l.day = d1.day join days d2 on d1.week = d2.week "
        "join seen s on s.day = d2.day and s.p = l.p where c.why < 10 and d1.year = 8",
    )
    joins = [line for line in text.splitlines() if "HashJoin" in line]
    assert joins[0].count("day#") == 2 and joins[0].count("p#") == 2


def test_bytes_of_literals(session):
    """Bytes that are no UTF-8 do not keep a plan from being shown."""
    text = plan(session, "select x'27ff' a, cast(x'ff41' as string) b")
    assert "0x27FF" in text and "\ufffdA" in text
