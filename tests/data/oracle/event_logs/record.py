# SPDX-License-Identifier: Apache-2.0
"""Records an event log of Apache Spark and what its history server says of it.

Usage: SPARK_HOME=… python record.py      (a Python that has pyspark 4.2.0; Java)

Writes beside itself: <name>.zst, the log without the many settings of Hadoop and the class path, and <name>.json, answers of /api/v1
by path. `ours` is recorded the same way from a log that nbaspark wrote, given as an argument.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
PATHS = (
    "jobs jobs/1 stages stages/1 stages/1/0 stages/1/0/taskList stages/1/0/taskSummary "
    "stages/0/0/taskList?sortBy=-runtime&length=2 executors environment sql sql/0 sql/1?details=false jobs/99"
).split()

JOB = """
from pyspark.sql import SparkSession, functions as F
spark = SparkSession.builder.appName("Segments & <b>groups</b>").getOrCreate()
df = spark.range(0, 20000, 1, 4).withColumn("k", F.col("id") % 7).withColumn("v", F.col("id") * 1.5)
names = spark.createDataFrame([(i, f"n{i}") for i in range(7)], "k bigint, name string")
df.join(names, "k").groupBy("name").agg(F.sum("v"), F.count("*")).orderBy("name").show()
spark.sql("SELECT k, max(v) FROM VALUES (1, 2.0), (2, 3.0) AS t(k, v) GROUP BY k").collect()
try:
    spark.sql("SELECT 1 / (id - 3) FROM range(10)").collect()
except Exception:
    pass
spark.stop()
"""


def spark_log(folder):
    """Run a small job on Spark; return its log."""
    job = Path(folder, "job.py")
    job.write_text(JOB)
    logs = Path(folder, "logs")
    logs.mkdir()
    conf = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": logs.as_uri(),
        "spark.eventLog.compress": "false",
        "spark.eventLog.rolling.enabled": "false",
        "spark.sql.shuffle.partitions": "3",
        "spark.ui.enabled": "false",
    }
    options = [word for key, value in conf.items() for word in ("--conf", f"{key}={value}")]
    submit = Path(os.environ["SPARK_HOME"], "bin", "spark-submit")
    subprocess.run([submit, "--master", "local[2]", *options, job], check=True, cwd=folder)
    return next(logs.iterdir())


def slim(text, folder):
    """Leave out what is long and says nothing of the application."""
    lines = []
    for line in text.splitlines():
        event = json.loads(line)
        if event["Event"] == "SparkListenerEnvironmentUpdate":
            for section in (
                "Hadoop Properties",
                "System Properties",
                "Metrics Properties",
                "Classpath Entries",
            ):
                event[section] = {}
            event["Spark Properties"] = {
                k: v
                for k, v in event["Spark Properties"].items()
                if "Java" not in k and "Dir" not in k
            }
        if event["Event"] == "SparkListenerJobStart":
            event["Properties"] = {k: v for k, v in event["Properties"].items() if "Java" not in k}
        for stage in [*event.get("Stage Infos", []), event.get("Stage Info", {})]:
            stage["RDD Info"] = []
        lines.append(json.dumps(event, separators=(",", ":")).replace(folder, "/folder"))
    return "\n".join(lines) + "\n"


def answers(log):
    """Ask Spark's history server."""
    folder = log.parent.as_uri()
    options = f"-Dspark.history.fs.logDirectory={folder} -Dspark.history.ui.port=18499"
    env = {**os.environ, "SPARK_HISTORY_OPTS": options, "SPARK_DAEMON_MEMORY": "512m"}
    main = "org.apache.spark.deploy.history.HistoryServer"
    server = subprocess.Popen([Path(os.environ["SPARK_HOME"], "bin", "spark-class"), main], env=env)
    base = "http://localhost:18499/api/v1/applications"
    try:
        for _ in range(60):
            time.sleep(1)
            try:
                apps = json.load(urllib.request.urlopen(base))
            except OSError:
                continue
            if apps:
                break
        found = {"": {"id": apps[0]["id"], "name": apps[0]["name"]}}
        for path in PATHS:
            try:
                found[path] = json.load(urllib.request.urlopen(f"{base}/{apps[0]['id']}/{path}"))
            except urllib.error.HTTPError as e:
                found[path] = {"status": e.code, "text": e.read().decode()}
        return found
    finally:
        server.terminate()
        server.wait()


def main():
    import zstandard

    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 1:
            name, text = "ours", Path(sys.argv[1]).read_text()
        else:
            name, text = "spark", slim(spark_log(folder).read_text(), folder)
        log = Path(folder, "slim", name)
        log.parent.mkdir()
        log.write_text(text)
        (HERE / f"{name}.zst").write_bytes(zstandard.compress(text.encode(), 19))
        (HERE / f"{name}.json").write_text(json.dumps(answers(log), indent=1) + "\n")


if __name__ == "__main__":
    main()
