# SPDX-License-Identifier: Apache-2.0
"""Column: an expression over the columns of a DataFrame."""

from __future__ import annotations

from nbaspark.errors import PySparkAttributeError
from nbaspark.errors.raising import check, not_expected, type_error, value_error
from nbaspark.sql import expressions as ex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from nbaspark.sql.types import DataType
    from nbaspark.sql.window import WindowSpec

__all__ = ["Column"]


def _operand(value: Any) -> Column:
    return value if isinstance(value, Column) else Column(ex.literal(value))


def _binary(name: str, doc: str):
    def operator(self: Column, other: Any) -> Column:
        other = _operand(other)
        return Column(ex.function(name, [self._expr, other._expr]), self._refs + other._refs)

    operator.__doc__ = doc
    return operator


def _reflected(name: str, doc: str):
    def operator(self: Column, other: Any) -> Column:
        other = _operand(other)
        return Column(ex.function(name, [other._expr, self._expr]), other._refs + self._refs)

    operator.__doc__ = doc
    return operator


def _unary(name: str, doc: str):
    def operator(self: Column) -> Column:
        return Column(ex.function(name, [self._expr]), self._refs)

    operator.__doc__ = doc
    return operator


def _sort(direction: str, nulls: str, doc: str):
    def operator(self: Column) -> Column:
        return Column(ex.sort_order(self._expr, direction, nulls), self._refs)

    operator.__doc__ = doc
    return operator


class Column:
    """An expression over the columns of a DataFrame.

    Columns come from a DataFrame (``df.name``, ``df["name"]``) or from
    `nbaspark.sql.functions`, and combine by operators and methods. Nothing is computed until the
    DataFrame that they end up in is.

    Examples
    --------
    >>> from nbaspark.sql import functions as F
    >>> (F.col("a") + 1).alias("b")
    Column<'+(a, 1) AS b'>
    """

    __slots__ = ("_expr", "_refs")

    # NumPy's numbers leave operators to the column on their right.
    __array_ufunc__ = None

    def __init__(self, expr: dict[str, Any], refs: tuple = ()):
        # _refs: plans of the subqueries inside, which travel beside the expression
        self._expr = expr
        self._refs = refs

    # ---- operators ------------------------------------------------------------------------------

    __add__ = _binary("+", "Sum.")
    __sub__ = _binary("-", "Difference.")
    __mul__ = _binary("*", "Product.")
    __truediv__ = __div__ = _binary("/", "Quotient.")
    __mod__ = _binary("%", "Remainder, of the sign of the dividend.")
    __pow__ = _binary("power", "Power.")
    __radd__ = _reflected("+", "Sum.")
    __rsub__ = _reflected("-", "Difference.")
    __rmul__ = _reflected("*", "Product.")
    __rtruediv__ = __rdiv__ = _reflected("/", "Quotient.")
    __rmod__ = _reflected("%", "Remainder.")
    __rpow__ = _reflected("power", "Power.")
    __neg__ = _unary("negative", "The number with its sign changed.")

    __eq__ = _binary("==", "Whether both are equal; null if one is null.")  # type: ignore[assignment]
    __lt__ = _binary("<", "Whether this is less.")
    __le__ = _binary("<=", "Whether this is less or equal.")
    __gt__ = _binary(">", "Whether this is greater.")
    __ge__ = _binary(">=", "Whether this is greater or equal.")

    def __ne__(self, other: Any) -> Column:  # type: ignore[override]
        """Whether both differ; null if one is null."""
        return ~(self == other)

    __hash__ = None  # type: ignore[assignment]

    # Python's `and`, `or` and `not` cannot be overloaded, hence &, | and ~.
    __and__ = _binary("and", "Whether both are true.")
    __or__ = _binary("or", "Whether one of both is true.")
    __rand__ = _binary("and", "Whether both are true.")
    __ror__ = _binary("or", "Whether one of both is true.")
    __invert__ = _unary("not", "Whether this is false.")

    eqNullSafe = _binary("<=>", "Whether both are equal or both null; never null itself.")
    bitwiseOR = _binary("|", "Bits that are set in one of both.")
    bitwiseAND = _binary("&", "Bits that are set in both.")
    bitwiseXOR = _binary("^", "Bits that are set in exactly one of both.")
    contains = _binary("contains", "Whether the text contains another.")
    startswith = _binary("startsWith", "Whether the text starts with another.")
    endswith = _binary("endsWith", "Whether the text ends with another.")
    like = _binary("like", "Whether the text matches an SQL pattern of ``%`` and ``_``.")
    ilike = _binary("ilike", "Whether the text matches an SQL pattern in any letter case.")
    rlike = _binary("rlike", "Whether a regular expression is found in the text.")
    isNull = _unary("isNull", "Whether the value is null.")
    isNotNull = _unary("isNotNull", "Whether the value is not null.")
    isNaN = _unary("isNaN", "Whether the value is NaN.")

    asc = _sort(ex.ASCENDING, ex.NULLS_FIRST, "Sort key: ascending, nulls first.")
    asc_nulls_first = _sort(ex.ASCENDING, ex.NULLS_FIRST, "Sort key: ascending, nulls first.")
    asc_nulls_last = _sort(ex.ASCENDING, ex.NULLS_LAST, "Sort key: ascending, nulls last.")
    desc = _sort(ex.DESCENDING, ex.NULLS_LAST, "Sort key: descending, nulls last.")
    desc_nulls_first = _sort(ex.DESCENDING, ex.NULLS_FIRST, "Sort key: descending, nulls first.")
    desc_nulls_last = _sort(ex.DESCENDING, ex.NULLS_LAST, "Sort key: descending, nulls last.")

    # ---- names and types ------------------------------------------------------------------------

    def alias(self, *alias: str, **kwargs: Any) -> Column:
        """Return this column under another name.

        Parameters
        ----------
        alias : str
            The name; several for an expression of several columns.
        metadata : dict
            Metadata of the field, by keyword, for a single name only.

        Examples
        --------
        >>> from nbaspark.sql import functions as F
        >>> F.col("age").alias("years")
        Column<'age AS years'>
        """
        metadata = kwargs.pop("metadata", None)
        if len(alias) > 1 and metadata is not None:
            raise value_error("ONLY_ALLOWED_FOR_SINGLE_COLUMN", arg_name="metadata")
        assert not kwargs, f"Unexpected kwargs where passed: {kwargs}"
        body: dict[str, Any] = {"expr": self._expr, "name": list(alias)}
        if metadata is not None:
            import json

            body["metadata"] = json.dumps(metadata)
        return Column({"alias": body}, self._refs)

    name = alias

    def cast(self, dataType: DataType | str) -> Column:
        """Return the value as another type.

        Parameters
        ----------
        dataType : DataType or str
            The type, or its name in DDL.

        Examples
        --------
        >>> from nbaspark.sql import functions as F
        >>> F.col("age").cast("double")
        Column<'CAST(age AS DOUBLE)'>
        """
        return Column({"cast": self._cast_body(dataType)}, self._refs)

    astype = cast

    def try_cast(self, dataType: DataType | str) -> Column:
        """Return the value as another type, or null where it has no value of that type."""
        body = self._cast_body(dataType)
        body["eval_mode"] = "EVAL_MODE_TRY"
        return Column({"cast": body}, self._refs)

    def _cast_body(self, data_type: DataType | str) -> dict[str, Any]:
        if isinstance(data_type, str):
            return {"expr": self._expr, "type_str": data_type}
        from nbaspark.sql.types import DataType
        from nbaspark.sql.types_proto import to_tree

        check("dataType", data_type, DataType, "DataType or str")
        return {"expr": self._expr, "type": to_tree(data_type)}

    # ---- conditions -----------------------------------------------------------------------------

    def _branches(self) -> list[dict] | None:
        """Return the arguments of an unfinished CASE, or None if this is something else."""
        body = self._expr.get("unresolved_function")
        return body["arguments"] if body and body["function_name"] == "when" else None

    def when(self, condition: Column, value: Any) -> Column:
        """Add a branch to the conditions that `functions.when` began.

        Examples
        --------
        >>> from nbaspark.sql import functions as F
        >>> F.when(F.col("a") > 1, "many").when(F.col("a") == 1, "one").otherwise("none")
        Column<'CASE WHEN >(a, 1) THEN many WHEN ==(a, 1) THEN one ELSE none END'>
        """
        check("condition", condition, Column, "Column")
        branches = self._branches()
        if branches is None or len(branches) % 2:
            raise type_error("INVALID_WHEN_USAGE")
        value = _operand(value)
        arguments = [*branches, condition._expr, value._expr]
        return Column(ex.function("when", arguments), self._refs + condition._refs + value._refs)

    def otherwise(self, value: Any) -> Column:
        """Give the value for rows that no branch of `functions.when` took; null without it."""
        from nbaspark.errors import PySparkTypeError

        branches = self._branches()
        if branches is None:
            raise PySparkTypeError(
                "otherwise() can only be applied on a Column previously generated by when()"
            )
        if len(branches) % 2:
            raise PySparkTypeError(
                "otherwise() can only be applied once on a Column previously generated by when()"
            )
        value = _operand(value)
        return Column(ex.function("when", [*branches, value._expr]), self._refs + value._refs)

    def isin(self, *cols: Any) -> Column:
        """Return whether the value is one of those given, or a row of a DataFrame of one column.

        Examples
        --------
        >>> from nbaspark.sql import functions as F
        >>> F.col("a").isin(1, 2)
        Column<'in(a, 1, 2)'>
        """
        if len(cols) == 1 and isinstance(cols[0], (list, set)):
            cols = tuple(cols[0])
        elif len(cols) == 1 and type(cols[0]).__name__ == "DataFrame" and hasattr(cols[0], "_plan"):
            return self._in_subquery(cols[0])
        values = [_operand(c) for c in cols]
        refs = self._refs + tuple(r for v in values for r in v._refs)
        return Column(ex.function("in", [self._expr, *(v._expr for v in values)]), refs)

    def _in_subquery(self, df: Any) -> Column:
        call = self._expr.get("unresolved_function")
        is_struct = call is not None and call["function_name"] == "struct"
        body = {
            "plan_id": df._plan_id,
            "subquery_type": "SUBQUERY_TYPE_IN",
            "in_subquery_values": call["arguments"] if is_struct else [self._expr],
        }
        return Column({"subquery_expression": body}, (df._plan,))

    def between(self, lowerBound: Any, upperBound: Any) -> Column:
        """Return whether the value lies between two bounds, both included."""
        return (self >= lowerBound) & (self <= upperBound)

    # ---- parts ----------------------------------------------------------------------------------

    def substr(self, startPos: int | Column, length: int | Column) -> Column:
        """Return `length` characters from position `startPos`, counted from 1."""
        if type(startPos) is not type(length):
            raise type_error(
                "NOT_SAME_TYPE",
                arg_name1="startPos",
                arg_name2="length",
                arg_type1=type(startPos).__name__,
                arg_type2=type(length).__name__,
            )
        check("startPos", length, (int, Column), "Column or int")
        start, count = _operand(startPos), _operand(length)
        refs = self._refs + start._refs + count._refs
        return Column(ex.function("substr", [self._expr, start._expr, count._expr]), refs)

    def getItem(self, key: Any) -> Column:
        """Return the element at a position of an array, or under a key of a map."""
        return self._part(key, "key", "getItem")

    def getField(self, name: Any) -> Column:
        """Return a field of a struct."""
        return self._part(name, "name", "getField")

    def _part(self, key: Any, argument: str, method: str) -> Column:
        if isinstance(key, Column):
            import warnings

            warnings.warn(
                f"A column as '{argument}' in {method} is deprecated as of Spark 3.0, and will not "
                f"be supported in the future release. Use `column[{argument}]` or "
                f"`column.{argument}` syntax instead.",
                FutureWarning,
                stacklevel=3,
            )
        return self[key]

    def __getitem__(self, k: Any) -> Column:
        """Return an element, a field, or for a slice a part of the text."""
        if isinstance(k, slice):
            if k.step is not None:
                raise value_error("SLICE_WITH_STEP")
            return self.substr(k.start, k.stop)
        key = _operand(k)
        body = {"child": self._expr, "extraction": key._expr}
        return Column({"unresolved_extract_value": body}, self._refs + key._refs)

    def __getattr__(self, item: str) -> Column:
        if item == "_jc":
            raise PySparkAttributeError(
                errorClass="JVM_ATTRIBUTE_NOT_SUPPORTED", messageParameters={"attr_name": "_jc"}
            )
        if item.startswith("__"):
            raise PySparkAttributeError(
                errorClass="ATTRIBUTE_NOT_SUPPORTED", messageParameters={"attr_name": item}
            )
        return self[item]

    def withField(self, fieldName: str, col: Column) -> Column:
        """Return the struct with a field added, or replaced.

        Parameters
        ----------
        fieldName : str
            The field, or the path to it with dots.
        col : Column
            Its value.
        """
        check("fieldName", fieldName, str, "str")
        check("col", col, Column, "Column")
        body = {
            "struct_expression": self._expr,
            "field_name": fieldName,
            "value_expression": col._expr,
        }
        return Column({"update_fields": body}, self._refs + col._refs)

    def dropFields(self, *fieldNames: str) -> Column:
        """Return the struct without some fields."""
        if not fieldNames:
            raise value_error("CANNOT_BE_EMPTY", item="dropFields")
        expr = self._expr
        for name in fieldNames:
            check("fieldName", name, str, "str")
            expr = {"update_fields": {"struct_expression": expr, "field_name": name}}
        return Column(expr, self._refs)

    # ---- more -----------------------------------------------------------------------------------

    def over(self, window: WindowSpec) -> Column:
        """Return this function computed over a window.

        Parameters
        ----------
        window : WindowSpec
            Which rows each row looks at.
        """
        from nbaspark.sql.window import WindowSpec

        check("window", window, WindowSpec, "WindowSpec")
        body = {"window_function": self._expr, **window._body()}
        return Column({"window": body}, self._refs + window._refs)

    def transform(self, f: Callable[[Column], Column]) -> Column:
        """Return ``f(self)``, so that functions of columns can be chained."""
        return f(self)

    def outer(self) -> Column:
        """Mark this column, in a subquery, as one of the query around it."""
        return self

    def __contains__(self, item: Any) -> bool:
        raise value_error("CANNOT_APPLY_IN_FOR_COLUMN")

    def __iter__(self):
        raise type_error("NOT_ITERABLE", objectName="Column")

    def __bool__(self) -> bool:
        raise value_error("CANNOT_CONVERT_COLUMN_INTO_BOOL")

    __nonzero__ = __bool__

    def __repr__(self) -> str:
        return f"Column<'{ex.text(self._expr)}'>"

    def __reduce__(self):
        return Column, (self._expr, self._refs)


def to_column(col: Any, arg_name: str = "col") -> Column:
    """Return a column for a column or a name."""
    if isinstance(col, Column):
        return col
    if isinstance(col, str):
        return named(col)
    raise not_expected(arg_name, col, "Column or str")


def named(name: str) -> Column:
    """Return the column of a name: ``*``, ``table.*`` or ``path.to.it``."""
    if name == "*":
        return Column(ex.star())
    if name.endswith(".*"):
        return Column(ex.star(name))
    return Column(ex.attribute(name))


def sort_key(col: Column) -> Column:
    """Return a column as a sort key, ascending unless it says otherwise."""
    return col if "sort_order" in col._expr else col.asc()


def references(cols: Any) -> tuple:
    """Return the subquery plans of several columns."""
    return tuple(r for c in cols for r in c._refs)
