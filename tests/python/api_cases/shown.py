# SPDX-License-Identifier: Apache-2.0
"""What `show` and `explain` print, byte for byte."""


def things(s):
    return s.createDataFrame(
        [
            (1, "short", 1.5, True, None),
            (2, "a text of more than twenty characters", None, None, [1, 2]),
            (None, "tab\tline\nback\\", -0.0, False, []),
        ],
        "i int, t string, d double, b boolean, l array<int>",
    )


def text(s, df, *arguments):
    return df._show_string(*arguments)


CASES = {
    "show": lambda s, F, W: text(s, things(s)),
    "show_two": lambda s, F, W: text(s, things(s), 2),
    "show_none": lambda s, F, W: text(s, things(s), 0),
    "show_whole": lambda s, F, W: text(s, things(s), 20, False),
    "show_width": lambda s, F, W: text(s, things(s), 20, 8),
    "show_width_small": lambda s, F, W: text(s, things(s), 20, 3),
    "show_vertical": lambda s, F, W: text(s, things(s), 20, True, True),
    "show_vertical_whole": lambda s, F, W: text(s, things(s), 1, False, True),
    "show_vertical_nothing": lambda s, F, W: text(s, things(s).limit(0), 20, True, True),
    "show_empty": lambda s, F, W: text(s, things(s).limit(0)),
    "show_no_columns": lambda s, F, W: text(s, s.range(2).select()),
    "show_more_than_twenty": lambda s, F, W: text(s, s.range(30).coalesce(1)),
    "show_one_more": lambda s, F, W: text(s, s.range(2).coalesce(1), 1),
    "show_wide_characters": lambda s, F, W: text(
        s, s.createDataFrame([("日本", "é"), ("😀x", None)], "wide string, narrow string")
    ),
    "show_wide_header": lambda s, F, W: text(s, s.range(1).toDF("日本語の列")),
    "show_numbers": lambda s, F, W: text(
        s,
        s.sql(
            "select 1Y a, 2S b, 3L c, 1.5F d, 1e10D e, 1e-5D f, 123456789.0D g, 1.50 h, "
            "float('nan') i, double('-infinity') j"
        ),
        20,
        False,
    ),
    "show_times": lambda s, F, W: text(
        s,
        s.sql(
            "select date'2020-01-02' a, timestamp'2020-01-02 03:04:05' b, "
            "timestamp'2020-01-02 03:04:05.120' c, timestamp_ntz'2020-01-02 00:00:00' d, "
            "interval '1' day e, interval '1-2' year to month f"
        ),
        20,
        False,
    ),
    "show_nested": lambda s, F, W: text(
        s,
        s.sql(
            "select array(1,null) a, map('k',1.5) b, struct(1 as x, 'y' as y, null as z) c, "
            "array(struct(1 as q)) d, binary('AB') e, array('s') f"
        ),
        20,
        False,
    ),
    "show_long_names": lambda s, F, W: text(s, s.range(1).withColumnRenamed("id", "n" * 30)),
    "show_bad_n": lambda s, F, W: text(s, s.range(1), "x"),
    "show_bad_truncate": lambda s, F, W: text(s, s.range(1), 20, "x"),
    "html_off": lambda s, F, W: s.range(1)._repr_html_(),
    "tree_nested": lambda s, F, W: s.sql(
        "select array(struct(1 as x)) a, map('k', array(1.5)) b, struct(date'2020-01-01' as d) c"
    ).schema.treeString(),
    "repr": lambda s, F, W: repr(things(s)),
    "repr_grouped": lambda s, F, W: repr(things(s).groupBy("i", things(s).t)),
}
