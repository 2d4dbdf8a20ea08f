# SPDX-License-Identifier: Apache-2.0
"""Exception classes: PySpark's names, hierarchy and accessors.

An exception has a *condition* (``DIVIDE_BY_ZERO``), message parameters, an SQLSTATE and query
contexts. Those that Python raises take their message from `conditions.py`; those that the engine
raises come complete through `_from_engine`.
"""

from __future__ import annotations


class PySparkException(Exception):
    """Base of all exceptions of this package.

    Parameters
    ----------
    message : str, optional
        The text; taken from the table of conditions when absent.
    errorClass : str, optional
        The error condition, such as ``"NOT_EXPECTED_TYPE"``.
    messageParameters : dict, optional
        The values in the message, by the names that they have in it.
    contexts : list of QueryContext, optional
        The places in the query that the error is about.
    """

    def __init__(
        self,
        message: str | None = None,
        errorClass: str | None = None,
        messageParameters: dict[str, str] | None = None,
        contexts: list[QueryContext] | None = None,
        *,
        sqlState: str | None = None,
    ):
        if message is None:
            from nbaspark.errors.conditions import message_of

            self._message = message_of(errorClass or "", messageParameters or {})
            self._complete = False
        else:
            self._message = message
            self._complete = sqlState is not None
        self._errorClass = errorClass
        self._messageParameters = messageParameters
        self._contexts = contexts or []
        self._sqlState = sqlState
        super().__init__(self._message)

    def getCondition(self) -> str | None:
        """Return the error condition, such as ``"DIVIDE_BY_ZERO"``."""
        return self._errorClass

    def getErrorClass(self) -> str | None:
        """Return the error condition (the name that `getCondition` had before Spark 4)."""
        import warnings

        warnings.warn("Deprecated in 4.0.0, use getCondition instead.", FutureWarning)
        return self._errorClass

    def getMessageParameters(self) -> dict[str, str] | None:
        """Return the values that the message holds, by name."""
        return self._messageParameters

    def getSqlState(self) -> str | None:
        """Return the SQLSTATE of the condition, or None."""
        if self._sqlState is None and not self._complete:
            from nbaspark.errors.conditions import sqlstate_of

            return sqlstate_of(self._errorClass)
        return self._sqlState

    def getMessage(self) -> str:
        """Return the full message, condition first."""
        if self._complete:
            return self._message
        return f"[{self._errorClass}] {self._message}"

    def getBreakingChangeInfo(self) -> dict | None:
        """Return how to migrate over a breaking change, or None where there is none."""
        return None

    def getQueryContext(self) -> list[QueryContext]:
        """Return the places in the query that the error is about."""
        return self._contexts

    def __str__(self) -> str:
        return self._message if self._errorClass is None else self.getMessage()

    def __reduce__(self):
        return _rebuild, (type(self), self.__dict__)


def _rebuild(cls: type, state: dict) -> PySparkException:
    error = cls.__new__(cls, state.get("_message"))
    error.__dict__.update(state)
    return error


class AnalysisException(PySparkException):
    """The query does not make sense: an unknown name, a wrong type, a wrong nesting."""


class SessionNotSameException(PySparkException):
    """DataFrames of different sessions were combined."""


class TempTableAlreadyExistsException(AnalysisException):
    """A temporary view of this name exists already."""


class ParseException(AnalysisException):
    """SQL text does not follow the grammar."""


class IllegalArgumentException(PySparkException):
    """An argument has a value that is not allowed."""


class ArithmeticException(PySparkException):
    """An overflow or a division by zero."""


class UnsupportedOperationException(PySparkException):
    """The operation is not supported."""


class ArrayIndexOutOfBoundsException(PySparkException):
    """An index is beyond the end of an array."""


class DateTimeException(PySparkException):
    """A date or time cannot be computed or parsed."""


class NumberFormatException(IllegalArgumentException):
    """Text is not a number of the type asked for."""


class StreamingQueryException(PySparkException):
    """A streaming query was stopped by an error."""


class StreamingPythonRunnerInitializationException(PySparkException):
    """A Python worker of a streaming query did not start."""


class QueryExecutionException(PySparkException):
    """A query failed while it ran."""


class PythonException(PySparkException):
    """A user's Python function raised an exception."""


class SparkException(PySparkException):
    """An error of the engine that has no narrower class."""


class SparkRuntimeException(PySparkException):
    """A value met at run time made the query fail."""


class SparkUpgradeException(PySparkException):
    """A result would differ between versions of Spark."""


class SparkNoSuchElementException(PySparkException):
    """Something was asked for by a key that is not there."""


class InvalidPlanInput(PySparkException):
    """A plan message is malformed."""


class UnknownException(PySparkException):
    """None of the other exceptions."""


class PySparkValueError(PySparkException, ValueError):
    """A `ValueError` with an error condition."""


class PySparkTypeError(PySparkException, TypeError):
    """A `TypeError` with an error condition."""


class PySparkIndexError(PySparkException, IndexError):
    """An `IndexError` with an error condition."""


class PySparkAttributeError(PySparkException, AttributeError):
    """An `AttributeError` with an error condition."""


class PySparkRuntimeError(PySparkException, RuntimeError):
    """A `RuntimeError` with an error condition."""


class PySparkAssertionError(PySparkException, AssertionError):
    """An `AssertionError` with an error condition; `data` holds the rows that differ."""

    def __init__(self, message=None, errorClass=None, messageParameters=None, data=None):
        super().__init__(message, errorClass, messageParameters)
        self.data = data


class PySparkNotImplementedError(PySparkException, NotImplementedError):
    """A `NotImplementedError` with an error condition."""


class PySparkKeyError(PySparkException, KeyError):
    """A `KeyError` with an error condition."""


class PySparkImportError(PySparkException, ImportError):
    """An `ImportError` with an error condition."""


class PickleException(PySparkException):
    """Pickled data could not be read."""


def _pickling_error():
    # Only who catches this class needs `pickle`, which costs a millisecond to import.
    from pickle import PicklingError

    return type(
        "PySparkPicklingError",
        (PySparkException, PicklingError),
        {
            "__doc__": "A `pickle.PicklingError` with an error condition.",
            "__module__": __name__,
        },
    )


def __getattr__(name: str):
    if name == "QueryContextType":
        from enum import Enum

        value = Enum("QueryContextType", {"SQL": 0, "DataFrame": 1}, module=__name__)
    elif name == "PySparkPicklingError":
        value = _pickling_error()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


class QueryContext:
    """One place in a query that an error is about.

    In SQL text it has positions; in a DataFrame program it has the operation and the line that
    called it.
    """

    def __init__(self, fields: dict):
        self._fields = fields
        self._is_sql = fields.get("context_type", "SQL") in ("SQL", 0)

    def _only(self, is_sql: bool, field: str, method: str):
        if self._is_sql != is_sql:
            raise UnsupportedOperationException(
                "",
                "UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                {
                    "className": "SQLQueryContext" if self._is_sql else "DataFrameQueryContext",
                    "methodName": method,
                },
                sqlState="0A000",
            )
        return self._fields.get(field)

    def contextType(self):
        """Return whether the place is in SQL text or in a DataFrame program."""
        from nbaspark.errors import QueryContextType

        return QueryContextType.SQL if self._is_sql else QueryContextType.DataFrame

    def objectType(self) -> str:
        """Return the kind of object that holds the text, such as ``"VIEW"``, or ``""``."""
        return self._only(True, "object_type", "objectType") or ""

    def objectName(self) -> str:
        """Return the name of the object that holds the text, or ``""``."""
        return self._only(True, "object_name", "objectName") or ""

    def startIndex(self) -> int:
        """Return the position of the first character, counted from 0."""
        return int(self._only(True, "start_index", "startIndex") or 0)

    def stopIndex(self) -> int:
        """Return the position of the last character, counted from 0."""
        return int(self._only(True, "stop_index", "stopIndex") or 0)

    def fragment(self) -> str:
        """Return the text, or the operation, that the error is about."""
        return str(self._fields.get("fragment", ""))

    def callSite(self) -> str:
        """Return the line of the program that called the operation."""
        return self._only(False, "call_site", "callSite") or ""

    def summary(self) -> str:
        """Return a description of the place in several lines."""
        return str(self._fields.get("summary", ""))


# Kinds that the engine's table of conditions uses -> class. A kind that is not listed is looked
# up as a class name, then as a class name without its "Exception".
_KINDS = {
    "ANALYSIS": AnalysisException,
    "PARSE": ParseException,
    "ILLEGAL_ARGUMENT": IllegalArgumentException,
    "ARITHMETIC": ArithmeticException,
    "UNSUPPORTED_OPERATION": UnsupportedOperationException,
    "ARRAY_INDEX_OUT_OF_BOUNDS": ArrayIndexOutOfBoundsException,
    "DATE_TIME": DateTimeException,
    "DATETIME": DateTimeException,
    "NUMBER_FORMAT": NumberFormatException,
    "QUERY_EXECUTION": QueryExecutionException,
    "PYTHON": PythonException,
    "SPARK": SparkException,
    "RUNTIME": SparkRuntimeException,
    "SPARK_RUNTIME": SparkRuntimeException,
    "UPGRADE": SparkUpgradeException,
    "NO_SUCH_ELEMENT": SparkNoSuchElementException,
    "INVALID_PLAN_INPUT": InvalidPlanInput,
    "TEMP_TABLE_ALREADY_EXISTS": TempTableAlreadyExistsException,
}


def _class_of(kind: str, condition: str | None, parameters: dict[str, str] | None) -> type:
    """Return the class for a kind, or the one that Spark has for a condition in particular."""
    if condition and condition.startswith("CONNECT_INVALID_PLAN"):
        return InvalidPlanInput
    if condition == "CAST_INVALID_INPUT" and parameters:
        target = parameters.get("targetType", "").strip('"').partition("_")[0].partition("(")[0]
        if target == "BOOLEAN":
            return SparkRuntimeException
        if target in ("DATE", "TIMESTAMP", "TIME"):
            return DateTimeException
    names = globals()
    cls = (
        _KINDS.get(kind)
        or _KINDS.get(kind.upper())
        or names.get(kind)
        or names.get(f"{kind}Exception")
        or names.get(f"Spark{kind}Exception")
    )
    known = isinstance(cls, type) and issubclass(cls, PySparkException)
    return cls if known else UnknownException


def _from_engine(
    kind: str,
    condition: str | None,
    sqlstate: str | None,
    message: str,
    parameters: dict[str, str] | None = None,
    contexts: list[dict] | None = None,
) -> PySparkException:
    """Build the exception for an error of the engine.

    Parameters
    ----------
    kind : str
        The exception kind of the condition's row, a class name or one of `_KINDS`.
    condition, sqlstate : str or None
        Names of the condition and of its SQLSTATE.
    message : str
        The complete text, with ``[CONDITION]`` and ``SQLSTATE: …`` where Spark has them.
    parameters : dict, optional
        Message parameters.
    contexts : list of dict, optional
        Query contexts by the field names of ``FetchErrorDetailsResponse.QueryContext``.
    """
    cls = _class_of(kind, condition, parameters)
    error = cls(
        message,
        condition,
        dict(parameters) if parameters is not None else None,
        [QueryContext(c) for c in contexts or ()],
        sqlState=sqlstate,
    )
    error._complete = True
    return error
