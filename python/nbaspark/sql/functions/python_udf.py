# SPDX-License-Identifier: Apache-2.0
"""Functions in Python. Those over pandas and Arrow, and table functions, are not built: each says so when it is called."""

from __future__ import annotations

from nbaspark.errors.raising import not_implemented
from nbaspark.sql.types import DataType, StringType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def udf(f: Any = None, returnType: Any = StringType(), *, useArrow: bool | None = None) -> Any:
    """Make a function of columns of a Python function, which is called row by row.

    The function and what it refers to are pickled by ``cloudpickle``, a package of its own, and
    run in a process of their own (``spark.pyspark.python``).

    Parameters
    ----------
    f : callable, optional
        Function of as many values as there will be columns; without it a decorator is returned.
    returnType : DataType or str
        Type of its results, as an object or as DDL; by default string.
    useArrow : bool, optional
        No effect: rows always travel as Arrow.

    Raises
    ------
    PySparkTypeError
        When `f` cannot be called or `returnType` is no type.

    Examples
    --------
    >>> from nbaspark.sql.functions import udf
    >>> @udf("int")
    ... def twice(x):
    ...     return x * 2
    >>> spark.range(3).select(twice("id").alias("t")).collect()
    [Row(t=0), Row(t=2), Row(t=4)]
    """
    from nbaspark.sql.udf import make_udf

    if f is None or isinstance(f, (str, DataType)):
        chosen = f if f is not None else returnType
        return lambda function: make_udf(function, chosen)
    return make_udf(f, returnType)


def pandas_udf(f: Any = None, returnType: Any = None, functionType: Any = None) -> Any:
    """Make a function of columns of a function of pandas Series; not implemented."""
    raise not_implemented("pandas_udf")


def arrow_udf(f: Any = None, returnType: Any = None, functionType: Any = None) -> Any:
    """Make a function of columns of a function of Arrow arrays; not implemented."""
    raise not_implemented("arrow_udf")


def udtf(cls: Any = None, *, returnType: Any = None, useArrow: bool | None = None) -> Any:
    """Make a table function of a Python class; not implemented."""
    raise not_implemented("udtf")


def arrow_udtf(cls: Any = None, *, returnType: Any = None) -> Any:
    """Make a table function of a Python class over Arrow batches; not implemented."""
    raise not_implemented("arrow_udtf")
