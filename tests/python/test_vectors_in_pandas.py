# SPDX-License-Identifier: Apache-2.0
"""Vectors in columns of pandas."""

from nbaspark.ml.linalg import DenseVector, SparseVector, Vectors


def test_vectors_become_objects(spark):
    """Dense ones, sparse ones and nulls."""
    rows = [(1, Vectors.dense(1, 2)), (2, Vectors.sparse(2, [0], [3.0])), (3, None)]
    frame = spark.createDataFrame(rows, ["i", "v"]).toPandas()
    assert isinstance(frame.v[0], DenseVector)
    assert isinstance(frame.v[1], SparseVector)
    assert list(frame.v[1].toArray()) == [3.0, 0.0]
    assert frame.v[2] is None


def test_vectors_print(spark):
    """A frame with vectors can be shown, as notebooks do."""
    frame = spark.createDataFrame([(Vectors.dense(1, 2),)], ["v"]).toPandas()
    assert str(frame).splitlines()[1].split(maxsplit=1) == ["0", "[1.0, 2.0]"]
    assert "1.0" in frame._repr_html_()
