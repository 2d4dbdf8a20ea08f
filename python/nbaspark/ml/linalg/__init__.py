# SPDX-License-Identifier: Apache-2.0
"""Local vectors and matrices, and the types of columns that hold them.

Values are kept as plain arrays; NumPy is imported when an operation needs it.
"""

from nbaspark.ml.linalg.matrices import DenseMatrix, Matrices, Matrix, SparseMatrix
from nbaspark.ml.linalg.udt import MatrixUDT, VectorUDT
from nbaspark.ml.linalg.vectors import (
    DenseVector,
    SparseVector,
    Vector,
    Vectors,
    _convert_to_vector,
    _vector_size,
)

__all__ = [
    "Vector",
    "DenseVector",
    "SparseVector",
    "Vectors",
    "Matrix",
    "DenseMatrix",
    "SparseMatrix",
    "Matrices",
]
