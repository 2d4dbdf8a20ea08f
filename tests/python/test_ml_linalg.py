# SPDX-License-Identifier: Apache-2.0
"""Local vectors and matrices, and columns of them."""

import pickle

import numpy as np
import pytest

from nbaspark.ml.linalg import (
    DenseMatrix,
    DenseVector,
    Matrices,
    SparseMatrix,
    SparseVector,
    Vectors,
    VectorUDT,
)


def test_text():
    assert repr(Vectors.dense([1, 2.5])) == "DenseVector([1.0, 2.5])"
    assert str(Vectors.dense(1.0, 2.0)) == "[1.0,2.0]"
    assert repr(Vectors.sparse(4, {1: 1.0, 3: 5.5})) == "SparseVector(4, {1: 1.0, 3: 5.5})"
    assert str(Vectors.sparse(4, [1, 3], [1.0, 5.5])) == "(4,[1,3],[1.0,5.5])"
    assert (
        repr(Matrices.dense(2, 2, [0, 1, 2, 3])) == "DenseMatrix(2, 2, [0.0, 1.0, 2.0, 3.0], False)"
    )


def test_arithmetic():
    v, u = Vectors.dense(1.0, 2.0), Vectors.dense(3.0, 4.0)
    assert v + u == DenseVector([4.0, 6.0])
    assert 2 - v == DenseVector([1.0, 0.0])
    assert -v == DenseVector([-1.0, -2.0])
    assert u % 2 == DenseVector([1.0, 0.0])
    assert v.dot(u) == 11.0
    assert v.squared_distance(u) == 8.0
    assert u.norm(2) == 5.0
    assert v.sum() == 3.0


def test_sparse_and_dense_agree():
    sparse, dense = Vectors.sparse(4, {1: 3.0, 3: 4.0}), Vectors.dense(0.0, 3.0, 0.0, 4.0)
    assert sparse == dense and dense == sparse
    assert hash(sparse) == hash(dense)
    assert sparse.dot(dense) == dense.dot(sparse) == 25.0
    assert sparse.squared_distance(dense) == 0.0
    assert sparse[3] == 4.0 and sparse[0] == 0.0 and sparse[-1] == 4.0
    assert np.array_equal(sparse.toArray(), dense.toArray())
    assert sparse.numNonzeros() == 2
    assert len(sparse) == 4


@pytest.mark.parametrize("v", [Vectors.dense(1.0, 2.0), Vectors.sparse(3, {0: 1.0})])
def test_pickle(v):
    assert pickle.loads(pickle.dumps(v)) == v


def test_bad_sparse_vectors():
    with pytest.raises(TypeError):
        SparseVector(4, [3, 1], [1.0, 2.0])
    with pytest.raises(AssertionError):
        SparseVector(4, {6: 1.0})
    with pytest.raises(AssertionError):
        SparseVector(4, {-1: 1.0})
    with pytest.raises(IndexError):
        SparseVector(4, {1: 1.0})[4]


def test_matrices():
    dense = DenseMatrix(2, 2, [1.0, 0.0, 3.0, 4.0])
    sparse = SparseMatrix(2, 2, [0, 1, 3], [0, 0, 1], [1.0, 3.0, 4.0])
    assert dense == sparse and sparse.toDense() == dense and dense.toSparse() == sparse
    assert dense[0, 1] == sparse[0, 1] == 3.0
    assert DenseMatrix(2, 2, [1.0, 3.0, 0.0, 4.0], True) == dense
    with pytest.raises(IndexError):
        dense[2, 0]


def test_columns_of_vectors(spark):
    rows = [(Vectors.dense(1.0, 2.0),), (Vectors.sparse(2, {1: 3.0}),), (None,)]
    df = spark.createDataFrame(rows, ["v"])
    assert df.schema["v"].dataType == VectorUDT()
    assert [row.v for row in df.collect()] == [row[0] for row in rows]
    assert [row[0] for row in df.selectExpr("CAST(v AS STRING)").collect()] == [
        "[1.0,2.0]",
        "(2,[1],[3.0])",
        None,
    ]
