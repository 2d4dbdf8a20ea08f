# SPDX-License-Identifier: Apache-2.0
"""Dense and sparse matrices, column by column (row by row when transposed)."""

from __future__ import annotations

from array import array

from nbaspark.ml.linalg.udt import MatrixUDT
from nbaspark.ml.linalg.vectors import (
    _doubles,
    _format_float,
    _format_float_list,
    _is_ndarray,
    _numpy,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np


def _ints(values: Any) -> array:
    return array("i", values if isinstance(values, bytes) else [int(v) for v in values])


class Matrix:
    """What dense and sparse matrices have in common."""

    __UDT__ = MatrixUDT()

    _data: Any

    def __init__(self, numRows: int, numCols: int, isTransposed: bool = False):
        self.numRows = numRows
        self.numCols = numCols
        self.isTransposed = isTransposed

    @property
    def values(self) -> np.ndarray:
        """The stored elements."""
        data = self._data
        return data if _is_ndarray(data) else _numpy().frombuffer(data, dtype="float64")

    def toArray(self) -> np.ndarray:
        """Return the elements as a 2-d NumPy array."""
        raise NotImplementedError

    def _check(self, i: int, j: int) -> None:
        if i < 0 or i >= self.numRows:
            raise IndexError(f"Row index {i} is out of range [0, {self.numRows})")
        if j < 0 or j >= self.numCols:
            raise IndexError(f"Column index {j} is out of range [0, {self.numCols})")

    __hash__ = None  # type: ignore[assignment]


class DenseMatrix(Matrix):
    """A matrix of which every element is stored.

    Examples
    --------
    >>> from nbaspark.ml.linalg import DenseMatrix
    >>> m = DenseMatrix(2, 2, range(4))
    >>> m
    DenseMatrix(2, 2, [0.0, 1.0, 2.0, 3.0], False)
    >>> m[0, 1]
    2.0
    """

    def __init__(self, numRows: int, numCols: int, values: Any, isTransposed: bool = False):
        super().__init__(numRows, numCols, isTransposed)
        self._data = _doubles(values)
        assert len(self._data) == numRows * numCols

    def __reduce__(self) -> tuple:
        return DenseMatrix, (
            self.numRows,
            self.numCols,
            self._data.tobytes(),
            int(self.isTransposed),
        )

    def toArray(self) -> np.ndarray:
        if self.isTransposed:
            return _numpy().asfortranarray(self.values.reshape((self.numRows, self.numCols)))
        return self.values.reshape((self.numRows, self.numCols), order="F")

    def toSparse(self) -> SparseMatrix:
        """Return the same matrix in sparse form."""
        pointers, rows, values = [0], [], []
        for j in range(self.numCols):
            for i in range(self.numRows):
                value = self[i, j]
                if value != 0:
                    rows.append(i)
                    values.append(value)
            pointers.append(len(rows))
        return SparseMatrix(self.numRows, self.numCols, pointers, rows, values)

    def __getitem__(self, indices: tuple[int, int]) -> float:
        i, j = indices
        self._check(i, j)
        if self.isTransposed:
            return self._data[i * self.numCols + j]
        return self._data[i + j * self.numRows]

    def __str__(self) -> str:
        first, *rest = repr(self.toArray()).splitlines()
        return (
            first.replace("array", "DenseMatrix")
            + "\n"
            + "\n".join(" " * len("Matrix") + line for line in rest)
        )

    def __repr__(self) -> str:
        data = self._data
        if len(data) < 17:
            entries = _format_float_list(data)
        else:
            entries = [*_format_float_list(data[:8]), "...", *_format_float_list(data[-8:])]
        text = ", ".join(entries)
        return f"DenseMatrix({self.numRows}, {self.numCols}, [{text}], {self.isTransposed})"

    def __eq__(self, other: Any) -> bool:
        if self.numRows != other.numRows or self.numCols != other.numCols:
            return False
        return bool((self.toArray() == other.toArray()).all())


class SparseMatrix(Matrix):
    """A matrix in compressed sparse column form (row form when transposed).

    Examples
    --------
    >>> from nbaspark.ml.linalg import SparseMatrix
    >>> m = SparseMatrix(2, 2, [0, 2, 3], [0, 1, 1], [2, 3, 4])
    >>> m
    SparseMatrix(2, 2, [0, 2, 3], [0, 1, 1], [2.0, 3.0, 4.0], False)
    >>> m.toDense()
    DenseMatrix(2, 2, [2.0, 3.0, 0.0, 4.0], False)
    """

    def __init__(
        self,
        numRows: int,
        numCols: int,
        colPtrs: Any,
        rowIndices: Any,
        values: Any,
        isTransposed: bool = False,
    ):
        super().__init__(numRows, numCols, isTransposed)
        self._pointers = _ints(colPtrs)
        self._rows = _ints(rowIndices)
        self._data = _doubles(values)
        expected = (numRows if isTransposed else numCols) + 1
        if len(self._pointers) != expected:
            raise ValueError(f"Expected colPtrs of size {expected}, got {len(self._pointers)}.")
        if len(self._rows) != len(self._data):
            raise ValueError(
                f"Expected rowIndices of length {len(self._rows)}, got {len(self._data)}."
            )

    @property
    def colPtrs(self) -> np.ndarray:
        """Where each column begins in the stored elements."""
        return _numpy().frombuffer(self._pointers, dtype="int32")

    @property
    def rowIndices(self) -> np.ndarray:
        """The row of each stored element."""
        return _numpy().frombuffer(self._rows, dtype="int32")

    def __reduce__(self) -> tuple:
        return SparseMatrix, (
            self.numRows,
            self.numCols,
            self._pointers.tobytes(),
            self._rows.tobytes(),
            self._data.tobytes(),
            int(self.isTransposed),
        )

    def _entries(self) -> Any:
        """Yield (row, column, value) of the stored elements."""
        for major in range(len(self._pointers) - 1):
            for at in range(self._pointers[major], self._pointers[major + 1]):
                minor, value = self._rows[at], self._data[at]
                yield (major, minor, value) if self.isTransposed else (minor, major, value)

    def toArray(self) -> np.ndarray:
        out = _numpy().zeros((self.numRows, self.numCols), dtype="float64", order="F")
        for i, j, value in self._entries():
            out[i, j] = value
        return out

    def toDense(self) -> DenseMatrix:
        """Return the same matrix in dense form."""
        values = array("d", bytes(8 * self.numRows * self.numCols))
        for i, j, value in self._entries():
            values[i + j * self.numRows] = value
        return DenseMatrix(self.numRows, self.numCols, values)

    def __getitem__(self, indices: tuple[int, int]) -> float:
        i, j = indices
        self._check(i, j)
        major, minor = (i, j) if self.isTransposed else (j, i)
        for at in range(self._pointers[major], self._pointers[major + 1]):
            if self._rows[at] == minor:
                return self._data[at]
        return 0.0

    def __str__(self) -> str:
        kind = "CSRMatrix" if self.isTransposed else "CSCMatrix"
        lines = [f"({i},{j}) {_format_float(v)}" for i, j, v in self._entries()]
        text = f"{self.numRows} X {self.numCols} {kind}\n" + "\n".join(lines[:16])
        return text + "\n.." * 2 if len(lines) > 16 else text

    def __repr__(self) -> str:
        values, rows = _format_float_list(self._data), [str(i) for i in self._rows]
        pointers = [str(p) for p in self._pointers]
        if len(values) > 16:
            values = [*values[:8], "...", *values[-8:]]
            rows = [*rows[:8], "...", *rows[-8:]]
        if len(pointers) > 16:
            pointers = [*pointers[:8], "...", *pointers[-8:]]
        return (
            f"SparseMatrix({self.numRows}, {self.numCols}, [{', '.join(pointers)}], "
            f"[{', '.join(rows)}], [{', '.join(values)}], {self.isTransposed})"
        )

    def __eq__(self, other: Any) -> bool:
        return bool((self.toArray() == other.toArray()).all())


class Matrices:
    """Makes matrices."""

    @staticmethod
    def dense(numRows: int, numCols: int, values: Any) -> DenseMatrix:
        """Return a dense matrix from its elements, column by column."""
        return DenseMatrix(numRows, numCols, values)

    @staticmethod
    def sparse(
        numRows: int, numCols: int, colPtrs: Any, rowIndices: Any, values: Any
    ) -> SparseMatrix:
        """Return a sparse matrix from its compressed columns."""
        return SparseMatrix(numRows, numCols, colPtrs, rowIndices, values)
