# SPDX-License-Identifier: Apache-2.0
"""The package from outside: what importing it loads, its configuration files, its exceptions."""

import json
import pickle
import subprocess
import sys

import pytest

from nbaspark import SparkConf, StorageLevel, defaults, errors


def _modules_after(statement):
    program = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(run.stdout))


@pytest.mark.parametrize(
    "statement",
    [
        "import nbaspark",
        "from nbaspark.sql import SparkSession, functions as F, Window\nF.sum(F.col('a') + 1)",
        "from nbaspark.sql.types import *",
    ],
)
def test_import_is_light(statement):
    heavy = (
        "numpy pandas pyarrow google typing dataclasses inspect decimal datetime logging".split()
    )
    loaded = _modules_after(statement) - _modules_after("pass")
    assert not {m.partition(".")[0] for m in loaded} & set(heavy)


def test_all_names_exist():
    import nbaspark
    import nbaspark.sql

    for module in (nbaspark, nbaspark.sql, nbaspark.errors):
        for name in module.__all__:
            assert getattr(module, name) is not None
        with pytest.raises(AttributeError):
            module.nothing  # noqa: B018


DEFAULTS = """
# comment
spark.app.name        My job
spark.sql.ansi.enabled=false
spark.local.dir : /a b/c
! another comment
spark.long   one \\
             two
spark.empty
"""


def test_defaults_file_and_environment(tmp_path, monkeypatch):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "spark-defaults.conf").write_text(DEFAULTS)
    expected = {
        "spark.app.name": "My job",
        "spark.sql.ansi.enabled": "false",
        "spark.local.dir": "/a b/c",
        "spark.long": "one two",
        "spark.empty": "",
    }
    for variable in ("NBASPARK_HOME", "SPARK_HOME"):
        assert defaults.load({variable: str(tmp_path)}) == expected
    environment = {"SPARK_CONF_DIR": str(tmp_path / "conf"), "SPARK_LOCAL_DIRS": "/d"}
    assert defaults.load(environment) == {**expected, "spark.local.dir": "/d"}
    assert defaults.load({"SPARK_HOME": str(tmp_path / "nothing")}) == {}
    assert defaults.load({"NBASPARK_CONF": "a=1\nb=x=y"}) == {"a": "1", "b": "x=y"}
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    assert SparkConf().get("spark.app.name") == "My job"


def test_conf():
    conf = SparkConf(False).setMaster("local[3]").setAppName("a").set("k", "1")
    conf.setIfMissing("k", "2").setAll([("x", "y")]).setExecutorEnv("E", "1")
    assert dict(conf.getAll())["spark.executorEnv.E"] == "1"
    assert conf.get("k") == "1" and conf.get("none") is None and conf.contains("x")
    assert "spark.master=local[3]" in conf.toDebugString().splitlines()


def test_storage_level():
    from pyspark import StorageLevel as Theirs

    for name in (
        "NONE",
        "DISK_ONLY",
        "MEMORY_ONLY",
        "MEMORY_AND_DISK",
        "OFF_HEAP",
        "MEMORY_AND_DISK_DESER",
    ):
        mine, theirs = getattr(StorageLevel, name), getattr(Theirs, name)
        assert (repr(mine), str(mine)) == (repr(theirs), str(theirs))
        assert StorageLevel._from_tree(mine._to_tree()) == mine


def test_error_from_engine():
    error = errors._from_engine(
        "ARITHMETIC",
        "DIVIDE_BY_ZERO",
        "22012",
        "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012",
        {"config": '"spark.sql.ansi.enabled"'},
        [{"context_type": "SQL", "fragment": "1 / 0", "start_index": 7, "stop_index": 11}],
    )
    assert isinstance(error, errors.ArithmeticException)
    assert str(error) == "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012" == error.getMessage()
    assert (error.getCondition(), error.getSqlState()) == ("DIVIDE_BY_ZERO", "22012")
    assert error.getMessageParameters() == {"config": '"spark.sql.ansi.enabled"'}
    (context,) = error.getQueryContext()
    assert context.contextType() is errors.QueryContextType.SQL
    assert (context.fragment(), context.startIndex(), context.stopIndex()) == ("1 / 0", 7, 11)
    with pytest.raises(errors.UnsupportedOperationException):
        context.callSite()
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error)


def test_error_of_python():
    error = errors.PySparkTypeError(
        errorClass="NOT_EXPECTED_TYPE",
        messageParameters={"arg_name": "a", "expected_type": "int", "arg_type": "str"},
    )
    assert isinstance(error, TypeError)
    assert str(error) == "[NOT_EXPECTED_TYPE] Argument `a` should be int, got str."
    assert error.getSqlState() == "42K09"
    assert str(errors.AnalysisException("plain")) == "plain"


def test_messages_are_sparks():
    from pyspark.errors.error_classes import ERROR_CLASSES_MAP

    from nbaspark.errors.conditions import CONDITIONS, sqlstate_of

    for name, template in CONDITIONS.items():
        row = ERROR_CLASSES_MAP[name.split(".")[0]]
        expected = "\n".join(row["message"])
        if "." in name:
            row = row["sub_class"][name.split(".")[1]]
            expected += " " + "\n".join(row["message"])
        assert template == expected
        assert sqlstate_of(name) == row.get("sqlState")


def test_kinds_of_the_engine():
    for kind, cls in errors.exceptions._KINDS.items():
        assert type(errors._from_engine(kind, "C", None, "m")) is cls
    assert (
        type(errors._from_engine("PySparkNotImplementedError", "C", None, "m")).__mro__[2]
        is NotImplementedError
    )
    assert type(errors._from_engine("whatever", None, None, "m")) is errors.UnknownException
