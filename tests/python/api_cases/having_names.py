# SPDX-License-Identifier: Apache-2.0
"""What names in HAVING mean, and keys of grouping sets by alias and position; grouping__id."""

VIEW = "create or replace temp view t as select * from values (1,10,'x'),(2,20,'y'),(2,30,'z') as t(a,b,c)"

QUERIES = """
SELECT SUM(a) AS b FROM t GROUP BY b HAVING b > 10
SELECT SUM(a) AS b, CAST('2020-01-01' AS DATE) AS fake FROM t GROUP BY b HAVING b > 10
SELECT SUM(a) AS b FROM t GROUP BY GROUPING SETS ((b), (a, b)) HAVING b > 10
SELECT SUM(a) AS b FROM t GROUP BY CUBE(a, b) HAVING b > 10
SELECT a AS c, 2 AS a FROM t GROUP BY ALL HAVING a > 1
SELECT a AS b, count(*) FROM t GROUP BY a HAVING sum(b) > 20
SELECT a AS b, count(*) FROM t GROUP BY a HAVING b > 1
SELECT a + 1 AS a, count(*) FROM t GROUP BY a HAVING a > 1
SELECT a + 1 AS a, count(*) FROM t GROUP BY t.a + 1 HAVING a > 2
SELECT a + 1 AS a, count(*) FROM t GROUP BY t.a + 1 HAVING t.a + 1 > 2
SELECT sum(b) s FROM t GROUP BY a HAVING c = 'x'
SELECT sum(b) s FROM t HAVING a > 2
SELECT sum(b) s FROM t GROUP BY ALL HAVING a > 2
SELECT sum(b) s FROM t GROUP BY ALL ORDER BY a DESC
SELECT sum(b) s FROM t GROUP BY a ORDER BY c
SELECT sum(b) s FROM t GROUP BY a ORDER BY a DESC
SELECT a s FROM t GROUP BY a HAVING (SELECT max(x) FROM VALUES (1),(2) u(x) WHERE x = a) = 2
SELECT a, 2 AS a FROM t GROUP BY a HAVING a > 1
SELECT a, a FROM t GROUP BY a HAVING a > 1
SELECT a AS x, a AS x FROM t GROUP BY a HAVING x > 1
SELECT a, b, count(1) FROM t GROUP BY GROUPING SETS ((1), (2), (1, 2))
SELECT a, b, count(1) FROM t GROUP BY GROUPING SETS ((1), (b), (a, 2))
SELECT a, b, count(1) FROM t GROUP BY a, 2 GROUPING SETS ((1), (b), (a, 2))
SELECT a, b, count(1) FROM t GROUP BY a, b GROUPING SETS ((1), (2))
SELECT a, b, count(1) FROM t GROUP BY ROLLUP(1, 2)
SELECT a, b, count(1) FROM t GROUP BY CUBE(2, a)
SELECT a AS k, SUM(b) FROM t GROUP BY GROUPING SETS ((k), ())
SELECT a, grouping__id FROM t GROUP BY CUBE(a, b) ORDER BY grouping__id, a
SELECT a, b FROM t GROUP BY CUBE(a, b) HAVING grouping__id > 0
SELECT a, b FROM t GROUP BY CUBE(a, b) ORDER BY grouping__id, a, b
SELECT a, GROUPING(a), GROUPING_ID(a), GROUPING__ID FROM t GROUP BY ROLLUP(a)
SELECT a, grouping__id FROM t GROUP BY a
SELECT count(1) FROM VALUES (1), (2), (3) AS T(all) GROUP BY all
SELECT all, count(1) FROM VALUES (1), (2), (2) AS T(all) GROUP BY all
SELECT a AS all, count(1) FROM t GROUP BY all
SELECT 1 FROM t HAVING max(a) > 0
SELECT 1 FROM t HAVING a > 0
SELECT a FROM t HAVING a > 1
"""


def _build(text):
    def build(s, F, W):
        s.sql(VIEW)
        return s.sql(text)

    return build


CASES = {text: _build(text) for text in QUERIES.strip().splitlines()}
