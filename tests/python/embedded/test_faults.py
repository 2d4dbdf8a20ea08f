# SPDX-License-Identifier: Apache-2.0
"""Queries that run out of memory are errors, and the session goes on. All calls, one by one: tests/c/connect/test_faults.c."""

import pytest

from nbaspark.errors import PySparkException


def test_an_allocation_that_fails_is_an_error(spark):
    query = "select id % 3 as k, count(*) as n from range(10) group by 1 order by 1"
    failed = 0
    try:
        for nth in (1, 2, 3, 5, 8, 13, 21, 34, 55, 1 << 40):
            spark.conf.set("nbaspark.debug.failAllocation", str(nth))
            try:
                assert [tuple(row) for row in spark.sql(query).collect()] == [
                    (0, 4),
                    (1, 3),
                    (2, 3),
                ]
            except PySparkException as error:
                failed += 1
                assert error.getCondition() in ("OUT_OF_MEMORY", "UNABLE_TO_ACQUIRE_MEMORY")
    finally:
        spark.conf.unset("nbaspark.debug.failAllocation")
    assert failed > 0
    assert spark.range(3).count() == 3


def test_memory_that_is_used_up_is_an_error(spark):
    with pytest.raises(PySparkException) as caught:
        spark.conf.set("nbaspark.debug.failAllocation", "1")
        spark.range(1).collect()
    spark.conf.unset("nbaspark.debug.failAllocation")
    assert caught.value.getCondition() == "OUT_OF_MEMORY"
