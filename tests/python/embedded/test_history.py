# SPDX-License-Identifier: Apache-2.0
"""The history server: what it says of logs is what Spark's own says; bad logs, bad requests and growing logs."""

import json
import re
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import zstandard

TOP = Path(__file__).resolve().parents[3]
RECORDED = TOP / "tests/data/oracle/event_logs"
# what a log without RDDs and a JVM does not tell, and sets in no order
LEFT_OUT = {"rddIds", "accumulatorUpdates", "peakExecutorMetrics", "peakMemoryMetrics"}
LEFT_OUT |= {"attributes", "resourceProfiles", "jobTags", "errorMessage"}
DRIVER_ONLY = {"totalDuration", "totalGCTime"}  # Spark sets them otherwise for the driver


class History:
    def __init__(self, folder, *options, token=None):
        env = {"NBASPARK_UI_TOKEN": token} if token else {}
        command = [
            TOP / "build/release/nbasparkd",
            "history",
            "--dir",
            folder,
            "--port",
            "0",
            *options,
        ]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
        for line in self.process.stderr:
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            if found:
                break
        assert found, "it did not start"
        self.port = int(found.group(1))

    def open(self, path, **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        return urllib.request.urlopen(request, timeout=30)

    def get(self, path):
        with self.open(path) as answer:
            return json.load(answer)

    def status(self, path, **headers):
        try:
            with self.open(path, **headers) as answer:
                return answer.status
        except urllib.error.HTTPError as e:
            return e.code

    def raw(self, text):
        """Send bytes as they are; return the first line of the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as s:
            s.sendall(text)
            return s.makefile("rb").readline().decode("latin-1")

    def stop(self):
        self.process.terminate()
        self.process.stderr.close()
        return self.process.wait(20)


@pytest.fixture
def history(tmp_path):
    started = []

    def start(folder=tmp_path, *options, token=None):
        started.append(History(folder, *options, token=token))
        return started[-1]

    yield start
    for h in started:
        assert h.stop() == 0


def log_of(name):
    return zstandard.decompress((RECORDED / f"{name}.zst").read_bytes(), max_output_size=1 << 26)


def differences(theirs, ours, path=""):
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in theirs.keys() | ours.keys():
            if key in LEFT_OUT or (key in DRIVER_ONLY and "driver" in str(theirs.get("id"))):
                continue
            if key not in ours or key not in theirs:
                yield f"{path}/{key}: only {'theirs' if key in theirs else 'ours'}"
            else:
                yield from differences(theirs[key], ours[key], f"{path}/{key}")
    elif isinstance(theirs, list) and isinstance(ours, list):
        if len(theirs) != len(ours):
            yield f"{path}: {len(theirs)} elements, ours {len(ours)}"
        for i, (a, b) in enumerate(zip(theirs, ours, strict=False)):
            yield from differences(a, b, f"{path}[{i}]")
    elif theirs != ours:
        yield f"{path}: {theirs!r}, ours {ours!r}"


@pytest.mark.parametrize("name", ["spark", "ours"])
def test_answers_are_those_of_sparks_history_server(history, tmp_path, name):
    (tmp_path / name).write_bytes(log_of(name))
    recorded = json.loads((RECORDED / f"{name}.json").read_text())
    h = history()
    app = recorded.pop("")
    assert [a["id"] for a in h.get("/api/v1/applications")] == [app["id"]]
    for path, theirs in recorded.items():
        if isinstance(theirs, dict) and "text" in theirs:
            assert h.status(f"/api/v1/applications/{app['id']}/{path}") == theirs["status"]
            continue
        ours = h.get(f"/api/v1/applications/{app['id']}/{path}")
        found = list(differences(theirs, ours))
        # a failed stage: Spark counts places of tasks that reported nothing
        found = [
            f for f in found if not re.search(r"metrics\[\d+\]/value.*stage \d+\.\d+: task", f)
        ]
        assert found == [], path


# what Spark 4.2's history server says to them
ARGUMENTS = {
    "?status=bogus": 404,
    "?status=COMPLETED": 200,
    "?limit=abc": 404,
    "?limit=": 200,
    "?limit=-1": 200,
    "?minDate=bogus": 400,
    "?minDate=": 200,
    "/{app}/jobs?status=bogus": 404,
    "/{app}/jobs?status=failed": 200,
    "/{app}/stages?status=bogus": 404,
    "/{app}/stages?status=complete": 200,
    "/{app}/stages?taskStatus=bogus": 404,
    "/{app}/stages?details=bogus": 200,
    "/{app}/sql?length=abc": 404,
    "/{app}/sql?offset=99999999999": 404,
    "/{app}/sql?offset=-1": 200,
    "/{app}/stages/0/0/taskList?sortBy=bogus": 404,
    "/{app}/stages/0/0/taskList?sortBy=-runtime": 200,
    "/{app}/stages/0/0/taskList?status=bogus": 404,
    "/{app}/stages/0/0/taskList?offset=abc": 404,
}


def test_arguments_that_are_wrong_are_refused_as_spark_does(history, tmp_path):
    (tmp_path / "log").write_bytes(log_of("spark"))
    h = history()
    (app,) = [a["id"] for a in h.get("/api/v1/applications")]
    for path, status in ARGUMENTS.items():
        assert h.status("/api/v1/applications" + path.format(app=app)) == status, path


def test_dates_are_moments(history, tmp_path):
    """A day without time is its first moment, also as an upper bound; who runs still has not ended by then."""
    (tmp_path / "log").write_bytes(log_of("spark"))
    h = history()
    (attempt,) = h.get("/api/v1/applications")[0]["attempts"]
    day, moment = attempt["startTime"][:10], attempt["endTime"]
    for bounds, n in [
        (f"maxDate={day}", 0),
        (f"minDate={day}", 1),
        (f"maxEndDate={day}", 0),
        (f"minEndDate={moment}&maxEndDate={moment}", 1),
    ]:
        assert len(h.get(f"/api/v1/applications?{bounds}")) == n, bounds
    (tmp_path / "log").rename(tmp_path / "log.inprogress")
    (tmp_path / "log.inprogress").write_bytes(log_of("spark")[:20000].rpartition(b"\n")[0] + b"\n")
    other = history()
    assert len(other.get("/api/v1/applications?maxEndDate=2026-01-01")) == 0
    assert len(other.get("/api/v1/applications?minEndDate=2026-01-01&maxEndDate=2999-01-01")) == 1


def test_tasks_of_a_state_and_why_they_ended(history, tmp_path):
    trace = "java.lang.Error: no\n\tat somewhere"
    ends = {
        0: {"Reason": "Success"},
        1: {"Reason": "TaskKilled", "Kill Reason": "Stage cancelled"},
        2: {
            "Reason": "ExceptionFailure",
            "Class Name": "java.lang.Error",
            "Description": "no",
            "Full Stack Trace": trace,
        },
    }
    lines = log_of("spark").decode().splitlines()
    lines = [x for x in lines if "ApplicationStart" in x]
    stage = {"Stage ID": 0, "Stage Attempt ID": 0, "Stage Name": "s", "Number of Tasks": 3}
    lines.append(json.dumps({"Event": "SparkListenerStageSubmitted", "Stage Info": stage}))
    for task, end in ends.items():
        info = {"Task ID": task, "Index": task, "Executor ID": "1", "Host": "h", "Launch Time": 5}
        where = {"Stage ID": 0, "Stage Attempt ID": 0, "Task Info": info}
        lines.append(json.dumps({"Event": "SparkListenerTaskStart", **where}))
        info["Finish Time"] = 9
        lines.append(json.dumps({"Event": "SparkListenerTaskEnd", "Task End Reason": end, **where}))
    (tmp_path / "log").write_text("\n".join(lines) + "\n")
    h = history()
    (app,) = [a["id"] for a in h.get("/api/v1/applications")]
    found = h.get(f"/api/v1/applications/{app}/stages/0/0")["tasks"]
    assert [found[k].get("errorMessage") for k in "012"] == [None, "Stage cancelled", trace]
    (one,) = h.get(f"/api/v1/applications/{app}/stages?details=true&taskStatus=killed")
    assert list(one["tasks"]) == ["1"]
    assert h.get(f"/api/v1/applications/{app}/stages?details=true&taskStatus=running") == []


@pytest.mark.parametrize("suffix", [".zstd", ".lz4", ".inprogress", ".zstd.inprogress"])
def test_codecs_and_logs_that_are_not_finished(history, tmp_path, suffix):
    from test_event_log import run

    codec = "lz4" if "lz4" in suffix else "zstd"
    how = "kill" if "inprogress" in suffix else "stop"
    compress = "true" if suffix != ".inprogress" else "false"
    run(
        tmp_path / "logs",
        how,
        f"spark.eventLog.compress={compress}",
        f"spark.eventLog.compression.codec={codec}",
    )
    (log,) = (tmp_path / "logs").iterdir()
    assert log.name.endswith(suffix)
    h = history(tmp_path / "logs")
    (app,) = h.get("/api/v1/applications")
    assert app["attempts"][0]["completed"] is (how == "stop")
    jobs = h.get(f"/api/v1/applications/{app['id']}/jobs")
    assert [j["status"] for j in jobs] == ["FAILED", "SUCCEEDED", "SUCCEEDED"]


def test_a_log_is_read_on_as_it_grows(history, tmp_path):
    lines = log_of("spark").splitlines(keepends=True)
    log = tmp_path / "app.inprogress"
    middle = next(i for i, line in enumerate(lines) if b"SparkListenerJobEnd" in line) + 1
    log.write_bytes(b"".join(lines[:middle]) + lines[middle][:20])
    h = history()
    (app,) = h.get("/api/v1/applications")
    assert len(h.get(f"/api/v1/applications/{app['id']}/jobs?status=succeeded")) == 1
    with log.open("ab") as f:
        f.write(lines[middle][20:] + b"".join(lines[middle + 1 :]))
    assert len(h.get(f"/api/v1/applications/{app['id']}/jobs")) > 3


def test_rolled_logs(history, tmp_path):
    lines = log_of("spark").splitlines(keepends=True)
    folder = tmp_path / "eventlog_v2_app"
    folder.mkdir()
    (folder / "appstatus_app.inprogress").touch()
    parts = [lines[:20], lines[20:50], lines[50:]]
    for number, part in enumerate(parts[:2], 9):  # 9 and 10: by number, not by name
        (folder / f"events_{number}_app.zstd").write_bytes(zstandard.compress(b"".join(part)))
    h = history()
    (app,) = h.get("/api/v1/applications")
    some = len(h.get(f"/api/v1/applications/{app['id']}/jobs"))
    assert not app["attempts"][0]["completed"] and some > 0
    (folder / "events_11_app.zstd").write_bytes(zstandard.compress(b"".join(parts[2])))
    recorded = json.loads((RECORDED / "spark.json").read_text())
    assert len(h.get(f"/api/v1/applications/{app['id']}/jobs")) == len(recorded["jobs"]) > some


def test_damaged_logs_are_shown_as_far_as_they_go(history, tmp_path):
    lines = log_of("spark").splitlines(keepends=True)
    (tmp_path / "cut").write_bytes(b"".join(lines)[:-700])
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 100)
    (tmp_path / "broken.zstd").write_bytes((RECORDED / "ours.zst").read_bytes()[:3000] + b"\0" * 99)
    (tmp_path / "nothing").write_bytes(b"")
    (tmp_path / "deep").write_bytes(b'{"Event":' + b"[" * 200000)
    (tmp_path / "link").symlink_to("/etc/passwd")
    h = history()
    names = {a["name"] for a in h.get("/api/v1/applications")}
    assert "Segments & <b>groups</b>" in names
    assert not any("passwd" in n or n == "link" for n in names)
    spark_id = json.loads((RECORDED / "spark.json").read_text())[""]["id"]
    assert h.get(f"/api/v1/applications/{spark_id}/jobs")


def test_the_index_saves_reading_again(history, tmp_path):
    for i in range(30):
        text = log_of("ours").replace(b'"App ID":"local-', b'"App ID":"app%d-' % i)
        (tmp_path / f"log{i}").write_bytes(text)
    first = history()
    listed = first.get("/api/v1/applications")
    assert len(listed) == 30
    index = (tmp_path / ".nbaspark-history").read_text()
    assert index.count("\n") == 30
    second = history()
    assert second.get("/api/v1/applications") == listed
    (tmp_path / ".nbaspark-history").write_text("not an index\n" + "{" * 5000)
    assert history().get("/api/v1/applications") == listed


def test_check_21_paths_and_methods_that_are_refused(history, tmp_path):
    (tmp_path / "log").write_bytes(log_of("ours"))
    h = history()
    for path in (
        "/../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/api/v1/applications/..%2f..%2fetc%2fpasswd/logs",
        "/api/v1/applications/%2e%2e/logs",
        "/a%00b",
        "/%zz",
        "//etc/passwd",
        "/nothing",
        "/api/v1/applications/nope/jobs",
    ):
        assert h.status(path) == 404, path
    assert " 405 " in h.raw(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
    assert " 405 " in h.raw(b"DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert " 403 " in h.raw(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    big = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100000 + b"\r\n\r\n"
    assert h.raw(big).split(" ")[1:2] in (["431"], ["413"], [])


def test_one_gate_before_every_url(history, tmp_path):
    (tmp_path / "log").write_bytes(log_of("ours"))
    h = history(token="s3cret-token")
    app = json.loads((RECORDED / "ours.json").read_text())[""]["id"]
    paths = [
        "/",
        "/metrics",
        "/api/v1/version",
        "/api/v1/site",
        "/api/v1/applications",
        "/nothing",
        "/../x",
    ]
    paths += [f"/api/v1/applications/{app}/{p}" for p in ("jobs", "sql", "environment", "logs")]
    for path in paths:
        assert h.status(path) == 401, path
        assert h.status(path, Authorization="Bearer wrong") == 401, path
        assert h.status(path, Cookie="nbaspark_ui=s3cret-toke") == 401, path
        assert h.status(path, Authorization="Bearer s3cret-token") in (200, 404), path
        assert h.status(path, Cookie="nbaspark_ui=s3cret-token") in (200, 404), path
    answer = h.raw(b"GET /?token=s3cret-token HTTP/1.0\r\n\r\n")
    assert " 303 " in answer
    assert h.status("/?token=other") == 401


def test_others_than_this_machine_want_a_token(tmp_path):
    command = [TOP / "build/release/nbasparkd", "history", "--dir", tmp_path, "--port", "0"]
    done = subprocess.run(
        [*command, "--host", "0.0.0.0"], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 1
    assert "--insecure" in done.stderr


def test_the_log_can_be_fetched(history, tmp_path):
    (tmp_path / "log").write_bytes(log_of("ours"))
    app = json.loads((RECORDED / "ours.json").read_text())[""]["id"]
    with history().open(f"/api/v1/applications/{app}/logs") as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="log"'
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.read() == log_of("ours")


def test_metrics_are_for_prometheus(history, tmp_path):
    (tmp_path / "log").write_bytes(log_of("ours"))
    with history().open("/metrics") as answer:
        text = answer.read().decode()
    assert "nbaspark_history_logs 1\n" in text
    for line in text.splitlines():
        assert re.fullmatch(
            r'#.*|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [-+.e0-9]+', line
        ), line
