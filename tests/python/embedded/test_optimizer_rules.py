# SPDX-License-Identifier: Apache-2.0
"""One test per rule of the optimizer: the plan as it was written and what becomes of it, and the same rows either way.

The larger ones (join order, outer joins, subqueries) are in test_optimizer.py.
"""

import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = 3000


@pytest.fixture(scope="module")
def spark(session, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rules")
    tables = {
        "facts": {
            "k": range(ROWS),
            "v": [k % 7 for k in range(ROWS)],
            "w": pa.array([None if k % 11 == 0 else k % 100 - 50 for k in range(ROWS)], pa.int16()),
            "b": pa.array([(k * 77) % 250 - 125 for k in range(ROWS)], pa.int16()),
            "t": [f"text {k % 13}" for k in range(ROWS)],
        },
        "dims": {"k": range(0, ROWS, 100), "name": [f"name {k}" for k in range(ROWS // 100)]},
    }
    own = session.newSession()
    for name, columns in tables.items():
        table = pa.table({c: pa.array(v) for c, v in columns.items()})
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=1000)
        own.read.parquet(str(folder / f"{name}.parquet")).createOrReplaceTempView(name)
    return own


def plans(spark, text):
    """The plan as written and the one that runs; checks that both give the same rows."""
    rows = sorted(map(repr, spark.sql(text).collect()))
    spark.conf.set("nbaspark.debug.optimizer", "false")
    try:
        assert rows == sorted(map(repr, spark.sql(text).collect()))
    finally:
        spark.conf.unset("nbaspark.debug.optimizer")
    parts = re.split(r"^== (.*) ==$", spark.sql("explain extended " + text).collect()[0][0], flags=re.M)  # fmt: skip
    named = dict(zip(parts[1::2], parts[2::2]))
    return named["Analyzed Logical Plan"], named["Physical Plan"]


def test_constant_folding(spark):
    before, after = plans(spark, "select k + (1 + 2 * 3) as s from facts where k > 10 - 7")
    assert "(1 + (2 * 3))" in before and "(10 - 7)" in before
    assert "(k#" in after and "+ 7)" in after and "> 3)" in after


def test_simplification(spark):
    text = "select k from facts where true and (v = 3 or false) and not (not (w > 2)) and (k < 0 or true)"
    before, after = plans(spark, text)
    assert "NOT (NOT" in before and "OR false" in before
    assert not re.search("NOT|true|false|OR", after)
    before, after = plans(spark, "select count(*) from facts where v = 3 and false")
    assert "AND false" in before and "(v" not in after


def test_predicate_pushdown(spark):
    text = "select * from (select k, v + 1 as z from facts) a join dims d on a.k = d.k where z > 3 and d.name < 'name 2'"
    before, after = plans(spark, text)
    assert before.index("Filter") < before.index("Join")
    filters = [m.start() for m in re.finditer(r"Filter \(", after)]
    assert len(filters) == 2 and all(at > after.index("HashJoin") for at in filters)
    assert "PushedFilters: [((v#" in after and "name 2" in after


def test_inference_through_joins(spark):
    text = "select count(*) from facts f join dims d on f.k = d.k join dims e on e.k = d.k where d.k < 500"
    before, after = plans(spark, text)
    assert before.count("< ") == 1 and after.count("(k < 500)") == 3


def test_column_pruning(spark):
    before, after = plans(spark, "select v from (select *, k * 2 as unused from facts) where w = 3")
    assert "unused" in before
    assert "FileScan parquet [v,w]" in after and "* 2" not in after


def test_subqueries_become_joins(spark):
    text = "select k from facts f where v > (select avg(x.v) from facts x where x.t = f.t) and exists (select 1 from dims d where d.k = f.k)"
    before, after = plans(spark, text)
    assert "scalar-subquery" in before.lower() or "subquery" in before.lower()
    assert "LeftSemi" in after and "HashAggregate (keys=[t#" in after
    assert "subquery" not in after.lower()


def test_join_order_and_build_side(spark):
    before, after = plans(spark, "select count(*) from dims d join facts f on d.k = f.k join dims e on e.k = d.k")  # fmt: skip
    first_scan = after.index("FileScan")
    joins = [m.start() for m in re.finditer("HashJoin", after)]
    assert len(joins) == 2 and all(at < first_scan or at > first_scan for at in joins)
    assert "BuildLeft" in after or "BuildRight" in after


def test_limit_pushdown(spark):
    before, after = plans(spark, "select count(*) from (select k + v as s from facts limit 5)")
    assert before.index("Limit") < before.index("(k#")
    assert "FileScan" in after and after.index("Limit") < after.index("FileScan")


def test_sort_with_limit_is_top_n(spark):
    before, after = plans(spark, "select k, t from facts order by v, k limit 4")
    assert "Sort" in before and "Limit" in before
    assert "TakeOrderedAndProject" in after and "Sort " not in after


def test_windows_merge(spark):
    text = "select k, row_number() over (partition by v order by k) as a, sum(k) over (partition by v order by k) as b, lag(k) over (partition by v order by k) as c from facts"
    before, after = plans(spark, text)
    assert after.count("Window [") == 1


def test_distinct_aggregates_need_one_pass(spark):
    before, after = plans(spark, "select v, count(distinct t), count(distinct w), sum(k) from facts group by v")  # fmt: skip
    assert after.count("HashAggregate") == 1 and after.count("FileScan") == 1


def test_sums_share_one_sum(spark):
    text = "select v, sum(w + 1) as a, sum(w + 2) as b, sum(3 + w) as c, sum(w - 4) as d, max(w) as e, sum(b + 1) as f from facts group by v"
    before, after = plans(spark, text)
    assert before.count("sum(") >= 5
    assert len(re.findall(r"functions=\[.*", after)[0].split("sum(")) == 3  # one of w, one of b
    assert "count(cast(w#" in after


def test_sums_that_may_overflow_are_left(spark):
    text = "select sum(v + 1), sum(v + 2), sum(v + 3), sum(w + 2147483647), sum(w + 2147483646), sum(w + 2147483645) from (select v, cast(-abs(w) as smallint) as w from facts)"
    _, after = plans(spark, text)
    assert "count(" not in after


def test_union_of_unions_is_one(spark):
    before, after = plans(spark, "select k from facts union all (select k from dims union all select v from facts)")  # fmt: skip
    assert before.count("Union") == 2 and after.count("Union") == 1


def test_equal_aggregations_run_once(spark):
    text = "with c as (select v, sum(k) as s from facts group by v) select a.v, b.s from c a join c b on a.v = b.v"
    before, after = plans(spark, text)
    assert before.count("Aggregate") == 2
    assert after.count("HashAggregate") == 2  # the second reads what the first has made


def scans(plan):
    """The columns of each scan of the facts."""
    return [
        set(c.split(",")) for c in re.findall(r"FileScan parquet \[([^\]]*)\]", plan) if "w" in c
    ]


def test_an_aggregation_that_another_contains_becomes_the_other(spark):
    """Also below filters, joins and unions; the projection above it gives what it gave."""
    for source in (
        "facts",
        "(select * from facts where b > 3)",
        "(select f.*, d.name from facts f join dims d on f.k = d.k)",
        "(select v, w, b from facts union all select w, v, b from facts)",
    ):
        both = (
            f"with c as (select w, sum(b) as s, max(v) as m from {source} group by w) select {{0}}"
        )
        text = both.format("w, m, s from c where s > (select avg(s) from c)")
        _, after = plans(spark, text)
        wide = re.findall(r"HashAggregate \(keys=\[w#\d+\], functions=\[(.*)\]\)", after)
        assert len(wide) >= 2 and len({re.sub(r"#\d+", "", w) for w in wide}) == 1, after
        assert "max(v#" in wide[0] and all({"v", "w", "b"} <= c for c in scans(after))
        assert "Project [w, sum(b)]" in after
    # one that a join with few rows cuts down is not computed as a whole for the sake of the other one
    text = both.format(
        "d.name, c.m, c.s, (select avg(s) from c) from c join dims d on c.w = d.k where d.k < 300"
    )
    assert len({frozenset(c) for c in scans(plans(spark, text)[1])}) == 2
    # other rows, other keys
    for text in (
        "select (select sum(s) from (select w, sum(b) as s from facts where v > 2 group by w)), (select max(m + s) from (select w, sum(b) as s, max(v) as m from facts where v > 3 group by w))",
        "select (select sum(s) from (select v, sum(b) as s from facts group by v)), (select max(m + s) from (select w, sum(b) as s, max(v) as m from facts group by w))",
    ):
        assert "Project [w, sum(b)]" not in plans(spark, text)[1]


def test_files_know_their_extremes(spark):
    text = "select min(k), max(w), count(w), count(*), count(1), min(b) + 1 as z from (select k, w, b, t from facts)"
    before, after = plans(spark, text)
    assert "min(" in before and "FileScan" not in after and "HashAggregate" not in after
    for left in (
        "select min(k), max(t) from facts",  # texts are cut
        "select min(k) from facts where v = 3",
        "select min(k + 1) from facts",
        "select min(k) filter (where v = 3) from facts",
        "select count(distinct k), min(k) from facts",
        "select v, min(k) from facts group by v",
        "select min(k) from (select k from facts limit 10)",
        "select count(*) from facts",
    ):
        assert "FileScan" in plans(spark, left)[1], left


RANKED = "select k, v, r from (select k, v, w, {0}() over (partition by v order by w {1}) as r from facts) where {2}"  # fmt: skip


@pytest.mark.parametrize("order", ["", "desc", "nulls last, k", "desc nulls first, k desc"])
@pytest.mark.parametrize("function", ["rank", "dense_rank"])
@pytest.mark.parametrize(
    ("condition", "limit"),
    [("r <= 3", 3), ("r < 2", 1), ("2 >= r and k < 1500", 2), ("r = 5", 5), ("r between 2 and 4", 4), ("r <= 200", 200)],
)  # fmt: skip
def test_windows_keep_the_first_ranks(spark, function, order, condition, limit):
    _, after = plans(spark, RANKED.format(function, order, condition))
    assert f"limit={limit}" in after


def test_first_rows_of_many_groups(spark):
    """Ties by all keys of the order are as they come."""
    text = "select * from (select k, t, row_number() over (partition by t, v order by b, k desc) as r, rank() over (partition by t, v order by b, k desc) as s from facts) where r <= 2"
    assert "limit=2" in plans(spark, text)[1]
    text = (
        "select * from (select k, row_number() over (order by w, k) as r from facts) where r <= 7"
    )
    assert "limit=7" in plans(spark, text)[1]
    text = "select * from (select k, row_number() over (partition by w order by t, k) as r from facts) where r <= 2"
    assert "limit=2" in plans(spark, text)[1]


@pytest.mark.parametrize(
    "text",
    [
        RANKED.format("rank", "", "r >= 3"),
        RANKED.format("rank", "", "r <= 3 or k < 5"),
        RANKED.format("rank", "", "r < 1"),
        RANKED.format("rank", "", "r <= 3 and 5 div (k + 1) >= 0"),  # may fail
        RANKED.format("rank", "", "r <= w"),
        "select * from (select k, percent_rank() over (partition by v order by w) as r from facts) where r <= 1",
        "select * from (select k, ntile(3) over (partition by v order by w) as r from facts) where r <= 2",
        "select * from (select k, rank() over (partition by v order by w) as r, sum(k) over (partition by v order by w) as s from facts) where r <= 2",
        "select * from (select k, rank() over (partition by v order by w) as r, lead(k) over (partition by v order by w, k) as s from facts) where r <= 2 and s > 4",
    ],
)
def test_windows_that_need_all_rows(spark, text):
    before, after = plans(spark, text)
    assert "Window" in before and "limit=" not in after


@pytest.mark.parametrize(("groups", "limit"), [(1_900_000, 1), (700_000, 2), (100, 2), (7, 128), (7, 129)])  # fmt: skip
def test_first_rows_of_many_rows(spark, groups, limit):
    """So many that it is given up where it does not pay."""
    text = f"select count(*), sum(id), max(r) from (select id, row_number() over (partition by id % {groups} order by id desc) as r from range(2000000)) where r <= {limit}"
    first = [i for g in range(min(groups, 200)) for i in range(g, 2000000, groups)[-limit:]]
    count, total, most = spark.sql(text).collect()[0]
    assert most == min(limit, -(-2000000 // groups))
    if groups <= 200:
        assert (count, total) == (len(first), sum(first))
    else:
        assert count == sum(min(limit, len(range(g, 2000000, groups))) for g in range(groups))


UNION = "with u as (select 'a' as c, k, v from facts union all select 'b', k, length(name) from dims union all select 'c', k, w from facts) "  # fmt: skip


@pytest.mark.parametrize(
    ("text", "scans", "unions"),
    [
        (UNION + "select k, v from u where c = 'b' and k > 100", 1, 0),
        (UNION + "select c, k, v from u where c in ('a', 'c') and v = 3", 2, 1),
        (UNION + "select x.k, y.v from u x join u y on x.k = y.k where x.c = 'a' and y.c = 'b'", 2, 0),
        (UNION + "select sum(k), count(*), max(c) from u where c = 'd'", 0, 0),
        (UNION + "select v, count(*) from u where c > 'z' group by v", 0, 0),
        (UNION + "select d.k, x.v from dims d left join (select * from u where c is null) x on d.k = x.k", 1, 0),
        (UNION + "select d.k from dims d where exists (select 1 from u where c = 'x' and u.k = d.k)", 0, 0),
        (UNION + "select d.k from dims d where not exists (select 1 from u where c = 'x' and u.k = d.k)", 1, 0),
        (UNION + "select k from dims union all select k from u where c = 'none' union all select k + 1 from dims", 2, 1),
        (UNION + "select k, row_number() over (partition by v order by k) from u where c = 'none' order by k limit 3", 0, 0),
        (UNION + "select v, k, sum(k) from u where c = '' group by rollup (v, k)", 0, 0),
    ],
)  # fmt: skip
def test_what_has_no_rows_is_not_run(spark, text, scans, unions):
    _, after = plans(spark, text)
    assert after.count("FileScan") == scans and after.count("Union") == unions


SETS = [
    "rollup (v, t)",
    "cube (v, t)",
    "grouping sets ((v), (t), (v), ())",
    "grouping sets ((v, t), (t))",
    "rollup (v % 2, t)",
    "cube (v, 'x')",
]


@pytest.mark.parametrize("sets", SETS)
def test_grouping_sets_are_made_of_groups(spark, sets):
    functions = "grouping_id() as g, count(*) as a, count(w) as b, sum(w) as c, avg(w) as d, min(t) as e, max(cast(k as decimal(9, 2))) as f, sum(cast(k as decimal(20, 3))) as h, bool_or(v = 3) as i"  # fmt: skip
    _, after = plans(spark, f"select {functions} from facts group by {sets}")
    assert after.count("HashAggregate") == 2 and after.count("Expand") == 1
    below = after[after.index("Expand") :]
    assert "HashAggregate" in below
    _, after = plans(spark, f"select {functions} from facts where k < 0 group by {sets}")
    assert after.count("Expand") == 1


@pytest.mark.parametrize(
    "function",
    [
        "sum(cast(k as double))",  # the order of additions shows
        "avg(k / 3.0D)",
        "stddev(b)",
        "count(distinct t)",
        "collect_list(k)",
        "first(t)",
        "sum(k) filter (where v > 2)",
    ],
)
def test_grouping_sets_that_need_rows(spark, function):
    text = f"select v, t, cast({function} as string) from facts group by rollup (v, t)"
    assert plans(spark, text)[1].count("HashAggregate") == 1


def test_grouping_sets_of_many_groups(spark):
    _, after = plans(spark, "select k, t, count(*) from facts group by rollup (k, t)")
    assert after.count("HashAggregate") == 1


def test_columns_of_one_table_have_as_many_values_as_it_has_rows(spark, tmp_path):
    """50 × 50 × 50 values, but no more than 50 together."""
    dim = spark.range(50).selectExpr("id", "id * 2 a", "'b' || id b", "'c' || id c")
    dim.write.parquet(f"{tmp_path}/dim")
    spark.range(5000).selectExpr("id % 50 k", "id v").write.parquet(f"{tmp_path}/facts")
    joined = f"parquet.`{tmp_path}/facts` join parquet.`{tmp_path}/dim` on k = id"
    text = f"select a, upper(b), c, count(*), max(v) from {joined} group by rollup (a, upper(b), c)"
    assert plans(spark, text)[1].count("HashAggregate") == 2
    found = spark.sql(text).collect()
    assert len(found) == 151 and sum(r[3] for r in found) == 4 * 5000
    # two tables: as many as there are rows
    text = f"select a, v, count(*) from {joined} group by rollup (a, v)"
    assert plans(spark, text)[1].count("HashAggregate") == 1


def test_ranks_of_many_rows_without_partitions(spark):
    """More rows than a thread sees before it asks itself whether dropping rows pays."""
    found = spark.sql(
        "SELECT id, r FROM (SELECT id, row_number() OVER (ORDER BY id) r FROM range(300000)) WHERE r <= 3"
    ).collect()
    assert sorted(map(tuple, found)) == [(0, 1), (1, 2), (2, 3)]


def test_sums_that_overflow_in_finer_groups_only(spark, tmp_path):
    """By a and by b each group's values cancel out, in pairs of rows; by both they do not."""
    rows = "SELECT id % 2 a, (id DIV 2) % 2 b, if(id % 2 = (id DIV 2) % 2, 1, -1) * 9223372036854775807 v FROM range(0, 400, 1, 1)"
    spark.sql(rows).write.parquet(str(tmp_path / "t"))
    for f in ("sum(v)", "try_sum(v)", "try_sum(CAST(v AS decimal(38, 19)))"):
        text = f"SELECT {f} s FROM parquet.`{tmp_path}/t` GROUP BY GROUPING SETS ((a), (b))"
        assert [r.s for r in spark.sql(text).collect()] == [0] * 4, f


BANDS = "(values (0, 2, 'low'), (3, 6, 'high')) b (lo, hi, name)"


def test_conditions_on_pairs_take_what_one_row_gives(spark):
    """A join without keys asks about every pair; what reads one side only is computed below it."""
    text = f"select b.name, count(*), sum(f.k) from facts f join {BANDS} on floor(f.k / 500) between b.lo and b.hi group by b.name"
    before, after = plans(spark, text)
    assert before.index("floor(") < before.index("Relation")
    assert after.index("HashJoin []") < after.index("floor(") and after.count("floor(") == 1
    for join in ("left join", "left semi join", "full join"):
        text = f"select f.k from facts f {join} {BANDS} on length(f.t) > b.lo and f.k < b.hi"
        _, after = plans(spark, text)
        assert after.index("HashJoin") < after.index("length(")
    _, after = plans(spark, f"select count(*) from facts f join {BANDS} on f.k = b.lo and f.k % 5 + b.hi > 3")  # fmt: skip
    assert "%" not in after  # with keys, pairs are few


@pytest.mark.parametrize(
    "number,below",
    [("% 7", True), ("div 9", True), ("/ 2.5d", True), ("% 0", False), ("div -1", False), ("% v", False)],
)  # fmt: skip
def test_only_what_cannot_fail_is_computed_before_a_pair_is_there(spark, number, below):
    text = f"explain select count(*) from facts f join {BANDS} on (k {number}) > b.lo"
    assert (re.search(r"Project \[\(.*k#", spark.sql(text).collect()[0][0]) is not None) == below


def test_filters_of_keys_leave_what_is_shared(spark):
    """Two readings of r are one; a third, which wants only keys that are not null, becomes the same below its filter."""
    shared = "with r as (select f.v, f.w, sum(f.b) as s from facts f join dims d on f.k = d.k group by f.v, f.w) "
    text = shared + (
        "select a.v, a.s, b.s from r a join r b on a.v = b.v and a.w = b.w "
        "where a.s > (select -1000 + max(s) from r where w is not null)"
    )
    _, after = plans(spark, text)
    filters = [m.start() for m in re.finditer(r"Filter \(w IS NOT NULL\)", after)]
    assert filters and all(after[at:].splitlines()[1].lstrip(" +-").startswith("HashAggregate (keys=[v#") for at in filters)  # fmt: skip
    # few rows pass, and nothing else reads all of them: the filter stays where it leaves out rows early
    _, after = plans(spark, shared + "select (select max(s) from r where v = 3), (select count(*) from r where w > 0)")  # fmt: skip
    assert after.index("Filter (v = 3)") > after.index("HashJoin [k#")
    # an aggregate that is no key cannot be asked above
    _, after = plans(spark, "select (select sum(b) from facts where w is not null), (select sum(b) from facts)")  # fmt: skip
    assert "Filter (w IS NOT NULL)\n" in after
