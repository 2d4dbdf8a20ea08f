# SPDX-License-Identifier: Apache-2.0
"""A fixed number of random queries (sql_fuzz.py) gives the same rows under every configuration, and DuckDB's."""

import sys
from pathlib import Path

import pytest
from sql_fuzz import Bench, Maker

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
import retail  # noqa: E402

QUERIES = 60


@pytest.fixture(scope="module")
def bench(session, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    retail.write(folder, 0.0003)
    return Bench(session, folder)


@pytest.mark.parametrize("first", [1, 5001, 10001])
def test_answers_do_not_depend_on_how(bench, first):
    wrong = [
        (seed, engine, what)
        for seed in range(first, first + QUERIES)
        for engine, what in bench.check(Maker(seed).statement())
    ]
    assert wrong == []
