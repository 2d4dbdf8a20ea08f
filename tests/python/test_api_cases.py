# SPDX-License-Identifier: Apache-2.0
"""DataFrame programs whose schemas, rows, texts and errors were recorded from Apache Spark 4.2.

A case is a row of a table in `api_cases`: a name and a function of the session, the functions module
and Window. It returns a DataFrame, whose schema and rows are compared, or any other value, whose repr
is; an exception is compared by class, condition, SQLSTATE and parameters. Rows count in their order
only if the plan ends in a sort.

What Spark gave is kept in tests/data/oracle/api. `NBASPARK_RECORD=1 pytest --engine spark
tests/python/test_api_cases.py` writes it anew. With a `--config` that says `recorded`, answers that differ from
those are kept in that folder.
"""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ORACLE = HERE.parent / "data" / "oracle"
RECORDING = bool(os.environ.get("NBASPARK_RECORD"))


def _load(path):
    spec = importlib.util.spec_from_file_location(f"api_cases_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


THEMES = {path.stem: _load(path).CASES for path in sorted((HERE / "api_cases").glob("*.py"))}
_answers = {}


def _recorded(theme, folder="api"):
    if (theme, folder) not in _answers:
        path = ORACLE / folder / f"{theme}.json"
        _answers[theme, folder] = json.loads(path.read_text()) if path.exists() else {}
    return _answers[theme, folder]


def _record(theme, name, outcome, folder):
    recorded = _recorded(theme, folder)
    recorded[name] = outcome
    if folder != "api" and outcome == _recorded(theme)[name]:
        del recorded[name]
    kept = {n: recorded[n] for n in THEMES[theme] if n in recorded}
    if kept:
        (ORACLE / folder).mkdir(exist_ok=True)
        text = json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=False)
        (ORACLE / folder / f"{theme}.json").write_text(text + "\n")


def _outcome(build, spark):
    """Return what a case gives, as JSON has it."""
    from nbaspark.errors import PySparkException
    from nbaspark.sql import DataFrame, Window, functions

    try:
        result = build(spark, functions, Window)
        if isinstance(result, DataFrame):
            schema = result.schema
            rows = [repr(row) for row in result.collect()]
            return {"schema": _text(schema), "rows": rows}
        return {"value": repr(result)}
    except PySparkException as error:
        return {
            "error": type(error).__name__,
            "condition": error.getCondition(),
            "sqlstate": error.getSqlState(),
            "parameters": error.getMessageParameters(),
        }


def _text(schema):
    return [
        f"{f.name}: {f.dataType.simpleString()}{'' if f.nullable else ' not null'}" for f in schema
    ]


def _comparable(outcome, ordered):
    if "rows" in outcome and not ordered:
        return {**outcome, "rows": sorted(outcome["rows"])}
    return outcome


KNOWN_GAPS = _load(HERE / "api_cases_gaps.py").KNOWN_GAPS


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("theme", "name"), [(theme, name) for theme, cases in THEMES.items() for name in cases]
)
def test_case(theme, name, spark, engine, settings, request):
    gap = KNOWN_GAPS.get(theme, {}).get(name, "")
    # those of the Python package show with any engine
    ours = engine in ("embedded", "cluster") or (engine == "remote" and "Spark's client" in gap)
    stock = "NBASPARK_TEST_OURS" in os.environ  # Spark's client on our server
    if gap and (ours or stock):
        request.applymarker(pytest.mark.xfail(reason=gap, strict=not stock))
    outcome = _outcome(THEMES[theme][name], spark)
    folder = settings.get("recorded", "api")
    if RECORDING:
        assert engine == "spark"
        _record(theme, name, outcome, folder)
    ordered = "sort" in name or "order" in name
    expected = _recorded(theme, folder).get(name) or _recorded(theme)[name]
    assert _comparable(outcome, ordered) == _comparable(expected, ordered)


def test_gaps_are_of_cases():
    assert not [
        (theme, name)
        for theme, gaps in KNOWN_GAPS.items()
        for name in gaps
        if name not in THEMES[theme]
    ]
