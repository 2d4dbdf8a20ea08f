# SPDX-License-Identifier: Apache-2.0
"""Exceptions under the module name that programs before Spark 3.4 import them from."""

from nbaspark.errors import (
    AnalysisException,
    IllegalArgumentException,
    ParseException,
    PythonException,
    QueryExecutionException,
    SparkUpgradeException,
    StreamingQueryException,
    UnknownException,
)


def is_remote() -> bool:
    """Return whether sessions of this process are those of a server that SPARK_REMOTE names."""
    from os import environ

    return "SPARK_REMOTE" in environ or "SPARK_CONNECT_MODE_ENABLED" in environ


__all__ = [
    "AnalysisException",
    "IllegalArgumentException",
    "ParseException",
    "PythonException",
    "QueryExecutionException",
    "SparkUpgradeException",
    "StreamingQueryException",
    "UnknownException",
    "is_remote",
]
