# SPDX-License-Identifier: Apache-2.0
"""nbaspark: the PySpark API on an engine written in C.

Nothing but this file is executed by ``import nbaspark``: every public name is loaded when it is
first used, so that a script pays only for what it touches.
"""

from nbaspark._version import __version__

# public name -> module that defines it
_LAZY = {
    "SparkConf": "nbaspark.conf",
    "SparkContext": "nbaspark.context",
    "SparkFiles": "nbaspark.files",
    "StorageLevel": "nbaspark.storagelevel",
    "Row": "nbaspark.sql.types",
}

_SUBMODULES = ("conf", "context", "errors", "ml", "sql", "storagelevel")

__all__ = ["Row", "SparkConf", "SparkContext", "SparkFiles", "StorageLevel", "sql"]


def __getattr__(name: str):
    from importlib import import_module

    if name in _LAZY:
        value = getattr(import_module(_LAZY[name]), name)
    elif name in _SUBMODULES:
        value = import_module(f"nbaspark.{name}")
    else:
        raise AttributeError(f"module 'nbaspark' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted(set(globals()) | set(_LAZY) | set(_SUBMODULES))
