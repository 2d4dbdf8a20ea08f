# SPDX-License-Identifier: Apache-2.0
"""Fills sql_corpus.txt with what Apache Spark says of each text: ``record_sql_corpus.py sc://HOST:PORT``.

A line is an outcome, a tab and a SQL text. Outcomes: ``ok``; ``parse:CONDITION`` when the parser refuses; ``later:CONDITION``
when the analyzer does. Lines without a tab are headings. New texts are added with any outcome and recorded anew.
"""

import sys
from pathlib import Path

from pyspark.errors import ParseException, PySparkException
from pyspark.sql import SparkSession

VIEWS = {
    "t": "select * from values (1,'x',1.5D,date'2020-01-01'), (2,'y',2.5D,date'2020-06-01'), (2,'x',null,null), "
    "(null,'z',0.5D,date'2019-01-01') as t(a,b,c,d)",
    "u": "select * from values (1,10), (2,20), (3,30) as u(a,x)",
    "n": "select array(1,2,3) arr, map('k',1) m, struct(1 as x, 'q' as y) s",
}


def outcome(spark: SparkSession, text: str) -> str:
    """What Spark says of one text, without running it."""
    try:
        _ = spark.sql(text).schema
    except ParseException as error:
        return f"parse:{error.getCondition()}"
    except PySparkException as error:
        return f"later:{error.getCondition()}"
    return "ok"


def main() -> None:
    """Rewrites the corpus in place."""
    spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
    for name, query in VIEWS.items():
        spark.sql(f"create or replace temp view {name} as {query}")
    path = Path(__file__).with_name("sql_corpus.txt")
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if "\t" in line:
            text = line.split("\t", 1)[1]
            line = f"{outcome(spark, text)}\t{text}"
        lines.append(line)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
