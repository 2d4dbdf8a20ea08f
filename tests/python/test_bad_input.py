# SPDX-License-Identifier: Apache-2.0
"""Bad input of every kind: the exception of Apache Spark 4.2, old output whole, and a session that goes on.

Each case of bad_input_cases.py is compared with what was recorded from Spark in tests/data/oracle/bad_input.json: class,
condition, SQLSTATE, parameters and the text of the exception, or what it gave where Spark does not mind. `NBASPARK_RECORD=1
pytest --engine spark tests/python/test_bad_input.py` writes that file anew.
"""

import importlib.util
import json
import os
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ORACLE = HERE.parent / "data" / "oracle" / "bad_input.json"
RECORDING = bool(os.environ.get("NBASPARK_RECORD"))

_spec = importlib.util.spec_from_file_location("bad_input_cases", HERE / "bad_input_cases.py")
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
CASES = {
    f"{theme}/{name}": case
    for theme, cases in _module.CASES.items()
    for name, case in cases.items()
}
KNOWN_GAPS = _module.KNOWN_GAPS

_recorded = json.loads(ORACLE.read_text()) if ORACLE.exists() else {}

# What differs from run to run, plans, and traces of the JVM.
PLAIN = [
    (re.compile(r"\n\nJVM stacktrace:.*", re.S), ""),
    (re.compile(r"_temporary/\S+ \(exists=false, cwd=\S+"), "_temporary/{attempt}"),
    (re.compile(r"/_temporary/0/\S*/part-\S*?\.(csv|txt|snappy\.parquet)(\.gz)?"), ""),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "{uuid}"),
    (re.compile(r"[A-Z][A-Za-z]+_[0-9a-f]{12}"), "{uid}"),
    (re.compile(r"SQLSTATE: (\w+)((?:; line \d+ pos \d+)?);\n.*", re.S), r"SQLSTATE: \1\2"),
    (re.compile(r"Job aborted due to stage failure: .*?executor driver\): (.*?)\n.*", re.S), r"\1"),
    (re.compile(r"^Job aborted due to stage failure: "), ""),
    (re.compile(r"\$\$Lambda\$\d+/0x[0-9a-f]+"), ""),
    (re.compile(r"(?<=\n)/.*/bad_input_cases.py:\d+\n"), "{here}\n"),
]


def _plain(text, folder):
    """A text without what is of this run only."""
    if isinstance(text, dict):
        return {key: _plain(value, folder) for key, value in text.items()}
    if isinstance(text, str):
        text = text.replace(str(folder), "{folder}")
        for pattern, by in PLAIN:
            text = pattern.sub(by, text)
        if "Partition column name list" in text or text.startswith("\n\tfile:"):  # in any order
            text = "\n".join(sorted(re.sub(r"list #\d+| SQLSTATE.*", "", text).split("\n")))
    return text


def _outcome(case, spark, folder):
    from nbaspark.errors import PySparkException
    from nbaspark.sql import functions

    try:
        return {"value": _plain(repr(case(spark, functions, folder)), folder)}
    except PySparkException as error:
        return {
            "error": type(error).__name__,
            "condition": error.getCondition(),
            "sqlstate": error.getSqlState(),
            "parameters": _parameters(error, folder),
            "message": _plain(str(error), folder),
        }
    except (OSError, TypeError, ValueError) as error:
        return {"error": type(error).__name__, "message": _plain(str(error), folder)}


def _parameters(error, folder):
    """Message parameters; `reason` is ours, for what Spark has as a cause in the JVM."""
    parameters = error.getMessageParameters()
    if parameters and (error.getCondition() or "").startswith(("FAILED_READ_FILE", "TASK_WRITE")):
        parameters = {key: value for key, value in parameters.items() if key != "reason"}
    return _plain(parameters, folder)


def _contents(folder):
    """Names and bytes of all files that readers see."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".crc")
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_bad_input(name, spark, engine, tmp_path, request):
    gap = KNOWN_GAPS.get(name)
    stock = "NBASPARK_TEST_OURS" in os.environ  # Spark's client on our server
    if gap and (engine in ("embedded", "cluster") or stock):
        request.applymarker(pytest.mark.xfail(reason=gap, strict=not stock))
    folder = tmp_path / "f"
    folder.mkdir()
    for path in [tmp_path, *tmp_path.parents][:3]:
        path.chmod(0o777)
    _module.put(folder, "1\n2\n", "old/part-00000-old.csv")
    _module.put(folder, "", "old/_SUCCESS")
    folder.chmod(0o777)
    before = _contents(folder / "old")
    outcome = _outcome(CASES[name], spark, folder)
    assert spark.range(3).selectExpr("sum(id)").collect()[0][0] == 3
    if (
        "error" in outcome and engine != "spark"
    ):  # which deletes what it overwrites before it has the new rows
        assert _contents(folder / "old") == before
    if RECORDING:
        _recorded[name] = outcome
        kept = {n: _recorded[n] for n in CASES if n in _recorded}
        ORACLE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    assert outcome == _recorded[name]
