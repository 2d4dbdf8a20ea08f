# SPDX-License-Identifier: Apache-2.0
"""Makes an event log of many tasks, with names that try to be markup.

Usage: python make_log.py FILE [JOBS] [TASKS_PER_JOB]      (10 jobs of 1,000 tasks)
"""

import json
import random
import sys

HOSTILE = (
    "<img src=x onerror=document.title='pwned'>\"'&</script><script>document.title='pwned'</script>"
)
START = 1795860000000


def event(name, sql=False, **fields):
    prefix = "org.apache.spark.sql.execution.ui.SparkListener" if sql else "SparkListener"
    return json.dumps({"Event": prefix + name, **fields}, separators=(",", ":"))


def stage(number, tasks, name, **more):
    return {
        "Stage ID": number,
        "Stage Attempt ID": 0,
        "Stage Name": name,
        "Number of Tasks": tasks,
        "RDD Info": [],
        "Parent IDs": [],
        "Details": "",
        "Submission Time": START + number * 60000 + 1000,
        **more,
    }


def metrics(rng, ms):
    shuffle = {"Local Bytes Read": 0, "Total Records Read": 0, "Remote Bytes Read": 0}
    return {
        "Executor Deserialize Time": 2,
        "Executor Deserialize CPU Time": 1000000,
        "Executor Run Time": ms - 5,
        "Executor CPU Time": (ms - 20) * 1000000,
        "Peak Execution Memory": rng.randint(1, 64) << 20,
        "Result Size": 1000,
        "JVM GC Time": rng.randint(0, 9),
        "Result Serialization Time": 0,
        "Memory Bytes Spilled": 0,
        "Disk Bytes Spilled": rng.choice([0] * 40 + [1 << 20]),
        "Shuffle Read Metrics": shuffle,
        "Shuffle Write Metrics": {
            "Shuffle Bytes Written": rng.randint(1000, 90000),
            "Shuffle Write Time": 1000,
            "Shuffle Records Written": rng.randint(10, 1000),
        },
        "Input Metrics": {"Bytes Read": ms * 10000, "Records Read": ms * 100},
        "Output Metrics": {"Bytes Written": 0, "Records Written": 0},
        "Updated Blocks": [],
    }


def lines(jobs=10, tasks=1000, name=HOSTILE, app_id="app-20261128-0001", padding=""):
    rng = random.Random(5)
    yield event("LogStart", **{"Spark Version": "4.2.0"})
    settings = {"spark.app.name": name, "a.<b>": "javascript:alert(1)"}
    runtime = {"Java Version": name}
    yield event("EnvironmentUpdate", **{"JVM Information": runtime, "Spark Properties": settings})
    fields = {"App Name": name, "App ID": app_id, "Timestamp": START, "User": "<b>user</b>"}
    yield event("ApplicationStart", **fields)
    for x in range(4):
        info = {"Host": f"worker-{x}", "Total Cores": 4}
        yield event(
            "ExecutorAdded", Timestamp=START, **{"Executor ID": str(x), "Executor Info": info}
        )
    metric = {"name": "number of output rows", "accumulatorId": 1, "metricType": "sum"}
    child = {
        "nodeName": name,
        "simpleString": name,
        "children": [],
        "metadata": {},
        "metrics": [metric],
    }
    root = {
        "nodeName": "Project",
        "simpleString": "Project [a]",
        "children": [child],
        "metrics": [],
    }
    yield event(
        "SQLExecutionStart",
        sql=True,
        executionId=0,
        rootExecutionId=0,
        description=f"SELECT '{name}'",
        details=name,
        physicalPlanDescription=name,
        sparkPlanInfo=root,
        time=START,
    )
    task = 0
    for job in range(jobs):
        begun = START + job * 60000
        title = name if job == 0 else f"scan → aggregate {job}"
        properties = {"spark.sql.execution.id": "0", "spark.job.description": title}
        info = stage(job, tasks, title)
        fields = {"Stage Infos": [info], "Stage IDs": [job], "Properties": properties}
        yield event("JobStart", **{"Job ID": job, "Submission Time": begun, **fields})
        yield event("StageSubmitted", **{"Stage Info": info, "Properties": {}})
        slots = [begun + 1000] * 16
        for index in range(tasks):
            slot, ms = index % 16, rng.randint(200, 900)
            failed = rng.random() < 0.003
            about = {
                "Task ID": task,
                "Index": index,
                "Attempt": 0,
                "Partition ID": index,
                "Launch Time": slots[slot],
                "Executor ID": str(slot % 4),
                "Host": f"worker-{slot % 4}",
                "Locality": "NODE_LOCAL",
                "Speculative": False,
                "Getting Result Time": 0,
                "Finish Time": 0,
                "Failed": False,
                "Killed": False,
                "Accumulables": [],
            }
            where = {"Stage ID": job, "Stage Attempt ID": 0}
            yield event("TaskStart", **where, **{"Task Info": about})
            slots[slot] += ms
            rows = {
                "ID": 1,
                "Name": "number of output rows",
                "Update": str(index),
                "Metadata": "sql",
            }
            about = {**about, "Finish Time": slots[slot], "Failed": failed, "Accumulables": [rows]}
            reason = {"Reason": "Success"}
            if failed:
                reason = {"Reason": "ExceptionFailure", "Class Name": "E", "Description": name}
            yield event(
                "TaskEnd",
                **where,
                **{
                    "Task Type": "ShuffleMapTask",
                    "Task End Reason": reason,
                    "Task Info": about,
                    "Task Executor Metrics": {"Padding": padding},
                    "Task Metrics": metrics(rng, ms),
                },
            )
            task += 1
        done = {"Completion Time": max(slots)}
        yield event("StageCompleted", **{"Stage Info": stage(job, tasks, title, **done)})
        result = {"Job Result": {"Result": "JobSucceeded"}}
        yield event("JobEnd", **{"Job ID": job, "Completion Time": max(slots) + 20, **result})
    yield event("SQLExecutionEnd", sql=True, executionId=0, time=START + 600000, errorMessage="")
    yield event("ApplicationEnd", Timestamp=START + 610000)


def main():
    path, *sizes = sys.argv[1:]
    with open(path, "w") as f:
        f.writelines(line + "\n" for line in lines(*map(int, sizes)))


if __name__ == "__main__":
    main()
