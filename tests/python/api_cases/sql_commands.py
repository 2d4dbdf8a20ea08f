# SPDX-License-Identifier: Apache-2.0
"""SQL commands: what they show, what they change, and what they refuse."""


def view(s):
    s.sql("create or replace temp view cmd_v as select 1 as a, 'x' as b")
    return s


def after(s, *commands, then):
    for command in commands:
        s.sql(command)
    return then(s)


def cached(name):
    return lambda s: s.catalog.isCached(name)


CASES = {
    "cache_table": lambda s, F, W: after(view(s), "cache table cmd_v", then=cached("cmd_v")),
    "uncache_table": lambda s, F, W: after(
        view(s), "cache table cmd_v", "uncache table cmd_v", then=cached("cmd_v")
    ),
    "uncache_missing": lambda s, F, W: s.sql("uncache table if exists cmd_nosuch"),
    "cache_missing": lambda s, F, W: s.sql("cache table cmd_nosuch"),
    "use_default": lambda s, F, W: s.sql("use default"),
    "show_current": lambda s, F, W: s.sql("show current database"),
    "describe_table": lambda s, F, W: view(s).sql("describe cmd_v"),
    "describe_query": lambda s, F, W: s.sql("describe query select 1 as a, array('x') as b"),
    "show_columns": lambda s, F, W: view(s).sql("show columns in cmd_v"),
    "set_and_get": lambda s, F, W: after(
        s, "set cmd.key = some value", then=lambda s: s.sql("set cmd.key")
    ),
    "view_with_columns": lambda s, F, W: after(
        s,
        "create or replace temp view cmd_c (x comment 'first', y) as select 1, 'z'",
        then=lambda s: s.table("cmd_c"),
    ),
    "view_exists": lambda s, F, W: view(s).sql("create temp view cmd_v as select 2"),
    "drop_view": lambda s, F, W: after(view(s), "drop view cmd_v", then=lambda s: s.table("cmd_v")),
    "drop_missing_view": lambda s, F, W: s.sql("drop view cmd_nosuch"),
    "drop_missing_view_if_exists": lambda s, F, W: s.sql("drop view if exists cmd_nosuch"),
    "named_arguments": lambda s, F, W: s.sql("select :x + :y as z", args={"x": 1, "y": 2}),
    "positional_arguments": lambda s, F, W: s.sql("select ? as a, ? as b", args=[1, "x"]),
    "unbound_argument": lambda s, F, W: s.sql("select :x + :y", args={"x": 1}).schema,
    "syntax_error": lambda s, F, W: s.sql("select 1 +"),
    "expr_with_alias": lambda s, F, W: s.range(1).select(
        F.expr("id + 1 as n"), F.expr("cast(id as string)")
    ),
    "select_expr": lambda s, F, W: s.range(2).selectExpr(
        "id", "id * 2 as twice", "-id", "id in (1, 2)"
    ),
    "filter_text": lambda s, F, W: s.range(5).filter("id >= 2 and id % 2 = 0"),
}
