# SPDX-License-Identifier: Apache-2.0
"""nbaspark-submit, and the customer segmentation job."""

import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
JOB = TOP / "jobs" / "customer_segmentation.py"
DATA = TOP / "jobs" / "data" / "clientes_demo.csv"


def submit(*arguments):
    command = [sys.executable, "-m", "nbaspark.submit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def groups(folder):
    (part,) = Path(folder).glob("part-*.csv")
    header, *rows = part.read_text().split()
    assert header == "prediction"
    return rows


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    out = tmp_path_factory.mktemp("job") / "out"
    subprocess.run([sys.executable, str(JOB), str(DATA), str(out)], check=True, timeout=60)
    return groups(out)


def test_job(expected):
    assert len(expected) == 240 and set(expected) == {"0", "1", "2"}


def test_job_of_pyspark_runs_unchanged(tmp_path, expected):
    job = tmp_path / "job.py"
    job.write_text(JOB.read_text(encoding="utf-8").replace("nbaspark", "pyspark"), encoding="utf-8")
    for _ in range(2):  # overwrites
        done = submit("--master", "local[2]", "--name", "job", job, DATA, tmp_path / "out")
        assert done.returncode == 0, done.stderr
    assert groups(tmp_path / "out") == expected


def test_options(tmp_path):
    (tmp_path / "helper.py").write_text("ANSWER = 42\n")
    (tmp_path / "note.txt").write_text("hello\n")
    (tmp_path / "my.conf").write_text("spark.sql.shuffle.partitions 7\nspark.app.name fromfile\n")
    (tmp_path / "sub").mkdir()
    job = tmp_path / "sub" / "job.py"
    job.write_text(
        "import sys\n"
        "import pyspark.sql.functions as F\n"
        "from pyspark import SparkFiles\n"
        "from pyspark.sql import SparkSession\n"
        "import nbaspark.sql.functions\n"
        "import helper\n"
        "assert F is nbaspark.sql.functions\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        "print(spark.conf.get('spark.sql.shuffle.partitions'), spark.conf.get('spark.app.name'))\n"
        "print(spark.conf.get('spark.sql.ansi.enabled'), helper.ANSWER, sys.argv[1:], __name__)\n"
        "print(open(SparkFiles.get('note.txt')).read())\n"
    )
    done = submit(
        "--properties-file", tmp_path / "my.conf", "--conf", "spark.app.name=given",
        "-c", "spark.sql.ansi.enabled=false", "--py-files", tmp_path / "helper.py",
        "--files", tmp_path / "note.txt", job, "--x", "y",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:3] == ["7 given", "false 42 ['--x', 'y'] __main__", "hello"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing application resource"),
        (["--conf", "x", "job.py"], "Spark config without '='"),
        (["--frobnicate", "1", "job.py"], "Unrecognized option: --frobnicate"),
        (["no_such_job.py"], "Cannot read no_such_job.py"),
    ],
)
def test_bad_command_lines(arguments, message):
    done = submit(*arguments)
    assert done.returncode == 1 and message in done.stderr
