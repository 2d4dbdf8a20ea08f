# SPDX-License-Identifier: Apache-2.0
"""DataFrames and SQL: the names of pyspark.sql, loaded when they are first used."""

# public name -> module that defines it
_LAZY = {
    "Catalog": "catalog",
    "Column": "column",
    "DataFrame": "dataframe",
    "DataFrameNaFunctions": "dataframe",
    "DataFrameReader": "readwriter",
    "DataFrameStatFunctions": "dataframe",
    "DataFrameWriter": "readwriter",
    "DataFrameWriterV2": "readwriter",
    "GroupedData": "group",
    "Observation": "observation",
    "Row": "types",
    "SparkSession": "session",
    "UDFRegistration": "udf",
    "Window": "window",
    "WindowSpec": "window",
    "is_remote": "utils",
}

# what PySpark has and the engine has nothing for
_ABSENT = (
    "Geography Geometry HiveContext MergeIntoWriter PandasCogroupedOps SQLContext "
    "UDTFRegistration VariantVal"
)

_SUBMODULES = ("functions", *sorted(set(_LAZY.values())), "conf", "utils")

__all__ = sorted(_LAZY)  # noqa: PLE0605


def __getattr__(name: str):
    from importlib import import_module

    if name in _LAZY:
        value = getattr(import_module(f"nbaspark.sql.{_LAZY[name]}"), name)
    elif name in _SUBMODULES:
        value = import_module(f"nbaspark.sql.{name}")
    else:
        from nbaspark.ml.absent import absent

        return absent("nbaspark.sql", _ABSENT)(name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(set(globals()) | set(_LAZY) | set(_SUBMODULES))
