# SPDX-License-Identifier: Apache-2.0
"""The texts of tests/data/oracle/sql_corpus.txt that Spark accepts, through `spark.sql`: names, types and rows."""

import re
from pathlib import Path

CORPUS = Path(__file__).parents[2] / "data" / "oracle" / "sql_corpus.txt"

VIEWS = {
    "t": "select * from values (1,'x',1.5D,date'2020-01-01'), (2,'y',2.5D,date'2020-06-01'), "
    "(2,'x',null,null), (null,'z',0.5D,date'2019-01-01') as t(a,b,c,d)",
    "u": "select * from values (1,10), (2,20), (3,30) as u(a,x)",
    "n": "select array(1,2,3) arr, map('k',1) m, struct(1 as x, 'q' as y) s",
}

# Depend on the clock, the user or chance.
CHANGING = re.compile(r"current_|now\(|\buser\b|50 percent|\d rows\)|coalesce\(1\)|-0044")


def _build(text):
    def build(s, F, W):
        for name, query in VIEWS.items():
            s.sql(f"create or replace temp view {name} as {query}")
        return s.sql(text)

    return build


def _name(text):
    # test_api_cases compares the order of rows when a name says so: that is, for a sort at the end.
    if re.search(r"order by [^()]*$", text):
        return text
    return re.sub("order|sort", "·", text)


def _accepted():
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        outcome, _, text = line.partition("\t")
        if outcome == "ok" and not CHANGING.search(text):
            yield text


CASES = {_name(text): _build(text) for text in _accepted()}
