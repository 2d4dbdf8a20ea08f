# SPDX-License-Identifier: Apache-2.0
"""The column types of vectors and matrices.

Their Python classes go by PySpark's names in schemas, so that data written by either is read by
the other.
"""

from __future__ import annotations

from nbaspark.sql.types import (
    ArrayType,
    BooleanType,
    ByteType,
    DoubleType,
    IntegerType,
    StructField,
    StructType,
    UserDefinedType,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SPARSE, DENSE = 0, 1


class VectorUDT(UserDefinedType):
    """The type of a column of vectors."""

    @classmethod
    def sqlType(cls) -> StructType:
        return StructType(
            [
                StructField("type", ByteType(), False),
                StructField("size", IntegerType(), True),
                StructField("indices", ArrayType(IntegerType(), False), True),
                StructField("values", ArrayType(DoubleType(), False), True),
            ]
        )

    @classmethod
    def module(cls) -> str:
        return "pyspark.ml.linalg"

    @classmethod
    def scalaUDT(cls) -> str:
        return "org.apache.spark.ml.linalg.VectorUDT"

    def serialize(self, obj: Any) -> tuple:
        from nbaspark.ml.linalg.vectors import DenseVector, SparseVector

        if isinstance(obj, SparseVector):
            return (SPARSE, obj.size, [int(i) for i in obj._indices], [float(v) for v in obj._data])
        if isinstance(obj, DenseVector):
            return (DENSE, None, None, list(obj._data))
        raise TypeError(f"cannot serialize {obj!r} of type {type(obj)!r}")

    def deserialize(self, datum: Any) -> Any:
        from nbaspark.ml.linalg.vectors import DenseVector, SparseVector

        assert len(datum) == 4, (
            f"VectorUDT.deserialize given row with length {len(datum)} but requires 4"
        )
        kind = datum[0]
        if kind == SPARSE:
            return SparseVector(datum[1], datum[2], datum[3])
        if kind == DENSE:
            return DenseVector(datum[3])
        raise ValueError(f"do not recognize type {kind!r}")

    def simpleString(self) -> str:
        return "vector"


class MatrixUDT(UserDefinedType):
    """The type of a column of matrices."""

    @classmethod
    def sqlType(cls) -> StructType:
        return StructType(
            [
                StructField("type", ByteType(), False),
                StructField("numRows", IntegerType(), False),
                StructField("numCols", IntegerType(), False),
                StructField("colPtrs", ArrayType(IntegerType(), False), True),
                StructField("rowIndices", ArrayType(IntegerType(), False), True),
                StructField("values", ArrayType(DoubleType(), False), True),
                StructField("isTransposed", BooleanType(), False),
            ]
        )

    @classmethod
    def module(cls) -> str:
        return "pyspark.ml.linalg"

    @classmethod
    def scalaUDT(cls) -> str:
        return "org.apache.spark.ml.linalg.MatrixUDT"

    def serialize(self, obj: Any) -> tuple:
        from nbaspark.ml.linalg.matrices import DenseMatrix, SparseMatrix

        if isinstance(obj, SparseMatrix):
            pointers, rows = [int(i) for i in obj.colPtrs], [int(i) for i in obj.rowIndices]
            kind = SPARSE
        elif isinstance(obj, DenseMatrix):
            pointers = rows = None
            kind = DENSE
        else:
            raise TypeError(f"cannot serialize type {type(obj)!r}")
        values = [float(v) for v in obj._data]
        return (kind, obj.numRows, obj.numCols, pointers, rows, values, bool(obj.isTransposed))

    def deserialize(self, datum: Any) -> Any:
        from nbaspark.ml.linalg.matrices import DenseMatrix, SparseMatrix

        assert len(datum) == 7, (
            f"MatrixUDT.deserialize given row with length {len(datum)} but requires 7"
        )
        kind = datum[0]
        if kind == SPARSE:
            return SparseMatrix(*datum[1:])
        if kind == DENSE:
            return DenseMatrix(datum[1], datum[2], datum[5], datum[6])
        raise ValueError(f"do not recognize type {kind!r}")

    def simpleString(self) -> str:
        return "matrix"
