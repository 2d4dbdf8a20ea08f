# SPDX-License-Identifier: Apache-2.0
"""Functions of columns that hold vectors."""

from __future__ import annotations

from nbaspark.errors.raising import not_implemented
from nbaspark.sql.functions.base import invoke, lit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.sql.column import Column

__all__ = ["array_to_vector", "predict_batch_udf", "vector_to_array"]


def vector_to_array(col: Column, dtype: str = "float64") -> Column:
    """Return a column of vectors, dense or sparse, as arrays.

    Parameters
    ----------
    col : Column or str
        Vectors; null is refused when the query runs.
    dtype : str
        Type of the elements: ``"float64"`` (double) or ``"float32"`` (float).

    Raises
    ------
    IllegalArgumentException
        When `dtype` is another.

    Examples
    --------
    >>> from nbaspark.ml.functions import vector_to_array
    >>> from nbaspark.ml.linalg import Vectors
    >>> df = spark.createDataFrame([(Vectors.sparse(3, [1], [2.5]),)], ["v"])
    >>> df.select(vector_to_array("v").alias("a")).head().a
    [0.0, 2.5, 0.0]
    """
    return invoke("vector_to_array", col, lit(dtype))


def array_to_vector(col: Column) -> Column:
    """Return a column of arrays of numbers as dense vectors.

    Parameters
    ----------
    col : Column or str
        Arrays of numbers without null elements.

    Examples
    --------
    >>> from nbaspark.ml.functions import array_to_vector
    >>> df = spark.createDataFrame([([1.5, 2.0],)], ["a"])
    >>> df.select(array_to_vector("a").alias("v")).head().v
    DenseVector([1.5, 2.0])
    """
    return invoke("array_to_vector", col)


def predict_batch_udf(
    make_predict_fn: Any,
    *,
    return_type: Any,
    batch_size: int,
    input_tensor_shapes: Any = None,
) -> Any:
    """Make a function that predicts batch by batch; not implemented."""
    raise not_implemented("ml.functions.predict_batch_udf")
