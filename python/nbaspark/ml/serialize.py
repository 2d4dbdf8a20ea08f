# SPDX-License-Identifier: Apache-2.0
"""Parameter values and attributes of models as literals of Spark Connect, and back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_VECTOR = "org.apache.spark.ml.linalg.VectorUDT"
_MATRIX = "org.apache.spark.ml.linalg.MatrixUDT"
_NULL = {"null": {"null": {}}}


def _ints(values: Any) -> dict[str, Any]:
    return {"specialized_array": {"ints": {"values": [int(v) for v in values]}}}


def _doubles(values: Any) -> dict[str, Any]:
    return {"specialized_array": {"doubles": {"values": [float(v) for v in values]}}}


def _struct(jvm_class: str, *elements: dict[str, Any]) -> dict[str, Any]:
    udt = {"type": "udt", "jvm_class": jvm_class}
    return {"struct": {"struct_type": {"udt": udt}, "elements": list(elements)}}


def to_literal(value: Any) -> dict[str, Any]:
    """Return a value as a literal."""
    from nbaspark.ml.linalg import DenseMatrix, DenseVector, SparseMatrix, SparseVector

    if isinstance(value, DenseVector):
        return _struct(_VECTOR, {"byte": 1}, _NULL, _NULL, _doubles(value._data))
    if isinstance(value, SparseVector):
        return _struct(
            _VECTOR,
            {"byte": 0},
            {"integer": value.size},
            _ints(value._indices),
            _doubles(value._data),
        )
    if isinstance(value, (DenseMatrix, SparseMatrix)):
        sparse = isinstance(value, SparseMatrix)
        return _struct(
            _MATRIX,
            {"byte": 0 if sparse else 1},
            {"integer": value.numRows},
            {"integer": value.numCols},
            _ints(value._pointers) if sparse else _NULL,
            _ints(value._rows) if sparse else _NULL,
            _doubles(value._data),
            {"boolean": bool(value.isTransposed)},
        )
    from nbaspark.sql.expressions import literal

    return literal(value)["literal"]


def from_literal(body: dict[str, Any]) -> Any:
    """Return the value of a literal."""
    for kind, value in body.items():
        if kind == "struct":
            return _from_struct(value)
        if kind == "array":
            return [from_literal(element) for element in value.get("elements") or []]
        if kind == "specialized_array":
            for values in value.values():
                return list((values or {}).get("values") or [])
        if kind == "null":
            return None
        if kind in _PLAIN:
            return value
    from nbaspark.errors.raising import not_implemented

    raise not_implemented(f"a parameter of type {', '.join(body) or 'void'}")


_PLAIN = {"boolean", "byte", "short", "integer", "long", "float", "double", "string", "binary"}


def _from_struct(body: dict[str, Any]) -> Any:
    from nbaspark.ml.linalg import DenseMatrix, DenseVector, SparseMatrix, SparseVector

    name = ((body.get("struct_type") or {}).get("udt") or {}).get("jvm_class")
    elements = [from_literal(element) for element in body.get("elements") or []]
    if name == _VECTOR:
        kind, size, indices, values = elements
        return SparseVector(size, indices, values) if kind == 0 else DenseVector(values)
    if name == _MATRIX:
        kind, rows, cols, pointers, indices, values, transposed = elements
        if kind == 0:
            return SparseMatrix(rows, cols, pointers, indices, values, transposed)
        return DenseMatrix(rows, cols, values, transposed)
    return tuple(elements)
