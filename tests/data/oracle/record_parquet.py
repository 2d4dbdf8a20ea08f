# SPDX-License-Identifier: Apache-2.0
"""Records small Parquet files that Spark writes, and the rows that it reads from them: record_parquet.py [sc://host:port]

Files are written by the server, so it has to share this machine's file system. Rows are kept as the text of their values.
"""

import json
import pathlib
import shutil
import sys
import tempfile

from pyspark.sql import SparkSession

HERE = pathlib.Path(__file__).parent / "parquet"
NESTED = """select id, if(id = 2, null, array(id, null)) a, if(id = 3, null, map('k', id)) m,
  named_struct('x', id, 'y', array(named_struct('z', cast(id as decimal(20,2))))) s,
  transform(array(id, id + 1), x -> array(x)) aa from range(5)"""
DATES = """select * from values
  (date'0001-01-01', timestamp'0001-01-01 01:02:03'), (date'1000-02-28', timestamp'1000-02-28 12:00:00'),
  (date'1582-10-04', timestamp'1582-10-04 23:59:59.999999'), (date'1582-10-15', timestamp'1582-10-15 00:00:00'),
  (date'1700-03-01', timestamp'1700-03-01 00:00:00'), (date'2020-02-29', timestamp'2020-02-29 01:02:03')
  as t(d, t)"""
SCALARS = """select cast(id as tinyint) i8, cast(id as smallint) i16, cast(id as decimal(9,2)) d9, cast(id as decimal(30,2)) d30,
  id % 2 = 0 b, cast(id as string) s, cast(cast(id as string) as binary) bin, timestamp_seconds(id) ts, null nothing from range(6)"""
LEGACY = "spark.sql.parquet.writeLegacyFormat"
REBASE = "spark.sql.parquet.datetimeRebaseModeInWrite"
REBASE96 = "spark.sql.parquet.int96RebaseModeInWrite"
KIND = "spark.sql.parquet.outputTimestampType"
FILES = {
    "lists": (NESTED, {}, {}),
    "lists_legacy": (NESTED, {LEGACY: "true"}, {}),
    "lists_v2": (NESTED, {}, {"parquet.writer.version": "PARQUET_2_0", "compression": "none"}),
    "scalars_v2": (SCALARS, {}, {"parquet.writer.version": "PARQUET_2_0", "compression": "zstd"}),
    "scalars_lz4": (SCALARS, {}, {"compression": "lz4"}),
    "decimals_legacy": (SCALARS, {LEGACY: "true"}, {"compression": "gzip"}),
    "dates_legacy": (DATES, {REBASE: "LEGACY", KIND: "TIMESTAMP_MICROS"}, {"compression": "none"}),
    "dates_legacy_int96": (DATES, {REBASE: "LEGACY", REBASE96: "LEGACY"}, {"compression": "none"}),
}


def main(remote="sc://localhost:15777"):
    spark = SparkSession.builder.remote(remote).getOrCreate()
    HERE.mkdir(exist_ok=True)
    answers = {}
    for name, (query, conf, options) in FILES.items():
        with tempfile.TemporaryDirectory() as folder:
            for key, value in conf.items():
                spark.conf.set(key, value)
            try:
                spark.sql(query).coalesce(1).write.options(**options).parquet(f"{folder}/x")
            finally:
                for key in conf:
                    spark.conf.unset(key)
            (file,) = pathlib.Path(f"{folder}/x").glob("*.parquet")
            shutil.copyfile(file, HERE / f"{name}.parquet")
            frame = spark.read.parquet(f"{folder}/x")
            texts = [f"cast({c} as string) {c}" for c in frame.columns]
            rows = [list(row) for row in frame.selectExpr(*texts).collect()]
            answers[name] = {"schema": frame.schema.simpleString(), "rows": rows}
    (HERE / "answers.json").write_text(json.dumps(answers, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
