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
    "StorageLevel": "nbaspark.storagelevel",
    "Row": "nbaspark.sql.types",
}

_SUBMODULES = ("conf", "context", "errors", "ml", "sql", "storagelevel")

__all__ = ["Row", "SparkConf", "SparkContext", "StorageLevel", "sql"]


def _load(module: str):
    # importlib.import_module does the same, but importing importlib costs half a millisecond
    from sys import modules

    __import__(module)
    return modules[module]


def __getattr__(name: str):
    if name in _LAZY:
        value = getattr(_load(_LAZY[name]), name)
    elif name in _SUBMODULES:
        value = _load(f"nbaspark.{name}")
    else:
        raise AttributeError(f"module 'nbaspark' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted(set(globals()) | set(_LAZY) | set(_SUBMODULES))
