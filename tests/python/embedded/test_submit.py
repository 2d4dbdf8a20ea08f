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
        "import pyspark\n"
        "assert pyspark.__version__ == '4.2.0' and pyspark.sql is nbaspark.sql\n"
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
    ("arguments", "code", "message"),
    [
        ([], 255, "Usage: "),
        (["--name", "x"], 1, "Error: Missing application resource."),
        (["--conf", "x", "job.py"], 1, "Error: Invalid argument to --conf: x"),
        (["--conf"], 1, "Error: Missing argument for option '--conf'."),
        (["--frobnicate", "1", "job.py"], 1, "Error: Unrecognized option: --frobnicate"),
        (["--frobnicate"], 1, "Error: Unrecognized option: --frobnicate"),
        (
            ["--properties-file", "no.conf", "job.py"],
            1,
            "Error: Invalid properties file 'no.conf'.",
        ),
        (["--master", "foo", "job.py"], 1, "Error: Master must either be yarn or start with spark"),
        (["--deploy-mode", "x", "job.py"], 1, "Error: --deploy-mode must be either"),
        (["--deploy-mode", "cluster", "job.py"], 1, "Error: Cluster deploy mode is not compatible"),
        (["no_such_job.py"], 2, "no_such_job.py': [Errno 2] No such file or directory"),
        (["--version"], 0, ""),
    ],
)
def test_bad_command_lines(arguments, code, message):
    done = submit(*arguments)
    assert done.returncode == code and message in done.stderr


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit()", 0, ""),
        ("import sys; sys.exit('sorry')", 1, "sorry\n"),
        ("1 +", 1, "SyntaxError: invalid syntax\n"),
        ("raise ValueError('boom')", 1, "ValueError: boom\n"),
        ("from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate().sql('select nope')", 1, ""),
    ],
)  # fmt: skip
def test_exit_codes(tmp_path, text, code, said):
    job = tmp_path / "job.py"
    job.write_text(text)
    done = submit(job)
    assert done.returncode == code and done.stderr.endswith(said)
    if "boom" in text:  # the traceback begins in the job
        assert done.stderr.split("\n")[1] == f'  File "{job}", line 1, in <module>'


SHOW = """
import sys
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

builder = SparkSession.builder
if "builder" in sys.argv:
    builder = builder.appName("builder").config("spark.my.key", "builder").master("local[1]")
if "conf" in sys.argv:
    builder = builder.config(conf=SparkConf().set("spark.my.key", "conf"))
spark = builder.getOrCreate()
sc = spark.sparkContext
assert isinstance(sc, SparkContext) and sc.version == spark.version and sc.version >= "4"
assert dict(sc.getConf().getAll())["spark.master"] == sc.master
conf = sc.getConf()
print(sc.appName, sc.master, sc.defaultParallelism >= 1, conf.get("spark.submit.deployMode"))
print(*(conf.get(key, "-") for key in ("spark.my.key", "spark.file", "spark.defaults", "other.key")))
"""


@pytest.mark.parametrize(
    ("options", "said"),
    [  # as spark-submit 4.2 says
        ([], ["job.py local[*] True client", "defaults - yes -"]),
        (["--name", "n", "--conf", "spark.my.key=c", "job.py"], ["n local[*] True client", "c - yes -"]),
        (["--properties-file", "FILE", "--master", "local[2]", "job.py"],
         ["file local[2] True client", "file x y - -"]),
        (["--properties-file", "FILE", "--load-spark-defaults", "job.py"],
         ["file local[*] True client", "file x y yes -"]),
        (["--properties-file", "FILE", "--conf", "spark.my.key=c", "--name=n", "job.py"],
         ["n local[*] True client", "c x y - -"]),
        (["--name", "n", "--conf", "spark.my.key=c", "--master", "local[2]", "job.py", "builder", "--name", "z"],
         ["builder local[1] True client", "builder - yes -"]),
        (["--conf", "spark.my.key=c", "job.py", "conf"], ["job.py local[*] True client", "conf - yes -"]),
    ],
)  # fmt: skip
def test_precedence(tmp_path, monkeypatch, options, said):
    """The builder wins over --conf, that over the properties file, that over spark-defaults.conf."""
    for name in ("MASTER", "SPARK_MASTER", "SPARK_REMOTE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    (tmp_path / "spark-defaults.conf").write_text("spark.my.key defaults\nspark.defaults yes\n")
    (tmp_path / "file.conf").write_text(
        "spark.my.key file\nspark.app.name=file\nspark.file: x y\nother.key 1\n"
    )
    (tmp_path / "job.py").write_text(SHOW)
    files = {"FILE": tmp_path / "file.conf", "job.py": tmp_path / "job.py"}
    done = submit(*(files.get(option, option) for option in options or ["job.py"]))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == said
    ignored = "Warning: Ignoring non-Spark config property: other.key" in done.stderr
    assert ignored == ("FILE" in options)
