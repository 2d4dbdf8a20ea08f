# SPDX-License-Identifier: Apache-2.0
"""Functions in Python: over values, over pandas' and Arrow's columns. Table functions are not built: each says so when it is called."""

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


class PandasUDFType:
    """Spark's numbers for kinds of functions over pandas' columns; hints of types say the same."""

    SCALAR = 200
    GROUPED_MAP = 201
    GROUPED_AGG = 202
    SCALAR_ITER = 204
    GROUPED_AGG_ITER = 217


class ArrowUDFType:
    """Spark's numbers for kinds of functions over Arrow's arrays; hints of types say the same."""

    SCALAR = 250
    SCALAR_ITER = 251
    GROUPED_AGG = 252
    GROUPED_AGG_ITER = 254


def pandas_udf(f: Any = None, returnType: Any = None, functionType: Any = None) -> Any:
    """Make a function of columns of a function of pandas' Series.

    Its type hints say how it is called: of Series to a Series, with a batch of rows at a time; of an
    iterator of Series (or of tuples of them) to an iterator of Series; of Series to a value, once for
    the rows of a group or a window. A column of structs comes, and goes, as a DataFrame. pandas and
    pyarrow must be installed where functions run.

    Parameters
    ----------
    f : callable, optional
        The function; without it a decorator is returned.
    returnType : DataType or str
        Type of a value of the result.
    functionType : int, optional
        One of `PandasUDFType`, for functions without hints; by default SCALAR.

    Raises
    ------
    PySparkTypeError
        When there is no type, or `functionType` is none of them.
    PySparkValueError
        When a function over rows takes no argument, or some of the hints are missing.
    PySparkNotImplementedError
        When the hints are those of no kind of function.

    Examples
    --------
    >>> import pandas as pd
    >>> from nbaspark.sql.functions import pandas_udf
    >>> @pandas_udf("long")
    ... def plus(a: pd.Series, b: pd.Series) -> pd.Series:
    ...     return a + b
    >>> spark.range(3).select(plus("id", "id").alias("s")).collect()
    [Row(s=0), Row(s=2), Row(s=4)]
    >>> @pandas_udf("double")
    ... def mean(v: pd.Series) -> float:
    ...     return v.mean()
    >>> spark.range(3).agg(mean("id").alias("m")).collect()
    [Row(m=1.0)]
    """
    from nbaspark.sql.column_udf import column_udf

    return column_udf("pandas", f, returnType, functionType)


def arrow_udf(f: Any = None, returnType: Any = None, functionType: Any = None) -> Any:
    """Make a function of columns of a function of Arrow's arrays.

    Parameters
    ----------
    f : callable, optional
        The function, with hints as for `pandas_udf`: `pyarrow.Array` in the place of Series.
    returnType : DataType or str
        Type of a value of the result.
    functionType : int, optional
        One of `ArrowUDFType`, for functions without hints; by default SCALAR.

    Examples
    --------
    >>> import pyarrow as pa
    >>> import pyarrow.compute as pc
    >>> from nbaspark.sql.functions import arrow_udf
    >>> @arrow_udf("long")
    ... def negative(v: pa.Array) -> pa.Array:
    ...     return pc.negate(v)
    >>> spark.range(2).select(negative("id").alias("n")).collect()
    [Row(n=0), Row(n=-1)]
    """
    from nbaspark.sql.column_udf import column_udf

    return column_udf("arrow", f, returnType, functionType)


def udtf(cls: Any = None, *, returnType: Any = None, useArrow: bool | None = None) -> Any:
    """Make a table function of a Python class; not implemented."""
    raise not_implemented("udtf")


def arrow_udtf(cls: Any = None, *, returnType: Any = None) -> Any:
    """Make a table function of a Python class over Arrow batches; not implemented."""
    raise not_implemented("arrow_udtf")
