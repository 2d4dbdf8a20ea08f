# SPDX-License-Identifier: Apache-2.0
"""Functions in Python that do harm: each takes its own process along, and nothing else."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nbaspark.errors import AnalysisException, PySparkTypeError, PythonException, SparkException
from nbaspark.sql import functions as F


def run(spark, function, returned="int"):
    return spark.range(1).select(F.udf(function, returned)("id").alias("r")).collect()


def program_run(text):
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False
    )


def works(spark):
    return run(spark, lambda x: 7)[0].r == 7


def ends(pid):
    """Wait until a process is gone, or is for init to notice."""
    stat = Path(f"/proc/{pid}/stat")
    for _ in range(200):
        try:
            if stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} is still there")


def children():
    """Return the processes that threads of this one have started and not yet seen the end of."""
    lists = Path("/proc/self/task").glob("*/children")
    return {int(pid) for listed in lists for pid in listed.read_text(encoding="utf-8").split()}


def test_a_segfault(spark):
    with pytest.raises(SparkException, match=r"PYTHON_WORKER_EXITED.*signal 11"):
        run(spark, lambda x: os.kill(os.getpid(), signal.SIGSEGV))
    assert works(spark)


def test_an_exit(spark):
    with pytest.raises(SparkException, match=r"PYTHON_WORKER_EXITED.*exit code 3"):
        run(spark, lambda x: os._exit(3))
    with pytest.raises(PythonException, match="SystemExit: 4"):
        run(spark, lambda x: sys.exit(4))
    assert works(spark)


def test_what_it_prints_is_no_answer():
    program = (
        "from nbaspark.sql import SparkSession, functions as F\n"
        "s = SparkSession.builder.getOrCreate()\n"
        "say = F.udf(lambda x: print('printed by a function', flush=True) or 1, 'int')\n"
        "print(s.range(1).select(say('id').alias('r')).collect())\n"
    )
    done = program_run(program)
    assert done.stdout == "[Row(r=1)]\n" and "printed by a function" in done.stderr


def test_the_traceback_names_the_line(spark):
    def divide(x):
        return 1 // x

    with pytest.raises(PythonException, match=r"(?s)line \d+, in divide.*ZeroDivisionError"):
        run(spark, divide)


def test_a_loop_is_interrupted(spark):
    before = children()
    started = threading.Timer(0.5, spark.interruptAll)
    started.start()
    begin = time.monotonic()
    with pytest.raises(SparkException, match="OPERATION_CANCELED"):
        run(spark, lambda x: [None for _ in iter(int, 1)])
    assert time.monotonic() - begin < 5
    assert works(spark)
    assert len(children() - before) <= 2  # the process that looped is gone


def test_memory_has_a_bound():
    program = (
        "from nbaspark.sql import SparkSession, functions as F\n"
        "s = SparkSession.builder.config('spark.executor.pyspark.memory', '1g').getOrCreate()\n"
        "eat = F.udf(lambda x: len(bytearray(10 << 30)), 'bigint')\n"
        "try:\n"
        "    s.range(1).select(eat('id')).collect()\n"
        "except Exception as e:\n"
        "    print(type(e).__name__, 'MemoryError' in str(e))\n"
        "print(s.range(1).select(F.udf(lambda x: 7, 'int')('id').alias('r')).collect())\n"
    )
    done = program_run(program)
    assert done.stdout == "PythonException True\n[Row(r=7)]\n", done.stderr


def test_no_process_outlives_the_program():
    program = (
        "import os\n"
        "from nbaspark.sql import SparkSession, functions as F\n"
        "s = SparkSession.builder.getOrCreate()\n"
        "print(s.range(1).select(F.udf(lambda x: os.getpid(), 'int')('id').alias('r')).first().r)\n"
    )
    done = program_run(program)
    ends(int(done.stdout))


def test_a_loop_ends_with_the_program(tmp_path):
    program = (
        "import os\n"
        "from nbaspark.sql import SparkSession, functions as F\n"
        "def loop(x):\n"
        f"    open('{tmp_path}/pid', 'w').write(str(os.getpid()))\n"
        "    while True:\n"
        "        pass\n"
        "SparkSession.builder.getOrCreate().range(1).select(F.udf(loop, 'int')('id')).collect()\n"
    )
    running = subprocess.Popen([sys.executable, "-c", program])
    file = tmp_path / "pid"
    until = time.monotonic() + 30
    while not (file.exists() and file.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    running.kill()
    running.wait()
    ends(int(file.read_text()))


def test_no_python(tmp_path):
    program = (
        "from nbaspark.sql import SparkSession, functions as F\n"
        f"s = SparkSession.builder.config('spark.pyspark.python', '{tmp_path}/none').getOrCreate()\n"
        "try:\n"
        "    s.range(1).select(F.udf(lambda x: 7, 'int')('id')).collect()\n"
        "except Exception as e:\n"
        "    print(e.getCondition(), e.getSqlState())\n"
    )
    done = program_run(program)
    assert done.stdout == "PYTHON_WORKER_START 38000\n", done.stderr


def test_functions_of_two_threads(spark):
    answers = {}

    def ask(k):
        answers[k] = run(spark, lambda x: k)[0].r

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert answers == {k: k for k in range(8)}


def test_many_functions(spark):
    """More than a process keeps; the first is defined again."""
    for k in list(range(80)) + [0]:
        assert spark.range(1).select(F.udf(lambda x, k=k: k, "int")("id")).first()[0] == k


def test_vectors_are_refused(spark):
    from nbaspark.errors import PySparkNotImplementedError
    from nbaspark.ml.linalg import Vectors

    df = spark.createDataFrame([(Vectors.dense([1.0]),)], ["v"])
    with pytest.raises(PySparkNotImplementedError, match="Python function"):
        df.select(F.udf(lambda v: 1, "int")("v")).collect()


def test_confined_sessions_run_no_python(tmp_path):
    program = (
        "from nbaspark.sql import SparkSession, functions as F\n"
        f"s = SparkSession.builder.config('spark.sql.files.allowedPaths', '{tmp_path}').getOrCreate()\n"
        "try:\n"
        "    s.range(1).select(F.udf(lambda x: 7, 'int')('id')).collect()\n"
        "except Exception as e:\n"
        "    print(type(e).__name__)\n"
    )
    done = program_run(program)
    assert done.stdout == "PySparkNotImplementedError\n", done.stderr


def test_a_session_of_its_own_knows_no_other_s_functions(spark):
    spark.udf.register("of_one_session", lambda x: 1, "int")
    assert spark.sql("SELECT of_one_session(1)").first()[0] == 1
    with pytest.raises(AnalysisException, match="UNRESOLVED_ROUTINE"):
        spark.newSession().sql("SELECT of_one_session(1)").collect()


@pytest.mark.parametrize("name", ["nb_python", "nb_python_varying"])
def test_the_call_itself_has_no_name(spark, name):
    for text in (f"{name}(null, null, null, null)", f"{name}(X'', 'sh', 'f', null)"):
        with pytest.raises(AnalysisException, match="UNRESOLVED_ROUTINE"):
            spark.sql(f"SELECT {text}").collect()
    with pytest.raises(AnalysisException, match="UNRESOLVED_ROUTINE"):
        spark.range(1).select(F.call_function(name, *[F.lit("x")] * 4)).collect()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM VALUES (of_constants(1))",
        "SELECT id + 1 FROM range(of_constants(3))",
        "SELECT 1 LIMIT of_constants(2)",
        "SELECT stack(of_constants(1), 1)",
    ],
)
def test_where_values_must_be_constant(spark, text):
    spark.udf.register("of_constants", lambda x: 1, "int")
    assert spark.sql(text).collect() == [(1,)]


def test_no_distinct_and_no_filter(spark):
    spark.udf.register("of_rows", lambda x: x, "bigint")
    for text in ("of_rows(DISTINCT id)", "of_rows(id) FILTER (WHERE id > 1)"):
        with pytest.raises(AnalysisException, match="FUNCTION_WITH_UNSUPPORTED_SYNTAX"):
            spark.sql(f"SELECT {text} FROM range(3)").collect()


def test_what_a_function_keeps_is_a_query_s_own(spark):
    seen = []
    count = F.udf(lambda x: (seen.append(x), len(seen))[1], "int")
    for _ in range(2):
        assert [r[0] for r in spark.range(0, 3, 1, 1).select(count("id")).collect()] == [1, 2, 3]


def test_a_process_that_was_killed_while_it_had_nothing_to_do(spark):
    pid = spark.range(1).select(F.udf(lambda x: os.getpid(), "int")("id")).first()[0]
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert works(spark)


def test_an_exit_beside_a_child_that_lives_on(spark):
    def leave(x):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        os._exit(3)

    begin = time.monotonic()
    with pytest.raises(SparkException, match="exit code 3"):
        run(spark, leave)
    assert time.monotonic() - begin < 10


def test_modules_of_the_current_directory_hide_none_of_python_s(tmp_path):
    (tmp_path / "select.py").write_text("raise RuntimeError\n")
    (tmp_path / "helpers.py").write_text("def plus_one(x):\n    return x + 1\n")
    program = (
        "import sys; sys.path.insert(0, '.'); import helpers\n"
        "from nbaspark.sql import SparkSession, functions as F\n"
        "s = SparkSession.builder.getOrCreate()\n"
        "print(s.range(1).select(F.udf(helpers.plus_one, 'int')('id').alias('r')).collect())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", "import select\n" + program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        check=False,
    )
    assert done.stdout == "[Row(r=1)]\n" and not done.stderr, done.stderr


def test_a_type_for_what_has_one(spark):
    with pytest.raises(PySparkTypeError, match="CANNOT_SPECIFY_RETURN_TYPE_FOR_UDF"):
        spark.udf.register("typed", F.udf(lambda x: x, "int"), "int")
