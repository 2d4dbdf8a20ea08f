# SPDX-License-Identifier: Apache-2.0
"""Users' functions in Python, as calls in expressions."""

from __future__ import annotations

import functools
import sys

from nbaspark.errors import PySparkTypeError
from nbaspark.errors.raising import not_expected, not_implemented
from nbaspark.sql.column import Column, references, to_column
from nbaspark.sql.types import DataType, StringType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from nbaspark.sql.session import SparkSession

ROWS_BY_ARROW = 101  # Spark's PythonEvalType: called row by row, rows travel as Arrow


class UserDefinedFunction:
    """A Python function with the type of its results; `udf` makes them.

    Parameters
    ----------
    func : callable
        The function.
    returnType : DataType or str
        Type of its results.
    name : str, optional
        How columns are called after it; by default the function's own name.
    evalType : int
        Spark's number for how it is called.
    deterministic : bool
        Whether it gives the same result for the same arguments.
    """

    def __init__(
        self,
        func: Callable[..., Any],
        returnType: DataType | str = StringType(),
        name: str | None = None,
        evalType: int = ROWS_BY_ARROW,
        deterministic: bool = True,
    ):
        if not callable(func):
            raise not_expected("func", func, "callable")
        if not isinstance(returnType, (DataType, str)):
            raise not_expected("returnType", returnType, "DataType or str")
        self.func = func
        self._returnType = returnType
        self._name = name or getattr(func, "__name__", type(func).__name__)
        self.evalType = evalType
        self.deterministic = deterministic
        self._command: bytes | None = None

    @property
    def returnType(self) -> DataType:
        """Type of the results."""
        from nbaspark.sql.types_parse import parse_ddl

        if isinstance(self._returnType, str):
            self._returnType = parse_ddl(self._returnType)
        return self._returnType

    def _tree(self, arguments: list[dict[str, Any]]) -> dict[str, Any]:
        from nbaspark.sql.types_proto import to_tree

        if self._command is None:
            self._command = _pickled((self.func, self.returnType))
        return {
            "function_name": self._name,
            "deterministic": self.deterministic,
            "arguments": arguments,
            "python_udf": {
                "output_type": to_tree(self.returnType),
                "eval_type": self.evalType,
                "command": self._command,
                "python_ver": "%d.%d" % sys.version_info[:2],
            },
        }

    def __call__(self, *cols: Any) -> Column:
        """Return the column of the results for these columns."""
        columns = [to_column(c) for c in cols]
        tree = self._tree([c._expr for c in columns])
        return Column({"common_inline_user_defined_function": tree}, references(columns))

    def asNondeterministic(self) -> UserDefinedFunction:
        """Say that results differ from call to call, so that calls are neither moved nor merged."""
        self.deterministic = False
        return self


class UDFRegistration:
    """Names for Python functions in SQL: `SparkSession.udf`."""

    def __init__(self, sparkSession: SparkSession):
        self.sparkSession = sparkSession

    def register(self, name: str, f: Any, returnType: DataType | str | None = None) -> Any:
        """Give a function a name that SQL knows until the session ends.

        Parameters
        ----------
        name : str
            The name, in any case of letters.
        f : callable
            A Python function, or what `udf` has made of one.
        returnType : DataType or str, optional
            Type of the results of a Python function; by default string.

        Raises
        ------
        PySparkTypeError
            When a type is given for what `udf` has made, which has one.

        Examples
        --------
        >>> _ = spark.udf.register("plus_one", lambda x: x + 1, "int")
        >>> spark.sql("SELECT plus_one(1) AS two").collect()
        [Row(two=2)]
        """
        made = getattr(f, "_made", None)
        if made is not None and returnType is not None:
            raise PySparkTypeError(
                errorClass="CANNOT_SPECIFY_RETURN_TYPE_FOR_UDF",
                messageParameters={"arg_name": "f", "return_type": str(returnType)},
            )
        if made is None:
            made = UserDefinedFunction(f, StringType() if returnType is None else returnType)
        named = UserDefinedFunction(
            made.func, made.returnType, name, made.evalType, made.deterministic
        )
        self.sparkSession._command({"register_function": named._tree([])})
        return _wrapped(named)

    def registerJavaFunction(self, name: str, javaClassName: str, returnType: Any = None) -> None:
        """Give a function in Java a name; not implemented."""
        raise not_implemented("UDFRegistration.registerJavaFunction")

    def registerJavaUDAF(self, name: str, javaClassName: str) -> None:
        """Give an aggregate in Java a name; not implemented."""
        raise not_implemented("UDFRegistration.registerJavaUDAF")


def make_udf(function: Any, returned: Any, eval_type: int = ROWS_BY_ARROW) -> Any:
    """Return a function with the name and the docstring of the user's, which makes columns."""
    return _wrapped(UserDefinedFunction(function, returned, None, eval_type))


def _wrapped(made: UserDefinedFunction) -> Any:
    @functools.wraps(made.func, assigned=_kept(made.func))
    def call(*cols: Any) -> Column:
        return made(*cols)

    def as_nondeterministic() -> Any:
        made.asNondeterministic()
        call.deterministic = False  # type: ignore[attr-defined]
        return call

    call._made = made  # type: ignore[attr-defined]
    call.func = made.func  # type: ignore[attr-defined]
    call.returnType = made.returnType  # type: ignore[attr-defined]
    call.evalType = made.evalType  # type: ignore[attr-defined]
    call.deterministic = made.deterministic  # type: ignore[attr-defined]
    call.asNondeterministic = as_nondeterministic  # type: ignore[attr-defined]
    return call


def _kept(function: Any) -> tuple[str, ...]:
    return tuple(a for a in functools.WRAPPER_ASSIGNMENTS if hasattr(function, a))


def _pickled(command: Any) -> bytes:
    try:
        from cloudpickle import dumps
    except ImportError:
        from nbaspark.errors import PySparkImportError

        raise PySparkImportError(
            errorClass="PACKAGE_NOT_INSTALLED",
            messageParameters={"package_name": "cloudpickle", "minimum_version": "3.0"},
        ) from None
    return dumps(command)
