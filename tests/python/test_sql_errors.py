# SPDX-License-Identifier: Apache-2.0
"""SQL that is wrong, or fails when it runs, beside Apache Spark: class, condition, SQLSTATE, parameters and place of the error.

The texts are tests/data/oracle/wrong_queries.txt. What Spark 4.2 gave is wrong_queries.json beside it, written by
`NBASPARK_RECORD=1 pytest --engine spark tests/python/test_sql_errors.py`.
"""

import json
import os
import re
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[1] / "data" / "oracle"
RECORDED = DATA / "wrong_queries.json"
QUERIES = (DATA / "wrong_queries.txt").read_text(encoding="utf-8").splitlines()
# those in which this engine gives another condition or place; they must fail, and leave the list when they do not
GAPS = set((DATA / "wrong_queries_gaps.txt").read_text(encoding="utf-8").splitlines())
RECORDING = bool(os.environ.get("NBASPARK_RECORD"))
# Of this process only: places are looked for in messages, and a server's are for a client to show.
pytestmark = [] if RECORDING else [pytest.mark.embedded]
VIEWS = {
    "t": "select * from values (1, 2, 'x'), (2, 3, 'y') t(a, b, c)",
    "u": "select * from values (1, 10), (2, 20) u(a, x)",
}
_answers = {}


def recorded():
    if not _answers and RECORDED.exists():
        _answers.update(json.loads(RECORDED.read_text(encoding="utf-8")))
    return _answers


def outcome(spark, text):
    from nbaspark.errors import PySparkException

    for name, query in VIEWS.items():
        spark.sql(f"create or replace temp view {name} as {query}")
    try:
        return {"rows": len(spark.sql(text).collect())}
    except PySparkException as error:
        place = re.search(r"\(line (\d+), pos (\d+)\)", str(error))
        context = [[c.startIndex(), c.stopIndex()] for c in error.getQueryContext()[:1]]
        return {
            "error": type(error).__name__,
            "condition": error.getCondition(),
            "sqlstate": error.getSqlState(),
            "place": [int(part) for part in place.groups()] if place else context,
        }


@pytest.mark.parametrize("text", QUERIES)
def test_error_is_sparks(text, spark, engine, settings, request):
    if text in GAPS and engine == "embedded":
        request.applymarker(pytest.mark.xfail(reason="another condition or place", strict=True))
    if settings.get("recorded"):  # recorded with ANSI mode only
        spark.conf.set("spark.sql.ansi.enabled", "true")
    answer = outcome(spark, text)
    if RECORDING:
        assert engine == "spark"
        _answers[text] = answer
        lines = [
            f"{json.dumps(text)}: {json.dumps(_answers[text])}"
            for text in QUERIES
            if text in _answers
        ]
        RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    assert answer == recorded()[text]
