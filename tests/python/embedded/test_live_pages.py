# SPDX-License-Identifier: Apache-2.0
"""Pages of an application that runs in this process: only when asked for, on this machine only, what its log says too."""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

PROGRAM = """
import json, sys, urllib.error, urllib.request
from nbaspark.sql import SparkSession, functions as F

builder = SparkSession.builder.appName("<i>live</i>").master("local[2]")
for pair in sys.argv[1:]:
    builder = builder.config(*pair.split("=", 1))
spark = builder.getOrCreate()
url = spark.sparkContext.uiWebUrl
print(url)
if url is None:
    sys.exit()

def get(path, **headers):
    request = urllib.request.Request(url + "/api/v1/" + path, headers=headers)
    return json.load(urllib.request.urlopen(request, timeout=20))

token = spark.conf.get("nbaspark.ui.token", None)
headers = {"Authorization": f"Bearer {token}"} if token else {}
if token:
    try:
        get("site")
        sys.exit("let in without a token")
    except urllib.error.HTTPError as e:
        assert e.code == 401
(app,) = get("applications", **headers)
assert app["name"] == "<i>live</i>" and not app["attempts"][0]["completed"]
assert app["id"] == spark.sparkContext.applicationId
before = len(get(f"applications/{app['id']}/jobs", **headers))
assert spark.range(1000).groupBy((F.col("id") % 3).alias("k")).count().count() == 3
jobs = get(f"applications/{app['id']}/jobs", **headers)
assert len(jobs) == before + 1 and jobs[0]["status"] == "SUCCEEDED"
(execution,) = [q for q in get(f"applications/{app['id']}/sql", **headers)]
rows = {m["value"] for n in execution["nodes"] for m in n["metrics"] if n["nodeName"] == "Range"}
assert "1,000" in rows, execution
spark.stop()
try:
    get("site", **headers)
    sys.exit("still there")
except OSError:
    pass
"""


def run(*settings):
    command = [sys.executable, "-c", PROGRAM, *settings]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_pages_of_a_running_application():
    done = run("spark.ui.enabled=true", "spark.ui.port=0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("http://127.0.0.1:")


def test_a_token():
    done = run("spark.ui.enabled=true", "spark.ui.port=0", "nbaspark.ui.token=abc-123")
    assert done.returncode == 0, done.stderr


def test_nobody_listens_unless_asked_for():
    done = run()
    assert done.returncode == 0, done.stderr
    assert done.stdout == "None\n"


def test_a_token_that_no_header_could_carry_is_refused():
    done = run("spark.ui.enabled=true", "spark.ui.port=0", "nbaspark.ui.token=a b\n")
    assert done.returncode != 0
    assert "WEB_PAGES_NOT_STARTED" in done.stderr


def test_the_pages_of_a_master(tmp_path):
    program = Path(__file__).resolve().parents[3] / "build/release/nbasparkd"
    options = ["--port", "0", "--connect-port", "0", "--webui-port", "0"]
    env = {"NBASPARK_UI_TOKEN": "to-see", "HOME": str(tmp_path)}
    process = subprocess.Popen(
        [program, "master", *options], stderr=subprocess.PIPE, text=True, env=env
    )
    try:
        url = next(
            found.group()
            for found in (re.search(r"http://127\.0\.0\.1:\d+", line) for line in process.stderr)
            if found
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url + "/api/v1/site", timeout=20)
        assert refused.value.code == 401
        headers = {"Authorization": "Bearer to-see"}
        request = urllib.request.Request(url + "/api/v1/site", headers=headers)
        site = json.load(urllib.request.urlopen(request, timeout=20))
        assert site["kind"] == "master" and site["title"].startswith("spark://127.0.0.1:")
    finally:
        process.terminate()
        process.stderr.close()
        assert process.wait(30) == 0
