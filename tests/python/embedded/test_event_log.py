# SPDX-License-Identifier: Apache-2.0
"""Event logs of applications that run in this process: Spark's JSON, flushed, renamed at the end, without secrets."""

import json
import subprocess
import sys

PROGRAM = """
import os, signal, sys
from nbaspark.sql import SparkSession, functions as F

builder = SparkSession.builder.appName("<i>a & b</i>").master("local[2]")
builder = builder.config("spark.eventLog.enabled", "true").config("spark.eventLog.dir", "file://" + sys.argv[1])
for pair in sys.argv[3:]:
    builder = builder.config(*pair.split("=", 1))
spark = builder.getOrCreate()
numbers = spark.range(1000).withColumn("k", F.col("id") % 7)
assert numbers.groupBy("k").count().orderBy("k").count() == 7
numbers.write.csv(sys.argv[1] + "/../out")
try:
    spark.sql("SELECT 1 / (id - 3) AS x FROM range(10)").collect()
except Exception:
    pass
if sys.argv[2] == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
print(spark.sparkContext.applicationId)
spark.stop()
"""


def run(folder, how, *settings):
    folder.mkdir()
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), how, *settings],
        capture_output=True,
        text=True,
        timeout=60,
    )


def events_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_events_are_those_of_spark(tmp_path):
    done = run(tmp_path / "logs", "stop", "spark.eventLog.compress=false")
    assert done.returncode == 0, done.stderr
    (log,) = (tmp_path / "logs").iterdir()
    assert log.name == done.stdout.strip()
    events = events_of(log)
    names = [e["Event"].rpartition("SparkListener")[2] for e in events]
    assert names[:5] == [
        "LogStart",
        "EnvironmentUpdate",
        "ApplicationStart",
        "ExecutorAdded",
        "BlockManagerAdded",
    ]
    assert names[-1] == "ApplicationEnd"
    assert events[2]["App Name"] == "<i>a & b</i>"
    assert (
        names.count("SQLExecutionStart")
        == names.count("SQLExecutionEnd")
        == names.count("JobEnd")
        == 3
    )
    assert names.count("TaskStart") == names.count("TaskEnd")
    for job in (e for e in events if e["Event"] == "SparkListenerJobStart"):
        for stage in job["Stage Infos"]:
            assert stage["Number of Tasks"] == 2
    written = [
        e["Task Metrics"]["Output Metrics"] for e in events if e["Event"] == "SparkListenerTaskEnd"
    ]
    assert sum(m["Records Written"] for m in written) == 1000
    assert sum(m["Bytes Written"] for m in written) == sum(
        f.stat().st_size for f in (tmp_path / "out").glob("part-*")
    )
    failed = [e for e in events if e["Event"] == "SparkListenerJobEnd"][-1]["Job Result"]
    assert failed["Result"] == "JobFailed"
    assert failed["Exception"]["Message"].startswith("[DIVIDE_BY_ZERO]")


def test_metrics_of_operators_add_up(tmp_path):
    done = run(tmp_path / "logs", "stop", "spark.eventLog.compress=false")
    assert done.returncode == 0, done.stderr
    (log,) = (tmp_path / "logs").iterdir()
    events = events_of(log)
    plan = next(e for e in events if e["Event"].endswith("SQLExecutionStart"))["sparkPlanInfo"]
    values = {}
    for e in events:
        for a in e.get("Task Info", {}).get("Accumulables", []):
            values[a["ID"]] = values.get(a["ID"], 0) + int(a["Update"])
        for identifier, value in e.get("accumUpdates", []):
            values[identifier] = values.get(identifier, 0) + value
    rows = {}
    todo = [plan]
    while todo:
        node = todo.pop()
        todo += node["children"]
        for metric in node["metrics"]:
            if metric["name"] == "number of output rows":
                rows.setdefault(node["nodeName"], []).append(values.get(metric["accumulatorId"], 0))
    assert rows["Range"] == [1000]
    assert sorted(rows["HashAggregate"]) == [1, 7]


def test_secrets_are_hidden(tmp_path):
    done = run(
        tmp_path / "logs",
        "stop",
        "spark.eventLog.compress=false",
        "spark.my.password=hunter2",
        "spark.seen=plain",
        "spark.other=the-token-is-abc",
    )
    assert done.returncode == 0, done.stderr
    (log,) = (tmp_path / "logs").iterdir()
    text = log.read_text()
    assert "hunter2" not in text and "is-abc" not in text and '"spark.seen":"plain"' in text


def test_a_killed_process_leaves_a_log_up_to_there(tmp_path):
    done = run(tmp_path / "logs", "kill", "spark.eventLog.compress=false")
    assert done.returncode == -9
    (log,) = (tmp_path / "logs").iterdir()
    assert log.name.endswith(".inprogress")
    names = [e["Event"].rpartition("SparkListener")[2] for e in events_of(log)]
    assert names[-1] == "SQLExecutionEnd" and "ApplicationEnd" not in names


FORK = """
import os, sys
from nbaspark.sql import SparkSession

builder = SparkSession.builder.master("local[2]").config("spark.eventLog.dir", sys.argv[1])
builder = builder.config("spark.ui.enabled", "true").config("spark.ui.port", "0")
spark = builder.config("spark.eventLog.enabled", "true").config("spark.eventLog.compress", "false").getOrCreate()
assert spark.range(10).count() == 10
spark.sparkContext.addFile(sys.argv[2])
child = os.fork()
if child == 0:
    assert spark.range(20).count() == 20
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
(log,) = os.listdir(sys.argv[1])
assert log.endswith(".inprogress"), log
from nbaspark import SparkFiles
assert os.path.exists(SparkFiles.get(os.path.basename(sys.argv[2])))
assert spark.range(30).count() == 30
spark.stop()
"""


def test_a_forked_child_leaves_its_parents_log_and_files_alone(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "shared.txt").write_text("x")
    arguments = [str(tmp_path / "logs"), str(tmp_path / "shared.txt")]
    subprocess.run([sys.executable, "-c", FORK, *arguments], check=True, timeout=60)
    (log,) = (tmp_path / "logs").iterdir()
    names = [e["Event"].rpartition("SparkListener")[2] for e in events_of(log)]
    assert names.count("SQLExecutionStart") == names.count("SQLExecutionEnd") == 2
    assert names.count("ApplicationEnd") == 1 and names[-1] == "ApplicationEnd"


def test_nothing_is_written_unless_asked_for(tmp_path):
    done = run(tmp_path / "logs", "stop", "spark.eventLog.enabled=false")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "logs").iterdir()) == []


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    done = run(tmp_path / "logs", "stop", f"spark.eventLog.dir=file://{tmp_path}/missing")
    assert done.returncode != 0
    assert f"{tmp_path}/missing" in done.stderr


ROLLING = """
import sys
from nbaspark.sql import SparkSession

builder = SparkSession.builder.appName("rolls").master("local[2]").config("spark.eventLog.enabled", "true")
for pair in sys.argv[1:]:
    builder = builder.config(*pair.split("=", 1))
spark = builder.getOrCreate()
for i in range(9):  # the text of a plan is in its events
    assert len(spark.sql(f"SELECT '{chr(97 + i) * 1_000_000}' AS x").collect()) == 1
print(spark.sparkContext.applicationId, flush=True)
spark.stop()
"""


def roll(folder, *settings):
    folder.mkdir(exist_ok=True)
    settings = [
        f"spark.eventLog.dir={folder}",
        "spark.eventLog.rolling.enabled=true",
        *settings,
    ]
    return subprocess.run(
        [sys.executable, "-c", ROLLING, *settings], capture_output=True, text=True, timeout=60
    )


def test_a_log_that_rolls(tmp_path):
    settings = ["spark.eventLog.rolling.maxFileSize=10m", "spark.eventLog.compress=false"]
    app = roll(tmp_path / "log", *settings).stdout.strip()
    folder = tmp_path / "log" / f"eventlog_v2_{app}"
    names = sorted(path.name for path in folder.iterdir())
    assert names[:3] == [f"appstatus_{app}", f"events_1_{app}", f"events_2_{app}"]
    assert (folder / names[0]).stat().st_size == 0
    files = [folder / name for name in names[1:]]
    assert all(path.stat().st_size <= 10 << 20 for path in files)
    events = [event["Event"] for path in files for event in events_of(path)]
    assert events[0] == "SparkListenerLogStart" and events[-1] == "SparkListenerApplicationEnd"
    assert events.count("SparkListenerJobStart") == events.count("SparkListenerJobEnd") == 9


def test_files_of_a_log_that_rolls_are_large(tmp_path):
    refused = roll(tmp_path / "log", "spark.eventLog.rolling.maxFileSize=9m")
    assert "at least 10 MiB" in refused.stderr and refused.returncode != 0
    assert "INVALID_CONF_VALUE.REQUIREMENT" in refused.stderr
