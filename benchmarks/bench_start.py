# SPDX-License-Identifier: Apache-2.0
"""Whole processes: import, first answer, the customer job."""

import sys
import tempfile
from pathlib import Path

import tpch
from harness import Report, process

ROOT = Path(__file__).resolve().parent.parent
OURS = "from nbaspark.sql import SparkSession\nSparkSession.builder.getOrCreate().range(10).count()"
OURS_SQL = """from nbaspark.sql import SparkSession
spark = SparkSession.builder.master("local[2]").getOrCreate()
spark.read.parquet({path!r}).createOrReplaceTempView("lineitem")
spark.sql({text!r}).collect()"""
DUCK_SQL = """import duckdb
db = duckdb.connect()
db.execute("set threads = 2")
db.execute("create view lineitem as from " + repr({path!r}))
db.execute({text!r}).fetchall()"""
DUCK = "import duckdb\nduckdb.sql('select count(*) from range(10)').fetchall()"


def main() -> None:
    report = Report("start")
    bare, _ = process([sys.executable, "-c", "pass"])
    imported, _ = process([sys.executable, "-c", "import nbaspark"])
    report.add("import nbaspark (peer: bare python)", imported, "python -c pass", bare)
    seconds, mib = process([sys.executable, "-c", OURS])
    peer, peer_mib = process([sys.executable, "-c", DUCK])
    report.add("range(10).count()", seconds, "duckdb", peer, mib=mib, peer_mib=peer_mib)
    query = {"path": str(tpch.data("1") / "lineitem.parquet"), "text": tpch.texts()["6"]}
    seconds, mib = process([sys.executable, "-c", OURS_SQL.format(**query)])
    peer, peer_mib = process([sys.executable, "-c", DUCK_SQL.format(**query)])
    report.add("import, TPC-H 6 at scale 1", seconds, "duckdb", peer, mib=mib, peer_mib=peer_mib)
    with tempfile.TemporaryDirectory() as out:
        job = [
            sys.executable,
            str(ROOT / "jobs/customer_segmentation.py"),
            str(ROOT / "jobs/data/clientes_demo.csv"),
            out + "/o",
        ]
        seconds, mib = process(job)
    report.add("customer job (peer: its limit)", seconds, "0.25 s", 0.25, mib=mib)
    print(f"peak MiB: customer job {mib:.0f}")
    report.save()


if __name__ == "__main__":
    main()
