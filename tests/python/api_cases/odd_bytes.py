# SPDX-License-Identifier: Apache-2.0
"""Binary literals in names and messages, bytes that are no UTF-8 in both, and lambdas under grouping sets."""

QUERIES = [
    "select x'27ff', array(x'FF'), named_struct('a', x'00')",
    "select max(concat(x'ff', cast(string(id) as binary))) from range(3)",
    "select id % 2 k, count(distinct x'ff'), max(cast(x'ff41' as string) < 'a'), count(distinct id) n from range(9) group by 1 order by 1",
    "select max(if(id > 1, x'27ff', cast(string(id) as binary))) m, sum(id) from range(5) group by id % 2 having m >= x'27' order by 2",
    "select x'ff' + 1",
    "select sum(x'ff')",
    "select element_at(map(x'41', 1), 1)",
    "select assert_true(x'ff' = x'fe')",
    "select id % 2 k, id % 3 j, sum(if(exists(array(id, 4L), x -> x > 3), 1, 0)) s, max(size(filter(array(1, 2), x -> x < id))) "
    "from range(12) group by cube(id % 2, id % 3) order by 1, 2",
]
CASES = {text: (lambda s, F, W, text=text: s.sql(text)) for text in QUERIES}
