# SPDX-License-Identifier: Apache-2.0
"""Dense and sparse vectors."""

from __future__ import annotations

import sys
from array import array
from struct import pack, unpack

from nbaspark.ml.linalg.udt import VectorUDT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np


def _numpy() -> Any:
    import numpy

    return numpy


def _is_ndarray(value: Any) -> bool:
    """Return whether a value is a NumPy array; NumPy is not imported for it."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def _is_scipy(value: Any) -> bool:
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and sparse.issparse(value)


def _doubles(values: Any) -> Any:
    """Return values as a buffer of doubles: an array, or the NumPy array given."""
    if isinstance(values, bytes):
        return array("d", values)
    if _is_ndarray(values):
        np = _numpy()
        return values if values.dtype == np.float64 else values.astype(np.float64)
    if isinstance(values, array) and values.typecode == "d":
        return array("d", values)
    if isinstance(values, DenseVector):
        return array("d", values._data)
    try:
        return array("d", values)
    except (TypeError, ValueError):
        return _numpy().array(values, dtype="float64")


def _convert_to_vector(d: Any) -> Vector:
    if isinstance(d, Vector):
        return d
    if isinstance(d, (array, list, tuple, range)) or _is_ndarray(d):
        return DenseVector(d)
    if _is_scipy(d):
        assert d.shape[1] == 1, "Expected column vector"
        csc = d.tocsc()
        if not csc.has_sorted_indices:
            csc.sort_indices()
        return SparseVector(d.shape[0], csc.indices, csc.data)
    raise TypeError(f"Cannot convert type {type(d)} into Vector")


def _vector_size(v: Any) -> int:
    """Return the number of elements of what stands for a vector."""
    if isinstance(v, (Vector, array, list, tuple, range)):
        return len(v)
    if _is_ndarray(v):
        if v.ndim == 1 or (v.ndim == 2 and v.shape[1] == 1):
            return len(v)
        raise ValueError(f"Cannot treat an ndarray of shape {v.shape!s} as a vector")
    if _is_scipy(v):
        assert v.shape[1] == 1, "Expected column vector"
        return v.shape[0]
    raise TypeError(f"Cannot treat type {type(v)} as a vector")


def _format_float(f: float, digits: int = 4) -> str:
    s = str(round(f, digits))
    if "." in s:
        s = s[: s.index(".") + 1 + digits]
    return s


def _format_float_list(values: Any) -> list[str]:
    return [_format_float(float(v)) for v in values]


def _hash(size: int, entries: Any) -> int:
    """Hash the first 128 entries that are not zero, as Spark does."""
    result, n = 31 + size, 0
    for i, value in entries:
        if n == 128:
            break
        if value != 0:
            bits = unpack("Q", pack("d", float("nan") if value != value else value))[0]
            result = 31 * (31 * result + int(i)) + (bits ^ (bits >> 32))
            n += 1
    return result


class Vector:
    """What dense and sparse vectors have in common."""

    __UDT__ = VectorUDT()

    def toArray(self) -> np.ndarray:
        """Return the elements as a NumPy array."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def __ne__(self, other: object) -> bool:
        return not self == other


def _elementwise(name: str) -> Any:
    def operate(self: DenseVector, other: Any) -> DenseVector:
        if isinstance(other, DenseVector):
            other = other.array
        return DenseVector(getattr(self.array, name)(other))

    operate.__name__ = name
    return operate


class DenseVector(Vector):
    """A vector of which every element is stored.

    Examples
    --------
    >>> from nbaspark.ml.linalg import Vectors
    >>> v = Vectors.dense([1.0, 2.0])
    >>> u = Vectors.dense([3.0, 4.0])
    >>> v + u
    DenseVector([4.0, 6.0])
    >>> 2 - v
    DenseVector([1.0, 0.0])
    >>> v / 2
    DenseVector([0.5, 1.0])
    >>> float(v[1]), len(v), str(v)
    (2.0, 2, '[1.0,2.0]')
    """

    _data: Any

    def __init__(self, ar: Any):
        self._data = _doubles(ar)

    def __reduce__(self) -> tuple:
        return DenseVector, (self._data.tobytes(),)

    @property
    def array(self) -> np.ndarray:
        """The elements as a NumPy array, which shares memory with the vector."""
        data = self._data
        if not _is_ndarray(data):
            data = self._data = _numpy().frombuffer(data, dtype="float64")
        return data

    @array.setter
    def array(self, values: np.ndarray) -> None:
        self._data = values

    @property
    def values(self) -> np.ndarray:
        """The elements as a NumPy array."""
        return self.array

    def toArray(self) -> np.ndarray:
        return self.array

    def numNonzeros(self) -> int:
        """Return how many elements are not zero."""
        return sum(1 for v in self._data if v != 0)

    def norm(self, p: Any) -> np.floating:
        """Return the p-norm.

        Examples
        --------
        >>> from nbaspark.ml.linalg import DenseVector
        >>> float(DenseVector([3.0, 4.0]).norm(2))
        5.0
        """
        return _numpy().linalg.norm(self.array, p)

    def dot(self, other: Any) -> Any:
        """Return the dot product with a vector, list or array; of a 2-d array, with each column.

        Examples
        --------
        >>> from nbaspark.ml.linalg import DenseVector, SparseVector
        >>> float(DenseVector([1.0, 2.0]).dot(SparseVector(2, {0: 2.0, 1: 1.0})))
        4.0
        """
        if _is_ndarray(other):
            if other.ndim > 1:
                assert len(self) == other.shape[0], "dimension mismatch"
            return _numpy().dot(self.array, other)
        if _is_scipy(other):
            assert len(self) == other.shape[0], "dimension mismatch"
            return other.transpose().dot(self.toArray())
        assert len(self) == _vector_size(other), "dimension mismatch"
        if isinstance(other, SparseVector):
            return other.dot(self)
        if isinstance(other, Vector):
            other = other.toArray()
        return _numpy().dot(self.array, other)

    def squared_distance(self, other: Any) -> Any:
        """Return the squared Euclidean distance."""
        assert len(self) == _vector_size(other), "dimension mismatch"
        if isinstance(other, SparseVector) or _is_scipy(other):
            return _convert_to_vector(other).squared_distance(self)  # type: ignore[attr-defined]
        if isinstance(other, Vector):
            other = other.toArray()
        diff = self.array - _numpy().asarray(other)
        return _numpy().dot(diff, diff)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, int) and not _is_ndarray(self._data):
            return self._data[item]
        return self.array[item]

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Any:
        return iter(self._data)

    def __str__(self) -> str:
        return "[" + ",".join([str(v) for v in self._data]) + "]"

    def __repr__(self) -> str:
        return f"DenseVector([{', '.join(_format_float(v) for v in self._data)}])"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DenseVector):
            return len(self) == len(other) and all(a == b for a, b in zip(self._data, other._data))
        if isinstance(other, SparseVector):
            if len(self) != other.size:
                return False
            return Vectors._equals(range(len(self)), self._data, other._indices, other._data)
        return False

    def __hash__(self) -> int:
        return _hash(len(self), enumerate(self._data))

    def __getattr__(self, item: str) -> Any:
        if item == "_data" or (item.startswith("__") and item != "__setitem__"):
            raise AttributeError(item)
        return getattr(self.array, item)

    def __neg__(self) -> DenseVector:
        return DenseVector(-self.array)

    __add__ = _elementwise("__add__")
    __sub__ = _elementwise("__sub__")
    __mul__ = _elementwise("__mul__")
    __truediv__ = _elementwise("__truediv__")
    __mod__ = _elementwise("__mod__")
    __radd__ = _elementwise("__radd__")
    __rsub__ = _elementwise("__rsub__")
    __rmul__ = _elementwise("__rmul__")
    __rtruediv__ = _elementwise("__rtruediv__")
    __rmod__ = _elementwise("__rmod__")


class SparseVector(Vector):
    """A vector of which only the elements that are not zero are stored.

    Examples
    --------
    >>> from nbaspark.ml.linalg import SparseVector
    >>> SparseVector(4, {1: 1.0, 3: 5.5})
    SparseVector(4, {1: 1.0, 3: 5.5})
    >>> SparseVector(4, [1, 3], [1.0, 5.5]) == SparseVector(4, [(1, 1.0), (3, 5.5)])
    True
    """

    def __init__(self, size: int, *args: Any):
        self.size = int(size)
        assert 1 <= len(args) <= 2, "must pass either 2 or 3 arguments"
        if len(args) == 1:
            pairs = args[0]
            pairs = sorted(pairs.items() if isinstance(pairs, dict) else pairs)
            self._indices = array("i", [p[0] for p in pairs])
            self._data = array("d", [p[1] for p in pairs])
        else:
            if isinstance(args[0], bytes):
                assert isinstance(args[1], bytes), "values should be string too"
                self._indices = array("i", args[0])
            else:
                self._indices = array("i", [int(i) for i in args[0]])
            self._data = array("d", _doubles(args[1]))
            assert len(self._indices) == len(self._data), "index and value arrays not same length"
            for a, b in zip(self._indices, self._indices[1:]):
                if a >= b:
                    raise TypeError(f"Indices {a} and {b} are not strictly increasing")
        if self._indices:
            largest, smallest = max(self._indices), min(self._indices)
            assert largest < self.size, (
                f"Index {largest} is out of the size of vector with size={self.size}"
            )
            assert smallest >= 0, f"Contains negative index {smallest}"

    @property
    def indices(self) -> np.ndarray:
        """Where the stored elements are, ascending."""
        return _numpy().frombuffer(self._indices, dtype="int32")

    @property
    def values(self) -> np.ndarray:
        """The stored elements."""
        return _numpy().frombuffer(self._data, dtype="float64")

    def __reduce__(self) -> tuple:
        return SparseVector, (self.size, self._indices.tobytes(), self._data.tobytes())

    def toArray(self) -> np.ndarray:
        out = _numpy().zeros(self.size, dtype="float64")
        if self._indices:
            out[self.indices] = self.values
        return out

    def numNonzeros(self) -> int:
        """Return how many elements are not zero."""
        return sum(1 for v in self._data if v != 0)

    def norm(self, p: Any) -> np.floating:
        """Return the p-norm of the stored elements."""
        return _numpy().linalg.norm(self.values, p)

    def dot(self, other: Any) -> Any:
        """Return the dot product with a vector, list or array.

        Examples
        --------
        >>> from nbaspark.ml.linalg import SparseVector
        >>> a = SparseVector(4, [1, 3], [3.0, 4.0])
        >>> float(a.dot(a)), float(a.dot([1.0, 2.0, 3.0, 4.0]))
        (25.0, 22.0)
        """
        np = _numpy()
        if _is_ndarray(other):
            if other.ndim not in (1, 2):
                raise ValueError(f"Cannot call dot with {other.ndim}-dimensional array")
            assert len(self) == other.shape[0], "dimension mismatch"
            return np.dot(self.values, other[self.indices])
        assert len(self) == _vector_size(other), "dimension mismatch"
        if isinstance(other, SparseVector):
            theirs = dict(zip(other._indices, other._data))
            return np.float64(
                sum(v * theirs[i] for i, v in zip(self._indices, self._data) if i in theirs)
            )
        if isinstance(other, DenseVector):
            return np.dot(other.array[self.indices], self.values)
        return self.dot(_convert_to_vector(other))

    def squared_distance(self, other: Any) -> Any:
        """Return the squared Euclidean distance."""
        assert len(self) == _vector_size(other), "dimension mismatch"
        if _is_ndarray(other) and other.ndim != 1:
            raise ValueError(f"Cannot call squared_distance with {other.ndim}-dimensional array")
        if not isinstance(other, Vector):
            other = _convert_to_vector(other)
        diff = self.toArray() - other.toArray()
        return _numpy().dot(diff, diff)

    def __len__(self) -> int:
        return self.size

    def __str__(self) -> str:
        indices = ",".join(str(i) for i in self._indices)
        values = ",".join(str(v) for v in self._data)
        return f"({self.size},[{indices}],[{values}])"

    def __repr__(self) -> str:
        entries = ", ".join(f"{i}: {_format_float(v)}" for i, v in zip(self._indices, self._data))
        return f"SparseVector({self.size}, {{{entries}}})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SparseVector):
            return (
                other.size == self.size
                and other._indices == self._indices
                and other._data == self._data
            )
        if isinstance(other, DenseVector):
            return other == self
        return False

    def __hash__(self) -> int:
        return _hash(self.size, zip(self._indices, self._data))

    def __getitem__(self, index: int) -> float:
        if not isinstance(index, int):
            raise TypeError(f"Indices must be of type integer, got type {type(index)}")
        if index >= self.size or index < -self.size:
            raise IndexError(f"Index {index} out of bounds.")
        if index < 0:
            index += self.size
        for i, value in zip(self._indices, self._data):
            if i == index:
                return value
        return 0.0


class Vectors:
    """Makes vectors."""

    @staticmethod
    def sparse(size: int, *args: Any) -> SparseVector:
        """Return a sparse vector from a dictionary, pairs, or indices and values.

        Examples
        --------
        >>> from nbaspark.ml.linalg import Vectors
        >>> Vectors.sparse(4, [1, 3], [1.0, 5.5])
        SparseVector(4, {1: 1.0, 3: 5.5})
        """
        return SparseVector(size, *args)

    @staticmethod
    def dense(*elements: Any) -> DenseVector:
        """Return a dense vector from numbers, or from one list of them.

        Examples
        --------
        >>> from nbaspark.ml.linalg import Vectors
        >>> Vectors.dense([1, 2, 3]), Vectors.dense(1.0, 2.0)
        (DenseVector([1.0, 2.0, 3.0]), DenseVector([1.0, 2.0]))
        """
        if len(elements) == 1 and not isinstance(elements[0], (float, int)):
            elements = elements[0]
        return DenseVector(elements)

    @staticmethod
    def squared_distance(v1: Any, v2: Any) -> Any:
        """Return the squared Euclidean distance of two vectors."""
        return _convert_to_vector(v1).squared_distance(  # type: ignore[attr-defined]
            _convert_to_vector(v2)
        )

    @staticmethod
    def norm(vector: Any, p: Any) -> Any:
        """Return the p-norm of a vector."""
        return _convert_to_vector(vector).norm(p)  # type: ignore[attr-defined]

    @staticmethod
    def zeros(size: int) -> DenseVector:
        """Return a dense vector of zeros."""
        return DenseVector(bytes(8 * size))

    @staticmethod
    def _equals(v1_indices: Any, v1_values: Any, v2_indices: Any, v2_values: Any) -> bool:
        first = [(i, v) for i, v in zip(v1_indices, v1_values) if v != 0]
        return first == [(i, v) for i, v in zip(v2_indices, v2_values) if v != 0]
