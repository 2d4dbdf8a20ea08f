# SPDX-License-Identifier: Apache-2.0
"""What the function families share: column, constant and call builders.

A function's body is one call of `invoke`: columns and names go in as they are, constants through
`lit`, optional arguments through `given`, `lits` and `numbers`, which leave out what is None.
"""

from __future__ import annotations

from nbaspark.errors.raising import check, not_expected, type_error, value_error
from nbaspark.sql import expressions as ex
from nbaspark.sql.column import Column, named, references, to_column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Union

    ColumnOrName = Union[Column, str]


def col(col: str) -> Column:
    """Return the column of a name; ``"*"`` stands for all columns.

    Parameters
    ----------
    col : str
        The name, with dots into structs, or ``"table.*"``.

    Examples
    --------
    >>> from nbaspark.sql import functions as F
    >>> F.col("points")
    Column<'points'>
    """
    return named(col)


column = col


def lit(col: Any) -> Column:
    """Return a column of one constant value; a list becomes an array.

    Parameters
    ----------
    col : Any
        The value; a Column is returned as it is.

    Examples
    --------
    >>> from nbaspark.sql import functions as F
    >>> F.lit(5), F.lit([1, 2])
    (Column<'5'>, Column<'array(1, 2)'>)
    """
    if isinstance(col, Column):
        return col
    if isinstance(col, list):
        if any(isinstance(c, Column) for c in col):
            raise value_error("COLUMN_IN_LIST", func_name="lit")
        return invoke("array", *map(lit, col))
    if getattr(col, "ndim", 0) == 1 and hasattr(col, "dtype"):
        from nbaspark.sql.types import ArrayType
        from nbaspark.sql.types_infer import from_numpy

        element = from_numpy(col.dtype)
        if element is None:
            raise type_error("UNSUPPORTED_NUMPY_ARRAY_SCALAR", dtype=col.dtype.name)
        return invoke("array", *map(lit, col)).cast(ArrayType(element))
    return Column(ex.literal(col))


def invoke(name: str, *cols: ColumnOrName) -> Column:
    """Return a call of the engine's function `name` with columns, or names of columns."""
    columns = [to_column(c) for c in cols]
    return Column(ex.function(name, [c._expr for c in columns]), references(columns))


def invoke_distinct(name: str, *cols: ColumnOrName) -> Column:
    """Return a call of an aggregate over different values only."""
    columns = [to_column(c) for c in cols]
    return Column(ex.function(name, [c._expr for c in columns], True), references(columns))


def given(*values: Any) -> list[Any]:
    """Return the values that are not None."""
    return [v for v in values if v is not None]


def lits(*values: Any) -> list[Column]:
    """Return constants for the values that are not None."""
    return [lit(v) for v in values if v is not None]


def numbers(*values: Any) -> list[Any]:
    """Return constants for numbers, other arguments as they are, and nothing for None."""
    return [lit(v) if isinstance(v, int) else v for v in map(_plain, values) if v is not None]


def operands(*values: Any) -> list[Column]:
    """Return columns, for names too, and constants for all else."""
    return [to_column(v) if isinstance(v, (str, Column)) else lit(v) for v in values]


def or_lit(value: Any, default: Any) -> Any:
    """Return the column given, or a constant in its place."""
    return lit(default) if value is None else value


def _plain(value: Any) -> Any:
    if value is not None and type(type(value)).__name__ in ("EnumMeta", "EnumType"):
        return value.value
    return value


def spread(cols: Sequence[Any]) -> Sequence[Any]:
    """Return several columns, given one by one or as one list."""
    if len(cols) == 1 and isinstance(cols[0], (list, set, tuple)):
        return tuple(cols[0])
    return cols


def list_column(value: Any) -> Column:
    """Return the constant, or the array of constants, for a number or several."""
    return lit(list(value)) if isinstance(value, (list, tuple)) else lit(value)


def seed_column(seed: Any) -> Column:
    """Return the seed, or a random one, as a constant."""
    if seed is None:
        from random import randint
        from sys import maxsize

        seed = randint(0, maxsize)
    return lit(seed)


def zero_decimal() -> Any:
    """Return the decimal number 0."""
    from decimal import Decimal

    return Decimal(0)


def option_map(options: Mapping[str, Any] | None) -> list[Column]:
    """Return the options as one map, or nothing without options."""
    if options is None:
        return []
    pairs = [lit(str(part)) for item in options.items() for part in item]
    return [invoke("map", *pairs)]


def schema_column(schema: Any, expected: str) -> Column:
    """Return the constant for a schema: a column, DDL text or a type."""
    if isinstance(schema, (str, Column)):
        return lit(schema)
    from nbaspark.sql.types import DataType, StructType

    check("schema", schema, StructType if expected.startswith("Struct") else DataType, expected)
    return lit(schema.json())


def moment_parts(parts: list[Any], date_and_time: list[Any]) -> list[Any]:
    """Return the parts of a timestamp: year to second, or a date and a time, not both."""
    chosen, others = (parts, date_and_time) if parts[0] is not None else (date_and_time, parts)
    if any(p is not None for p in others):
        arguments = "years|months|days|hours|mins|secs and date|time"
        raise value_error("CANNOT_SET_TOGETHER", arg_list=arguments)
    for part in chosen:
        if not isinstance(part, (str, Column)):
            raise not_expected("arg", part, "Column or str")
    return chosen


def deprecated(version: str, replacement: str) -> None:
    """Warn that the calling function has a new name."""
    import warnings

    message = f"Deprecated in {version}, use {replacement} instead."
    warnings.warn(message, FutureWarning, stacklevel=3)


_next_variable = 0


def higher_order(name: str, cols: Iterable[ColumnOrName], funs: Iterable[Callable]) -> Column:
    """Return a call of a function that takes columns and then functions of columns."""
    columns = [to_column(c) for c in cols]
    lambdas = [_lambda(f) for f in funs]
    arguments = [c._expr for c in columns + lambdas]
    return Column(ex.function(name, arguments), references(columns + lambdas))


def _lambda(f: Callable) -> Column:
    """Return a Python function of columns as a lambda expression.

    The function is called once, with variables whose names are unique in the process, because a
    lambda inside another must not capture the outer one's variables.
    """
    global _next_variable
    from inspect import Parameter, signature

    parameters = signature(f).parameters.values()
    if not 1 <= len(parameters) <= 3:
        raise value_error(
            "WRONG_NUM_ARGS_FOR_HIGHER_ORDER_FUNCTION",
            func_name=f.__name__,
            num_args=len(parameters),
        )
    if any(
        p.kind not in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.POSITIONAL_ONLY)
        for p in parameters
    ):
        raise value_error("UNSUPPORTED_PARAM_TYPE_FOR_HIGHER_ORDER_FUNCTION", func_name=f.__name__)
    variables = []
    for letter in "xyz"[: len(parameters)]:
        variables.append({"name_parts": [f"{letter}_{_next_variable}"]})
        _next_variable += 1
    result = f(*(Column({"unresolved_named_lambda_variable": v}) for v in variables))
    if not isinstance(result, Column):
        raise value_error(
            "HIGHER_ORDER_FUNCTION_SHOULD_RETURN_COLUMN",
            func_name=f.__name__,
            return_type=type(result).__name__,
        )
    body = {"function": result._expr, "arguments": variables}
    return Column({"lambda_function": body}, result._refs)
