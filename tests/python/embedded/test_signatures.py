# SPDX-License-Identifier: Apache-2.0
"""Names, parameters and defaults of everything public, compared with those recorded from PySpark 4.2."""

import importlib.util
from pathlib import Path

import pytest

from nbaspark.errors import PySparkNotImplementedError

ORACLE = Path(__file__).resolve().parents[2] / "data" / "oracle" / "record_signatures.py"


def _recorder():
    spec = importlib.util.spec_from_file_location("record_signatures", ORACLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_signatures_are_pysparks():
    """What is there is called as in PySpark; what is missing is listed in docs/compatibility.md."""
    differences = list(_recorder().differences("nbaspark"))
    assert [d for d in differences if d[3] is not None] == []
    page = (ORACLE.parents[3] / "docs" / "compatibility.md").read_text(encoding="utf-8")
    assert [d[:2] for d in differences if d[3] is None and f"`{d[1]}`" not in page] == []


@pytest.mark.parametrize("name", ["HiveContext", "VariantVal", "UDTFRegistration"])
def test_classes_that_are_not_built_say_so(name):
    import nbaspark.sql

    with pytest.raises(PySparkNotImplementedError, match=name):
        getattr(nbaspark.sql, name)()


@pytest.mark.parametrize(
    "use",
    [
        lambda s: s.readStream,
        lambda s: s.udtf.register,
        lambda s: s.tvf,
        lambda s: s.range(1).groupBy("id").applyInPandasWithState,
        lambda s: s.range(1).writeStream,
    ],
)
def test_methods_that_are_not_built_say_so(spark, use):
    with pytest.raises(PySparkNotImplementedError):
        use(spark)
