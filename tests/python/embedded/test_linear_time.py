# SPDX-License-Identifier: Apache-2.0
"""Work that is easily done with each row looking at all others is done in one pass: seconds of processor time, not minutes."""

import time

import pytest

MOST_SECONDS = 10  # each takes less than one; with all pairs, over a minute
CASES = {
    "lag over nulls": (
        "select count(s) from (select lag(if(id = 0, 1, null), 1) ignore nulls over (order by id) s from range(500000))",
        499999,
    ),
    "lead over nulls": (
        "select count(s) from (select lead(if(id = 499999, 1, null), 1) ignore nulls over (order by id) s from range(500000))",
        499999,
    ),
    "nth_value over nulls": (
        "select count(s) from (select nth_value(if(id > 499990, 1, null), 3) ignore nulls over "
        "(order by id rows between current row and unbounded following) s from range(500000))",
        499998,
    ),
    "str_to_map": (
        "select size(str_to_map(array_join(transform(sequence(1, 600000), x -> concat(x, ':', x)), ',')))",
        600000,
    ),
    "map_zip_with": (
        "select size(map_zip_with(m, m, (k, a, b) -> a + b)) from "
        "(select map_from_entries(transform(sequence(1, 200000), x -> struct(string(x), x))) m)",
        200000,
    ),
    "exists beside a long chain": (
        "select count(*) from (select id, id % 1 g from range(80000)) a where exists "
        "(select 1 from (select id, id % 1 h from range(80000)) b where b.h = a.g and b.id <> a.id)",
        80000,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_linear_time(session, name):
    text, expected = CASES[name]
    start = time.process_time()
    assert session.sql(text).collect()[0][0] == expected
    assert time.process_time() - start < MOST_SECONDS
